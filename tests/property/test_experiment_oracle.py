"""An experiment's numbers against slow, plain Python, on many customers with few events each."""

from __future__ import annotations

import zlib
from collections import Counter
from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments.analyse import analyse
from experiments.metrics import column, exposed, metric_table
from experiments.spec import AnalysisSpec, Measure, Metric
from experiments.survey import survey, why_not
from features.contracts import EVENT_SCHEMA
from features.lake import Lake, connect
from tests.worlds.features import messages

START = datetime(2026, 3, 27, 10, tzinfo=UTC)
IDS = ["7", "07", "007", "7.0", "A", "a", " a", "Ä", "null", "o'neil", "x|y", "🙂", *(f"c{n}" for n in range(12))]
SPEC = AnalysisSpec(
    experiment_id="x",
    control="a",
    arms={"a": 1, "b": 2},
    covariate_days=3,
    metrics=(
        Metric(name="spend", kind="mean", numerator=Measure(events=("purchased",), what="value"), days=2),
        Metric(
            name="euros",
            kind="mean",
            numerator=Measure(events=("purchased", "converted"), what="value", currency="EUR"),
            days=2,
        ),
        Metric(name="buyers", kind="rate", numerator=Measure(events=("purchased",)), days=1),
        Metric(
            name="answers",
            kind="ratio",
            numerator=Measure(events=("clicked",), where="channel = 'email'"),
            denominator=Measure(events=("sent",), where="channel = 'email'"),
            days=2,
        ),
    ),
)


class Buckets:
    """Events in memory, cut into buckets."""

    def __init__(self, rows, buckets=2):
        self.buckets = buckets
        self._rows = rows

    def events(self, connection, bucket):
        rows = [row for row in self._rows if zlib.crc32(row["customer_id"].encode()) % self.buckets == bucket]
        return ibis.memtable(pa.Table.from_pylist(rows, schema=EVENT_SCHEMA))


# Windows are cut on whole hours, and so are many events: the edges are met.
moments = st.integers(-5 * 24, 4 * 24).map(lambda hours: START + timedelta(hours=hours)) | st.sampled_from(
    [START + timedelta(days=days, microseconds=off) for days in (-3, 0, 1, 2) for off in (-1, 0)]
)
row = st.fixed_dictionaries(
    {
        "customer_id": st.sampled_from(IDS),
        "type": st.sampled_from(["purchased", "converted", "clicked", "sent", "sent", "viewed"]),
        "occurred_at": moments,
        "value": st.none() | st.sampled_from([0.0, 1.5, -2.0, 40.0]),
        "currency": st.sampled_from(["EUR", "EUR", "JPY", None]),
        "channel": st.sampled_from([None, "email", "sms"]),
        "message_id": st.sampled_from([None, "m1", "m2"]),
        "decision_id": st.sampled_from([None, None, "d1"]),
        "automated": st.sampled_from([False, False, True]),
    }
)
assigned = st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from("aab"), moments), min_size=1, max_size=30)


def events_of(rows):
    fixed = {"properties": "{}", "campaign_id": None, "offer_id": None}
    return [{**fixed, **row, "event_id": f"e{at}"} for at, row in enumerate(rows)]


def people_of(rows):
    """Who is compared: in one arm alone, from the first assignment on."""
    arms, first = {}, {}
    for customer, arm, at in rows:
        arms.setdefault(customer, set()).add(arm)
        first[customer] = min(at, first.get(customer, at))
    return {each: (arms[each].pop(), first[each]) for each in arms if len(arms[each]) == 1}


def told_once(rows):
    """Leave each message once: as the report that says what it was, when the earliest says it went."""
    people = {row["customer_id"] for row in rows}
    told = [each for who in people for each in messages([row for row in rows if row["customer_id"] == who])]
    went = {each["told_by"]: each["occurred_at"] for each in told}
    return [
        {**row, "occurred_at": went.get(row["event_id"], row["occurred_at"])}
        for row in rows
        if row["type"] != "sent" or row["event_id"] in went
    ]


def fits(measure, row):
    return (
        row["type"] in measure.events
        and (measure.where is None or row["channel"] == "email")
        and (measure.currency is None or row["currency"] == measure.currency)
    )


def by_hand(metric, measure, period, rows, customer, at):
    start, end = (at, at + timedelta(days=metric.days))
    if period == "before":
        start, end = at - timedelta(days=SPEC.covariate_days), at
    total = 0.0
    for row in rows:
        if row["customer_id"] == customer and fits(measure, row) and start <= row["occurred_at"] < end:
            total += 1.0 if measure.what == "count" else (row["value"] or 0.0)
    return float(total > 0) if metric.kind == "rate" else total


def money_by_hand(metric, rows, people):
    seen = Counter()
    for row in rows:
        at = people.get(row["customer_id"], (None, None))[1]
        if at is not None and row["value"] and fits(metric.numerator, row):
            seen[row["currency"]] += at <= row["occurred_at"] < at + timedelta(days=metric.days)
    return +seen


def table_of(rows):
    ids, arms, at = zip(*rows, strict=True)
    return pa.table({"customer_id": ids, "arm": arms, "assigned_at": at})


@settings(max_examples=8, deadline=None)
@given(st.lists(row, max_size=60), assigned)
def test_sums_money_and_the_unknown_are_those_counted_by_hand(rows, people):
    rows = events_of(rows)
    human = [row for row in rows if not row["automated"]]
    expected = people_of(people)
    who, source = exposed(SPEC, table_of(people)), Buckets(rows)
    assert {r["customer_id"]: (r["arm"], r["assigned_at"]) for r in who.table.to_pylist()} == expected
    once = told_once(human)
    for found in metric_table(SPEC, who.table, source, connect()).to_pylist():
        for metric, part, measure in SPEC.measures:
            for period in ("after", "before"):
                total = by_hand(metric, measure, period, once, found["customer_id"], found["assigned_at"])
                assert found[column(metric, part, period)] == total
    seen = survey(SPEC, who.table, source, connect())
    assert seen.last_event_at == max((row["occurred_at"] for row in rows), default=None)
    assert seen.types == Counter(row["type"] for row in human)
    known = {row["customer_id"] for row in rows}
    assert set(seen.unknown["customer_id"].to_pylist()) == set(expected) - known
    mixed = len(money_by_hand(SPEC.metrics[0], human, expected)) > 1
    reason = why_not(SPEC.metrics[0], seen)
    assert mixed == bool(reason and "several currencies" in reason)


def test_a_lake_of_many_small_customers_gives_what_is_counted_by_hand(tmp_path):
    chance = np.random.default_rng(4)
    ids = [f"{number:04d}" for number in range(150)]
    rows = events_of(
        {
            "customer_id": each,
            "type": str(chance.choice(["purchased", "clicked", "sent"])),
            "occurred_at": START + timedelta(hours=int(chance.integers(-80, 60))),
            "value": float(chance.integers(1, 50)),
            "currency": "EUR",
            "channel": "email",
            "message_id": None,
            "decision_id": None,
            "automated": bool(chance.random() < 0.2),
        }
        for each in ids
        for _ in range(int(chance.integers(0, 4)))
    )
    lake = Lake(tmp_path, buckets=5)
    chance.shuffle(rows)
    for piece in (rows[::2], rows[1::2]):
        lake.append(pa.Table.from_pylist(piece, schema=EVENT_SCHEMA))
    people = [(each, "ab"[int(chance.integers(2))], START) for each in ids]
    table = metric_table(SPEC, exposed(SPEC, table_of(people)).table, lake, connect())
    human = [row for row in rows if not row["automated"]]
    for metric, part, measure in SPEC.measures:
        name = column(metric, part)
        hand = [by_hand(metric, measure, "after", human, each, START) for each in table["customer_id"].to_pylist()]
        assert table[name].to_pylist() == hand


def test_with_no_effect_a_whole_analysis_finds_one_no_more_often_than_its_level():
    chance = np.random.default_rng(9)
    spec = SPEC.model_copy(update={"arms": {"a": 1.0, "b": 1.0}, "metrics": (SPEC.metrics[0], SPEC.metrics[2])})
    found = 0
    for _ in range(20):
        ids = [f"c{number}" for number in range(120)]
        rows = events_of(
            {
                "customer_id": each,
                "type": "purchased",
                "occurred_at": START + timedelta(hours=int(chance.integers(-60, 60))),
                "value": float(chance.gamma(2.0)),
                "currency": "EUR",
                "channel": None,
                "message_id": None,
                "decision_id": None,
                "automated": False,
            }
            for each in ids
            for _ in range(int(chance.integers(0, 4)))
        )
        arms = chance.permutation(["a", "b"] * 60)
        people = [(each, str(arm), START) for each, arm in zip(ids, arms, strict=True)]
        found += (
            analyse(spec, table_of(people), Buckets(rows, 1), until=START + timedelta(days=2)).verdict
            != "cannot tell"
        )
    assert found <= stats.binom.ppf(0.999, 20, 0.05)
