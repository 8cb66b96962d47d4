"""Histories of many small customers, told in any order over both roads, and all that may be left of them.

A history is a function of its seed. :func:`check` tells it twice, in two shuffles cut up and spread over imports and
HTTP in two ways, and answers what differs in ledger, lake, features and the next decision: nothing, always.
"""

from __future__ import annotations

import random
import tempfile
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy import select

from decisions.ledger import Ledger
from decisions.ledger.events.effects import EFFECTIVE
from decisions.ledger.storage import schema
from decisions.records import Ask
from features.contracts import CONSENT_SCHEMA, CUSTOMER_SCHEMA, EVENT_SCHEMA, Consent, Customer, Event
from features.lake import connect
from features.tables.contact import contact
from features.tables.pressure import pressure
from features.tables.tally import tally
from pipelines.jobs.draining import drain_events
from pipelines.jobs.everywhere import Everywhere
from runtime.build import build
from runtime.lake import lake_of
from tests.worlds.ledger import fresh_url, opened, record, send
from tests.worlds.service import NOW, settings_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from runtime.build import Kairos

CHANNELS = ("email", "sms", "push")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MONTHS = 6

_PEOPLE = (
    "ada",
    "O'Hara",
    'b"ob',
    "back\\slash",
    "zoë",
    "with a space",
    "%_*",
    "17",
    "017",
    "null?",
    "a,b",
    "漢字",
)
_IDS = ("{}", "e'{}", 'x"{}', "\\{}", "{}é", "event {}")
_KINDS = (
    *("sent",) * 5,
    *("delivered", "bounced", "opened", "clicked", "converted", "purchased") * 2,
    *("unsubscribed", "complained", "viewed", "session", "x_own"),
)
_STAMPS = frozenset({"pressure_id", "consent_id", "after_audit", "received_at", "drained", "body_hash"})
"""What numbers or dates arrivals."""
_UNTOLD = frozenset({"audit", "version", "passed", "inbox", "record", "alembic_version"})
"""Tables that are not of what was told, or are compared in their own way."""

Told = Event | Consent | Customer


@dataclass(frozen=True, slots=True)
class History:
    """What happened: decisions made before, and all that is told afterwards, each once or repeated word for word."""

    decided: tuple[tuple[str, str, str], ...]
    """Customer, decision and what became of it."""
    told: tuple[Told, ...]

    @property
    def people(self) -> list[str]:
        return sorted({each.customer_id for each in self.told} | {who for who, *_ in self.decided})


@dataclass(slots=True)
class _Maker:
    dice: random.Random
    decided: list[tuple[str, str, str]] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    events: int = 0

    def make(self) -> History:
        people = self.dice.sample(_PEOPLE, self.dice.randint(3, len(_PEOPLE)))
        for each in people:
            self._person(each)
        repeated = [each for each in self.told if self.dice.random() < 0.1]
        return History(tuple(self.decided), (*self.told, *repeated))

    def _person(self, who: str) -> None:
        dice = self.dice
        place = dice.choice((None, None, None, "confirmed", "released", "reserved"))
        decision = f"d-{who}"
        if place:
            self.decided.append((who, decision, place))
        stays = place == "reserved"  # who leaves ends a reservation: an act of its own, whatever is told later
        names = (decision, None) if place else ("d1", "d2", None, None)
        if dice.random() < 0.8:
            self.told.append(_customer(who, dice))
        for _ in range(dice.choice((0, 0, 1, 2))):
            self.told.append(_consent(who, dice, stays=stays))
        kinds = [each for each in _KINDS if not stays or each not in {"unsubscribed", "complained"}]
        for _ in range(dice.choice((1, 2, 3, 3, 7, 12))):
            self.events += 1
            self.told.append(self._event(who, dice.choice(kinds), dice.choice(names)))

    def _event(self, who: str, kind: str, decision: str | None) -> Event:
        dice = self.dice
        stated = dice.choice(({}, {}, {"purpose": "service"}, {"category": "tea"}, {"n": 2.0, "a": None}))
        bounce = {"bounce": dice.choice(("hard", "soft"))} if kind == "bounced" and dice.random() < 0.6 else {}
        return Event(
            event_id=dice.choice(_IDS).format(f"{self.events}-{who}"),
            customer_id=who,
            type=kind,
            occurred_at=NOW - 30 * DAY * dice.randint(0, MONTHS) - dice.randint(0, 3) * HOUR,
            channel=dice.choice((*CHANNELS[:2], None)),
            decision_id=decision,
            message_id=dice.choice(("m1", "m2", "m3", None, None)),
            campaign_id=dice.choice(("spring", None)),
            offer_id=dice.choice(("coffee", None, None)),
            value=dice.choice((None, 1.0, 2.5)),
            automated=dice.random() < 0.15,
            properties=stated | bounce,
        )


def _customer(who: str, dice: random.Random) -> Customer:
    states = ("valid", "valid", "valid", "soft_bounced", "absent")
    contacts = {each: dice.choice(states) for each in CHANNELS if dice.random() < 0.6}
    return Customer(customer_id=who, time_zone="Europe/Berlin", country="DE", contacts=contacts)


def _consent(who: str, dice: random.Random, *, stays: bool) -> Consent:
    return Consent(
        customer_id=who,
        channel=dice.choice(CHANNELS),
        purpose=dice.choice(("marketing", "service")),
        status="granted" if stays else dice.choice(("granted", "granted", "withdrawn")),
        at=NOW - 30 * DAY * dice.randint(0, MONTHS),
        source="form",
        evidence=dice.choice((None, None, "page 1", "page 2")),
    )


def history(seed: int) -> History:
    """Return the history of a seed."""
    return _Maker(random.Random(seed)).make()


def prepare(ledger: Any, decided: Sequence[tuple[str, str, str]]) -> None:
    """Make the decisions of a history, and let them end as they did."""
    for who, key, place in decided:
        record(ledger, send(who, decision_id=key, request_id=key, at=NOW - 90 * DAY, now=NOW - 91 * DAY))
        if place == "confirmed":
            assert ledger.confirm(key, NOW - 90 * DAY).status == "confirmed"
        if place == "released":
            ledger.release(key, NOW - 90 * DAY)


def tell(
    ledger: Ledger, told: Sequence[Told], dice: random.Random, *, lake: Any = None, drain: Callable[[], Any] = int
) -> None:
    """Tell all of it shuffled, in batches of any size, each over one road or the other."""
    left = dice.sample(told, len(told))
    single = dice.random() < 0.3
    everywhere = Everywhere(lake or _NoLake(), ledger, NOW)
    while left:
        size = 1 if single else dice.randint(1, len(left))
        batch, left = left[:size], left[size:]
        (_over_http if dice.random() < 0.5 else _import)(everywhere, ledger, batch, dice)
        if dice.random() < 0.3:
            drain()


def _over_http(everywhere: Everywhere, ledger: Ledger, batch: Sequence[Told], _: random.Random) -> None:
    for each in batch:
        if isinstance(each, Consent):
            ledger.wishes.append(each.customer_id, [each], NOW)
    ledger.take_events([each for each in batch if isinstance(each, Event)], NOW)
    _put(everywhere, [each for each in batch if isinstance(each, Customer)])


def _import(everywhere: Everywhere, _: Ledger, batch: Sequence[Told], dice: random.Random) -> None:
    kinds = [Event, Consent, Customer]
    for kind in dice.sample(kinds, len(kinds)):
        _put(everywhere, [each for each in batch if isinstance(each, kind)])


def _put(everywhere: Everywhere, rows: Sequence[Any]) -> None:
    if not rows:
        return
    if isinstance(rows[0], Event):
        everywhere.events(events_table(rows))
    elif isinstance(rows[0], Consent):
        everywhere.consents(pa.Table.from_pylist([each.model_dump() for each in rows], schema=CONSENT_SCHEMA))
    else:
        everywhere.customers(pa.Table.from_pylist([_texts(each) for each in rows], schema=CUSTOMER_SCHEMA))


class _NoLake:
    """For what is about the ledger alone."""

    def append(self, _: pa.Table) -> None: ...

    def put_customers(self, _: pa.Table) -> None: ...


def events_table(events: Sequence[Any]) -> pa.Table:
    """Return events as the importer hands them on."""
    rows = [{**each.model_dump(), "properties": orjson.dumps(each.properties).decode()} for each in events]
    return pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)


def _texts(customer: Any) -> dict[str, Any]:
    words = {name: orjson.dumps(getattr(customer, name)).decode() for name in ("attributes", "contacts")}
    return {**customer.model_dump(), **words}


def ledger_dump(ledger: Any) -> dict[str, list[Any]]:
    """Return every table of a ledger as plain rows in an order of their own, arrival stamps left out."""
    with ledger._database.exporting() as connection:
        rows = {
            table.name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for table in schema.metadata.sorted_tables
        }
    names = {
        row["pressure_id"]: (row["customer_id"], row["decision_id"], row["message_id"], row["told_by"])
        for row in rows["pressure"]
    }
    for row in rows["alias"]:
        row["of"] = names.get(row["pressure_id"])
    for row in rows["consent"]:
        row["evidence"] = ledger._seal.open(row["evidence"])
    for table in ("reaction", "open_event"):
        for row in rows[table]:
            del row["at"]
    found = {name: _ordered(each) for name, each in rows.items() if name not in _UNTOLD}
    return {
        **found,
        "inbox": _ordered(row for row in rows["inbox"] if row["type"] in EFFECTIVE[:5] + EFFECTIVE[7:]),
    }


def _ordered(rows: Any) -> list[Any]:
    plain = ({name: value for name, value in row.items() if name not in {*_STAMPS, "body"}} for row in rows)
    return sorted(plain, key=repr)


def lake_dump(kairos: Kairos) -> dict[str, list[Any]]:
    """Return the rows of every file of the lake by the folder it lies in."""
    root = lake_of(kairos.settings).root
    found: dict[str, list[Any]] = {}
    for file in sorted(root.rglob("*.parquet")):
        rows = pq.ParquetFile(file).read().to_pylist()
        found.setdefault(str(file.parent.relative_to(root)), []).extend(rows)
    return {folder: sorted(rows, key=repr) for folder, rows in found.items()}


def features_dump(kairos: Kairos) -> dict[str, list[Any]]:
    """Return the feature tables of contacts and pressure, as they stand tomorrow."""
    lake, until = lake_of(kairos.settings), (NOW + DAY).date()
    found: dict[str, list[Any]] = {"contact": [], "pressure": [], "tally": []}
    for bucket in range(lake.buckets):
        connection = connect()
        events, customers = lake.events(connection, bucket), lake.customers(connection, bucket)
        found["contact"] += contact(events, customers, as_of=until, channels=CHANNELS).to_pyarrow().to_pylist()
        found["pressure"] += pressure(events, until=until, channel="email").to_pyarrow().to_pylist()
        found["tally"] += tally(events, until=until).to_pyarrow().to_pylist()
    return {name: sorted(rows, key=repr) for name, rows in found.items()}


def next_decisions(kairos: Kairos, people: Sequence[str]) -> list[Any]:
    """Return what would be decided of each now, names of decisions left out."""
    asks = [Ask(request_id=f"r-{each}", customer_id=each, purpose="marketing") for each in people]
    return [{**asdict(each), "decision_id": None} for each in kairos.decider.preview(asks)]


def outcome(seed: int, order: int, home: Path) -> dict[str, Any]:
    """Return all that is left after a history is told in the shuffle and split of ``order``."""
    happened, dice = history(seed), random.Random(f"{seed}:{order}")
    settings = settings_in(home, buckets=2, threads=1)
    fresh_url(home)
    with Ledger.open(settings.ledger) as ledger:  # no guard: it would ask for consents that are yet to be told
        prepare(ledger, happened.decided)
    with build(settings) as kairos:
        lake = lake_of(settings)
        tell(kairos.ledger, happened.told, dice, lake=lake, drain=lambda: drain_events(kairos))
        drain_events(kairos)
        lake.compact()
        left = {f"ledger {name}": rows for name, rows in ledger_dump(kairos.ledger).items()}
        left |= {f"lake {folder}": rows for folder, rows in lake_dump(kairos).items()}
        left |= {f"features {name}": rows for name, rows in features_dump(kairos).items()}
        left["next"] = next_decisions(kairos, happened.people)
        left["told again"] = told_again(kairos.ledger, happened)
    return left


def ledger_outcome(seed: int, order: int, url: str) -> dict[str, Any]:
    """Return what is left of it in a ledger alone."""
    happened = history(seed)
    with opened(url) as ledger:
        prepare(ledger, happened.decided)
        tell(ledger, happened.told, random.Random(f"{seed}:{order}"))
        return {**ledger_dump(ledger), "told again": told_again(ledger, happened)}


def told_again(ledger: Any, happened: History) -> list[Any]:
    """Return what the ledger says of every event that it is told once more, over HTTP: nothing but duplicates."""
    verdicts = ledger.take_events([each for each in happened.told if isinstance(each, Event)], NOW)
    return [each for each in verdicts if each.status != "duplicate" or each.conflict]


def differences(one: dict[str, Any], other: dict[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    """Yield name, and what only one and only the other has, of everything that differs."""
    for name in sorted(one.keys() | other.keys()):
        first, second = one.get(name, []), other.get(name, [])
        if first != second:
            yield (
                name,
                [each for each in first if each not in second],
                [each for each in second if each not in first],
            )


def check(seed: int, *, orders: int = 2) -> list[tuple[str, Any, Any]]:
    """Return what differs between the orders in which the history of a seed is told: nothing, or there is a fault."""
    with ExitStack() as folders:
        homes = [Path(folders.enter_context(tempfile.TemporaryDirectory())) for _ in range(orders)]
        first, *others = (outcome(seed, order, home) for order, home in enumerate(homes))
    again = [("told again", first["told again"], [])] if first["told again"] else []
    return again + [each for other in others for each in differences(first, other)]
