"""Lakes of many small customers, as real data are: a few events each over many months, odd ids, equal moments.

``check(seed, folder)`` fills a lake in random batches, builds every table over several buckets, and holds tables and
labels against plain Python that shares no code with them; ``check_store`` does so through the feature store. Both
raise ``AssertionError`` with the seed. Any number of seeds may be tried.
"""

from __future__ import annotations

import json
import math
import random
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from decisions.priors import Priors
from features.build import Zones, build_features
from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA
from features.lake import Lake
from features.layout import SIGNS, Layout
from features.store import FeatureStore
from features.store.store import TTL
from features.views import views
from features.vocabulary import ATTRIBUTES, Vocabulary
from tests.worlds.features import (
    DAY,
    expected_activity,
    expected_categories,
    expected_pressure,
    expected_tally,
    messages,
    names,
    sends_on,
)
from training.labels import engagements, silence
from training.models.fatigue.sends import ripe_sends
from training.models.offer.response import purchases
from training.models.send_time.delays import _minutes
from training.models.send_time.histories import send_slots
from training.models.send_time.observed import _answered
from training.sources import TrainingSources

WORDS = Vocabulary(channels=("email", "push"), categories=("bread", "milk"))
UNTIL = date(2017, 12, 1)
NOW = datetime(2017, 12, 1, 9, 30, tzinfo=UTC)
BEGIN = datetime(2016, 10, 1, tzinfo=UTC)
ZONES = Zones(by_country={"DE": "Europe/Berlin", "US": "America/New_York"}, default="Asia/Kolkata")

_ODD = (
    "it's",
    'say "hi"',
    "Zoë",
    "名前",
    "007",
    "07",
    "7",
    "a",
    "A",
    "a b",
    "a\\b",
    "x,y",
    "100%",
    "[1]",
    "#",
    "nan",
)
_EDGES = (
    datetime(2017, 3, 26, 0, 59, 59, 999_999, tzinfo=UTC),  # Berlin's clock jumps a microsecond later
    datetime(2017, 3, 26, 1, tzinfo=UTC),
    datetime(2017, 10, 29, 0, 30, tzinfo=UTC),  # twice half past two
    datetime(2017, 10, 29, 1, 30, tzinfo=UTC),
    datetime(2017, 3, 12, 7, tzinfo=UTC),  # New York's
    datetime(2017, 11, 24, tzinfo=UTC),
    datetime(2017, 11, 30, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2017, 12, 1, tzinfo=UTC),
)
_BEHAVIOUR = ("purchased", "purchased", "purchased", "session", "cart_added", "x_own", "viewed")
_ANSWERS = ("delivered", "opened", "clicked", "clicked", "converted", "bounced", "unsubscribed", "complained")


@dataclass(frozen=True)
class World:
    """``arriving`` is every row told, in the order of arrival; ``events`` what of it counts: the first of each id."""

    seed: int
    arriving: list[dict]
    customers: list[dict]

    @property
    def events(self) -> list[dict]:
        return list({row["event_id"]: row for row in reversed(self.arriving)}.values())

    @property
    def people(self) -> dict[str, list[dict]]:
        """Everybody's events, in time; customers without any have none."""
        found = {row["customer_id"]: [] for row in self.customers}
        for row in sorted(self.events, key=lambda r: (r["occurred_at"], r["event_id"])):
            found.setdefault(row["customer_id"], []).append(row)
        return found

    def zone(self, who):
        row = next((row for row in self.customers if row["customer_id"] == who), {})
        return row.get("time_zone") or ZONES.by_country.get(row.get("country"), ZONES.default)


def world(seed: int) -> World:
    """Draw a world."""
    draw = random.Random(seed)
    ids = [*draw.sample(_ODD, 8), *(f"c{number}" for number in range(draw.randrange(12, 120)))]
    crowded = set(draw.sample(ids, 3))
    counter = iter(range(10**9))
    rows = []
    for who in ids:
        if draw.random() < 0.1:
            continue  # a customer without events
        for _ in range(draw.randrange(20, 60) if who in crowded else draw.randrange(1, 4)):
            rows += _happened(draw, who, counter)
    rows += [dict(draw.choice(rows)) for _ in range(draw.randrange(10))]  # told twice
    rows += [draw.choice(rows) | {"value": 99.0, "type": "session"} for _ in range(draw.randrange(4))]
    draw.shuffle(rows)
    customers = [_customer(draw, who) for who in ids if draw.random() < 0.8]
    return World(seed, rows, customers)


def _moment(draw):
    if draw.random() < 0.15:
        return draw.choice(_EDGES)
    at = BEGIN + timedelta(seconds=draw.randrange(int((NOW - BEGIN).total_seconds()) + 86_400))
    kind = draw.randrange(6)
    return (
        at.replace(hour=0, minute=0, second=0)
        if kind == 0
        else at.replace(minute=0, second=0)
        if kind == 1
        else at
    )


def _happened(draw, who, counter):
    """Draw one thing that happened: a purchase, a visit, or a message with its reports and what came back."""
    if draw.random() < 0.5:
        return [_behaviour(draw, who, counter)]
    at, number = _moment(draw), draw.randrange(9)
    named = {"decision_id": f"d{number}", "message_id": draw.choice([f"m{number}", f"d{number}"])}
    facts = {"channel": draw.choice([None, *WORDS.channels * 3]), "campaign_id": draw.choice([None, "k1", "k2"])}
    offers = [None, None, *_ODD]
    told = [
        _row(
            who, counter, "sent", at + draw.choice([0, 0, 30, 86_400, 9 * 86_400]) * timedelta(seconds=1),
            **facts
            | {"offer_id": draw.choice(offers)}
            | draw.choice([{}, {"channel": None}, {"offer_id": "o1"}, {"channel": "push"}]),
            **_some(draw, named),
        )
        for _ in range(draw.choice([1, 1, 2, 3]))
    ]  # fmt: skip
    answers = [
        _row(
            who, counter, draw.choice(_ANSWERS), at + timedelta(seconds=draw.randrange(-3600, 20 * 86_400)),
            **facts | {"channel": draw.choice([facts["channel"], None])}, **_some(draw, named),
            automated=draw.random() < 0.1, properties=json.dumps(draw.choice([{}, {"bounce": "hard"}, {"bounce": "soft"}])),
        )
        for _ in range(draw.choice([0, 0, 1, 2]))
    ]  # fmt: skip
    return told + answers


def _some(draw, named):
    return {name: value for name, value in named.items() if draw.random() < 0.6}


def _behaviour(draw, who, counter):
    kind = draw.choice(_BEHAVIOUR)
    properties = {}
    if kind == "purchased":
        properties = {"category": draw.choice(["bread", "milk", "tea"])} if draw.random() < 0.8 else {}
        properties |= {"order_id": draw.choice(["1", 1, "01", "x"])} if draw.random() < 0.5 else {}
    value = draw.choice([None, draw.randrange(10_000) / 100, draw.random() * 50]) if kind == "purchased" else None
    value = draw.choice([math.nan, math.inf]) if value and draw.random() < 0.02 else value
    automated = draw.random() < 0.05
    return _row(
        who, counter, kind, _moment(draw), value=value, automated=automated, properties=json.dumps(properties)
    )


def _row(who, counter, kind, at, **given):
    defaults = dict.fromkeys(EVENT_SCHEMA.names) | {"automated": False, "properties": "{}"}
    return (
        defaults | {"event_id": f"e{next(counter)}", "customer_id": who, "type": kind, "occurred_at": at} | given
    )


def _customer(draw, who):
    zones = [None, None, "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham"]
    states = ("valid", "soft_bounced", "hard_bounced", "absent")
    contacts = {channel: draw.choice(states) for channel in WORDS.channels if draw.random() < 0.8}
    return dict.fromkeys(CUSTOMER_SCHEMA.names) | {
        "customer_id": who,
        "household_id": draw.choice([None, None, None, "h1", "h2", "a"]),
        "time_zone": draw.choice(zones),
        "country": draw.choice([None, "DE", "US", "FR"]),
        "attributes": "{}",
        "contacts": json.dumps(contacts),
    }


def fill(made: World, root, *, seed: int) -> Lake:
    """Fill a lake in batches drawn with ``seed``: the events in their order of arrival, customers in between."""
    draw = random.Random(seed)
    lake = Lake(root, buckets=draw.choice([2, 3, 5, 16]))
    cuts = sorted(draw.sample(range(len(made.arriving)), draw.randrange(min(6, len(made.arriving)))))
    batches = [made.arriving[a:b] for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    known = draw.randrange(len(batches) + 1)
    for number, batch in enumerate([*batches, []]):
        if number == known:
            people = draw.sample(made.customers, len(made.customers))
            lake.put_customers(pa.Table.from_pylist(people, schema=CUSTOMER_SCHEMA))
        if batch:
            lake.append(pa.Table.from_pylist(batch, schema=EVENT_SCHEMA))
    if draw.random() < 0.5:
        lake.compact()
    return lake


# The oracles: one customer, plain Python.


def _usable(rows):
    """A value that is no number adds nothing."""
    return [
        row | {"value": row["value"] if row["value"] and math.isfinite(row["value"]) else None} for row in rows
    ]


def _machine(row):
    return row["automated"] and row["type"] in ("opened", "clicked")


def _pressed(rows, moment, channel):
    known = [row for row in rows if row["occurred_at"] < moment]
    came = [r for r in known if r["channel"] == channel and not _machine(r)]
    answers = ("opened", "clicked", "converted", "bounced", "unsubscribed")
    return bool(sends_on(known, channel)) or any(row["type"] in answers for row in came)


def _begins(name, rows):
    """The first snapshot a customer has in a daily view."""
    moments = sorted({_next_midnight(row["occurred_at"]) for row in rows})
    for moment in (m for m in moments if m <= _midnight(UNTIL)):
        known = [row for row in rows if row["occurred_at"] < moment]
        if name == "activity" or (name == "categories" and any(r["type"] == "purchased" for r in known)):
            return moment
        if name.startswith("pressure") and _pressed(rows, moment, name.removeprefix("pressure_")):
            return moment
    return None


def _midnight(day):
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _next_midnight(at):
    return _midnight(at.date()) + DAY


def expected(name, rows, moment):
    """What the snapshot of ``moment`` says of the customer whose events are ``rows``."""
    if name == "activity":
        return expected_activity(rows, moment)
    if name == "categories":
        return expected_categories(rows, moment, WORDS.categories)
    return expected_pressure(rows, moment, name.removeprefix("pressure_"))


def expected_contact(rows, row, as_of):
    known = [r for r in rows if r["occurred_at"] < as_of]
    told = messages(known)
    states = {}
    for channel in WORDS.channels:
        here = [r for r in known if channel in _channels(r, told, as_of)]
        bounces = [r for r in here if r["type"] == "bounced"]
        signs = [r["occurred_at"] for r in here if r["type"] in ("delivered", "opened", "clicked")]
        state = json.loads(row["contacts"]).get(channel, "absent") if row else "absent"
        if any(json.loads(r["properties"]).get("bounce") == "hard" for r in bounces):
            state = "hard_bounced"
        elif bounces and state not in ("absent", "hard_bounced"):
            last = max(r["occurred_at"] for r in bounces)
            if not signs or max(signs) <= last:
                state = "soft_bounced"
        states[f"{channel}_contact"] = state
    said = {name: row[name] if row else None for name in ("time_zone", "country")}
    return states | said | {ATTRIBUTES: None if not row or row["attributes"] == "{}" else row["attributes"]}


def _channels(row, told, as_of):
    """The channel a row names, or else that of each message it names: of its earliest report that names one."""
    if row["channel"]:
        return {row["channel"]}
    reports = ([r for r in each["reports"] if r["channel"]] for each in told if names(row, each))
    first = (min(of, key=lambda r: (r["occurred_at"], r["event_id"])) for of in reports if of)
    return {r["channel"] for r in first if r["occurred_at"] < as_of}


def expected_rhythm(rows, zone, moment):
    hours = [0.0] * 168
    orders = set()
    for row in rows:
        order = json.loads(row["properties"]).get("order_id")
        key = ("event", row["event_id"]) if order is None else ("order", str(order))
        sign = row["type"] in ("session", "cart_added")
        if row["type"] == "purchased":
            sign = key not in orders
            orders.add(key)
        if sign and not row["automated"] and row["occurred_at"] < moment:
            local = row["occurred_at"].astimezone(ZoneInfo(zone))
            hours[local.weekday() * 24 + local.hour] += 0.5 ** ((moment - row["occurred_at"]) / DAY / 90)
    return hours


def expected_engagements(rows, days):
    past = [row for row in rows if row["occurred_at"] < NOW]
    hidden = {row["channel"] for row in past if row["type"] == "opened" and row["automated"]}
    for message in messages(past):
        at, channel = message["occurred_at"], message["channel"]
        if channel is None or channel in hidden - {None} or at > NOW - days * DAY:
            continue
        yield (
            at,
            channel,
            any(
                row["type"] in ("opened", "clicked", "converted")
                and not row["automated"]
                and row["channel"] in (None, channel)
                and at <= row["occurred_at"] < at + days * DAY
                and (names(row, message) or (row["campaign_id"] and row["campaign_id"] == message["campaign_id"]))
                for row in past
            ),
        )


def expected_fatigue(rows, days):
    past = [row for row in rows if row["occurred_at"] < NOW]
    for channel in {row["channel"] for row in past if row["channel"]}:
        sends = sorted(m["occurred_at"] for m in messages(past) if m["channel"] == channel)
        losses = [
            row["occurred_at"] for row in past if row["channel"] == channel and row["type"] in ("unsubscribed", "complained")
        ]  # fmt: skip
        blamed = {}
        for lost in losses:
            before = [place for place, at in enumerate(sends) if at <= lost]
            if before and lost - sends[before[-1]] < days * DAY:
                blamed[before[-1]] = True
        for place, at in enumerate(sends):
            if at < NOW - days * DAY:
                level = sum(other > at - 7 * DAY for other in sends[:place])
                yield channel, at, min(level, 7), blamed.get(place, False)


def expected_delays(rows):
    past = [row for row in rows if row["occurred_at"] < NOW]
    for message in messages(past):
        reacted = [
            row["occurred_at"]
            for row in past
            if row["type"] in ("opened", "clicked") and not row["automated"] and names(row, message)
        ]
        if reacted and message["channel"]:
            minutes = min(reacted).timestamp() // 60 - message["occurred_at"].timestamp() // 60
            if 0 <= minutes < 7 * 24 * 60:
                yield message["channel"], int(minutes)


def expected_answered(rows, since):
    past = [row for row in rows if row["occurred_at"] < NOW]
    for message in messages(past):
        if message["occurred_at"] >= since and (message["decision_id"] or message["message_id"]):
            yield (
                message["occurred_at"],
                message["channel"],
                any(
                    row["type"] in ("opened", "clicked") and not row["automated"] and names(row, message)
                    for row in past
                ),
            )


# The checks.


def check(seed: int, folder) -> int:
    """Hold every table and label of the world of ``seed`` against the oracles; return how many rows were held."""
    made = world(seed)
    lake = fill(made, folder / "lake", seed=seed)
    build_features(lake, folder / "features", vocabulary=WORDS, until=UNTIL, zones=ZONES)
    held = _check_tables(made, folder / "features")
    sources = TrainingSources(lake=lake, store=_Nothing(), vocabulary=WORDS, priors=Priors(), offers=(), now=NOW)
    return held + _check_labels(made, sources)


def check_store(seed: int, folder) -> int:
    """Hold training sets and rhythms of random spines against the oracles, through the store; return their rows."""
    made = world(seed)
    lake = fill(made, folder / "lake", seed=seed)
    build_features(lake, folder / "features", vocabulary=WORDS, until=UNTIL, zones=ZONES)
    store = FeatureStore(folder / "features", WORDS)
    people, draw = made.people, random.Random(seed)
    asked = [(draw.choice([*people, "nobody"]), _moment(draw) + draw.choice([0, 1]) * DAY) for _ in range(150)]
    spine = pa.table(
        {
            "customer_id": [who for who, _ in asked],
            "event_timestamp": pa.array([at for _, at in asked], pa.timestamp("us", "UTC")),
        }
    )
    found = store.training_set(spine, rhythm=True)
    assert found.select(spine.column_names).equals(spine), f"seed {seed}: the spine came back otherwise"
    for row, (who, at) in zip(found.to_pylist(), asked, strict=True):
        _check_row(f"seed {seed}", row, made, who, at)
    return len(asked)


def _check_row(label, row, made, who, at):
    rows = _usable(made.people.get(who, []))
    snapshot = min(_midnight(at.date()), _midnight(UNTIL))
    start = _begins("activity", rows)
    if who not in made.people or start is None or start > snapshot or at - snapshot > TTL:
        assert row["recency_days"] is None, (label, who, at)
        return
    for name in ("activity", "pressure_email", "pressure_push", "categories"):
        begun = _begins(name, rows)
        if begun and begun <= snapshot:
            _same(f"{label} {who!r} {at} {name}", row, expected(name, rows, snapshot))
    _same(f"{label} {who!r} {at}", row, {"rhythm": expected_rhythm(_before(rows), made.zone(who), at)})


def _before(rows):
    """What a build knows: nothing from its last snapshot on."""
    return [row for row in rows if row["occurred_at"] < _midnight(UNTIL)]


def _check_tables(made, root):
    layout, people, held = Layout(root), {who: _usable(rows) for who, rows in made.people.items()}, 0
    draw = random.Random(made.seed)
    for view in views(WORDS):
        table = pa.concat_tables([pq.read_table(path) for path in layout.files(view.name)])
        columns = view.unpack(table[view.name].combine_chunks(), np.ones(len(table), bool))
        rows = pa.table(
            {"customer_id": table["customer_id"], "at": table["event_timestamp"], **columns}
        ).to_pylist()
        found = {(row.pop("customer_id"), row.pop("at")): row for row in rows}
        assert len(found) == len(table), f"seed {made.seed}: {view.name} holds a customer twice for one moment"
        wanted = _wanted(view, made, people, draw)
        assert found.keys() == wanted.keys(), f"seed {made.seed}: {view.name} {found.keys() ^ wanted.keys()}"
        for (who, moment), checked in wanted.items():
            if checked:
                _same(
                    f"seed {made.seed} {view.name} {who!r} {moment}",
                    found[who, moment],
                    _said(view, made, people, who, moment),
                )
                held += 1  # fmt: skip
    signs = sum(pq.read_metadata(path).num_rows for path in layout.files(SIGNS))
    return held + signs


def _wanted(view, made, people, draw):
    """Every key of a view, and whether it is looked at: the first and last, those after an event, and some."""
    end = _midnight(UNTIL)
    if view.name == "rhythm":
        return {(who, end): True for who, rows in people.items() if rows}
    if view.name == "contact":
        declared = {row["customer_id"] for row in made.customers}
        return {(who, end): True for who, rows in people.items() if who in declared or _before(rows)}
    if view.name.startswith("tally"):
        return {(who, end): True for who, rows in people.items() if expected_tally(rows, end)["tally_pairs"]}
    keys = {}
    for who, rows in people.items():
        if begin := _begins(view.name, rows):
            days = [begin + number * DAY for number in range((end - begin).days + 1)]
            near = {_next_midnight(row["occurred_at"]) for row in rows} | {begin, end, draw.choice(days)}
            keys |= {(who, day): day in near for day in days}
    return keys


def _said(view, made, people, who, moment):
    if view.name == "contact":
        row = next((row for row in made.customers if row["customer_id"] == who), None)
        return expected_contact(people[who], row, moment)
    if view.name == "rhythm":
        return {"rhythm": expected_rhythm(people[who], made.zone(who), moment)}
    if view.name.startswith("tally"):
        return {column: expected_tally(people[who], moment)[column] for column in view.columns}
    return expected(view.name, people[who], moment)


def _check_labels(made, sources):
    seed, people = made.seed, made.people
    found = engagements(sources, days=14).to_pylist()
    _equal(seed, "engagements", ((r["customer_id"], r["event_timestamp"], r["channel"], r["engaged"]) for r in found),
        ((who, at, channel, float(bool(yes))) for who, rows in people.items() for at, channel, yes in expected_engagements(rows, 14)))  # fmt: skip
    sends = ripe_sends(sources, days=7)
    at = [datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=int(each)) for each in sends.at]
    _equal(seed, "fatigue", zip(sends.channel.tolist(), at, sends.level.tolist(), sends.lost.tolist(), strict=True),
        (each for rows in people.values() for each in expected_fatigue(rows, 7)))  # fmt: skip
    minutes = sources.collect(_minutes).drop_null().to_pylist()
    _equal(seed, "delays", ((r["channel"], int(r["minutes"])) for r in minutes for _ in range(r["reactions"])),
        (each for rows in people.values() for each in expected_delays(rows)))  # fmt: skip
    since = NOW - 112 * DAY
    answered = sources.collect(lambda events: _answered(events, since)).to_pylist()
    _equal(seed, "answered", ((r["customer_id"], r["occurred_at"], r["channel"], r["engaged"]) for r in answered),
        ((who, *each) for who, rows in people.items() for each in expected_answered(rows, since)))  # fmt: skip
    return len(found) + len(at) + len(answered) + _check_silence(made, sources) + _check_purchases(made, sources) + _check_slots(made, sources)  # fmt: skip


def _check_silence(made, sources):
    cutoffs = [_midnight(UNTIL) - days * DAY for days in (56, 84, 150)]
    found = silence(sources, cutoffs, days=30, activity=("purchased",)).to_pylist()
    bought = {w: [r["occurred_at"] for r in rows if r["type"] == "purchased"] for w, rows in made.people.items()}
    _equal(made.seed, "silence", ((r["customer_id"], r["cutoff"], r["silent"]) for r in found), (
        (who, number, float(not any(cutoff <= at < cutoff + 30 * DAY for at in moments)))
        for who, moments in bought.items()
        for number, cutoff in enumerate(cutoffs)
        if any(at < cutoff for at in moments)
    ))  # fmt: skip
    return len(found)


def _check_purchases(made, sources):
    moments = [_midnight(UNTIL) - 28 * DAY, _midnight(UNTIL) - 56 * DAY]
    found = purchases(sources, moments, days=28)
    rows = zip(found.frame["customer_id"].to_pylist(), found.cutoff.tolist(), found.bought.tolist(), strict=True)
    wanted = []
    for who, events in made.people.items():
        bought = [(r["occurred_at"], json.loads(r["properties"]).get("category")) for r in events if r["type"] == "purchased"]  # fmt: skip
        for number, moment in enumerate(moments):
            if any(at < moment for at, _ in bought):
                within = {category for at, category in bought if moment <= at < moment + 28 * DAY}
                wanted.append((who, float(number), [float(category in within) for category in WORDS.categories]))
    _equal(made.seed, "purchases", rows, wanted)
    return len(wanted)


def _check_slots(made, sources):
    zones = {row["customer_id"]: row["time_zone"] for row in made.customers}
    wanted = np.zeros(168)
    for who, rows in made.people.items():
        for message in messages([row for row in rows if row["occurred_at"] < NOW]):
            if zones.get(who):
                local = message["occurred_at"].astimezone(ZoneInfo(zones[who]))
                if local.time() != datetime.min.time():
                    wanted[local.weekday() * 24 + local.hour] += 1
    found = send_slots(sources, list(made.people))
    assert found.tolist() == wanted.tolist(), f"seed {made.seed}: the hours of sends differ"
    return int(wanted.sum())


def _equal(seed, what, found, wanted):
    found, wanted = sorted(found, key=repr), sorted(wanted, key=repr)
    for one, other in zip(found, wanted, strict=False):
        assert one == other, f"seed {seed}: {what} says {one}, plain Python {other}"
    assert len(found) == len(wanted), f"seed {seed}: {what} has {len(found)} rows, plain Python {len(wanted)}"


def _same(label, found, wanted):
    for column, value in wanted.items():
        pairs = zip(found[column], value, strict=True) if isinstance(value, list) else [(found[column], value)]
        for one, other in pairs:
            same = (
                one == other
                if isinstance(other, str) or None in (one, other)
                else math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
            )
            assert same, f"{label}: {column} is {one}, plain Python says {other}"  # fmt: skip


class _Nothing:
    """No features: labels need none."""

    def training_set(self, spine):
        return spine

    def rhythm_at(self, spine):
        raise NotImplementedError
