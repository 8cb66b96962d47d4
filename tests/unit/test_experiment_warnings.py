"""An experiment that would mislead says so: unknown customers, mixed money, events that never were, early lakes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import orjson
import pyarrow as pa
import pytest

from experiments import report
from experiments.analyse import analyse, judge_sample_ratio
from experiments.spec import AnalysisSpec, Measure, Metric
from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA
from measures.outcome import Interval, NotComputable

START = datetime(2026, 3, 1, tzinfo=UTC)
END = START + timedelta(days=14)
CUSTOMERS = [f"{number:05d}" for number in range(60)]


class Source:
    """Events and customers in memory, one bucket."""

    buckets = 1

    def __init__(self, rows, people=()):
        self._rows = [*rows, event("zz", "viewed", END)]
        self._people = [{**dict.fromkeys(CUSTOMER_SCHEMA.names), "customer_id": each} for each in people]

    def events(self, connection, bucket):
        return ibis.memtable(pa.Table.from_pylist(self._rows, schema=EVENT_SCHEMA))

    def customers(self, connection, bucket):
        schema = pa.schema([field.with_nullable(True) for field in CUSTOMER_SCHEMA])
        return ibis.memtable(pa.Table.from_pylist(self._people, schema=schema))


def event(customer, kind, at, **more):
    row = dict.fromkeys(EVENT_SCHEMA.names) | {"automated": False, "properties": "{}"} | more
    return row | {"event_id": f"{customer}{kind}{at}", "customer_id": customer, "type": kind, "occurred_at": at}


def sale(customer, at=START + timedelta(days=2), **more):
    return event(customer, "purchased", at, **{"value": 5.0 + int(customer[-2:]) % 7, "currency": "EUR"} | more)


def metric(name="spend", kind="mean", what="value", **more):
    given = {"events": ("purchased",), "what": what} | more.pop("numerator", {})
    return Metric(name=name, kind=kind, numerator=Measure(**given), **more)


def plan(*metrics):
    return AnalysisSpec(experiment_id="x", control="a", arms={"a": 1, "b": 1}, metrics=metrics or (metric(),))


def exposures(ids=CUSTOMERS, arms="ab", at=START):
    return pa.table(
        {"customer_id": ids, "arm": [arms[i % len(arms)] for i in range(len(ids))], "assigned_at": [at] * len(ids)}
    )


def sales(currency=lambda i: "EUR", **more):
    return [sale(each, currency=currency(i), **more) for i, each in enumerate(CUSTOMERS)]


def only(found):
    assert len(found.effects) == 1
    return found.effects[0]


# --- money --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mean", "rate"])
def test_an_arm_in_euros_and_one_in_yen_never_give_a_lift(kind):
    source = Source(sales(lambda i: "JPY" if i % 2 else "EUR"))
    found = analyse(plan(metric(kind=kind)), exposures(), source)
    effect = only(found)
    assert isinstance(effect.absolute, NotComputable)
    assert isinstance(effect.relative, NotComputable)
    assert (effect.control_value, effect.arm_value, found.verdict) == (None, None, "cannot tell")
    assert "EUR: 30 events, JPY: 30 events" in found.warnings[0]
    assert "currency: EUR" in report.markdown(found)


def test_one_customer_with_two_currencies_is_enough_and_so_is_a_denominator():
    mixed = [*sales(), sale(CUSTOMERS[0], START, currency="USD")]
    ratio = metric(kind="ratio", what="count", denominator=Measure(events=("purchased",), what="value"))
    for spec in (plan(), plan(ratio)):
        assert isinstance(only(analyse(spec, exposures(), Source(mixed))).absolute, NotComputable)


def test_a_currency_in_the_plan_sums_that_one_alone_and_says_what_it_leaves_out():
    source = Source([*sales(), sale(CUSTOMERS[0], START, currency="USD", value=1e6)])
    effect = only(analyse(plan(metric(numerator={"currency": "EUR"})), exposures(), source))
    assert isinstance(effect.absolute, Interval)
    assert "left out: USD: 1 events" in effect.notes[0]


def test_amounts_without_a_currency_beside_named_ones_are_refused_unless_the_plan_says_so():
    source = Source(sales(lambda i: None if i < 4 else "EUR"))
    assert "no currency named: 4 events" in only(analyse(plan(), exposures(), source)).absolute.reason
    where = {"where": "currency = 'EUR' or currency is null"}
    effect = only(analyse(plan(metric(numerator=where)), exposures(), source))
    assert isinstance(effect.absolute, Interval)
    assert "no currency named: 4 events" in effect.notes[0]
    nameless = Source(sales(lambda i: None))
    assert isinstance(only(analyse(plan(), exposures(), nameless)).absolute, Interval)


def test_counting_sales_needs_no_currency():
    source = Source(sales(lambda i: "JPY" if i % 2 else "EUR")[7:])
    assert isinstance(only(analyse(plan(metric(what="count")), exposures(), source)).absolute, Interval)


def test_other_money_before_the_assignment_leaves_the_pre_period_out():
    before = [
        sale(each, START - timedelta(days=3), currency="JPY", value=float(i % 11))
        for i, each in enumerate(CUSTOMERS)
    ]
    effect = only(analyse(plan(), exposures(), Source([*sales(), *before])))
    assert not effect.adjusted
    assert "other money" in effect.notes[0]
    assert only(
        analyse(plan(), exposures(), Source([*sales(), *(row | {"currency": "EUR"} for row in before)]))
    ).adjusted


# --- who is unknown -----------------------------------------------------------------------------------------------


def stripped(ids):
    return [str(int(each)) for each in ids]


def test_when_nobody_is_in_the_lake_there_is_no_verdict_but_a_hint_at_the_lost_zeros():
    found = analyse(plan(), exposures(stripped(CUSTOMERS)), Source(sales()))
    assert (found.verdict, found.effects) == ("cannot tell", ())
    assert [arm.unknown for arm in found.arms] == [30, 30]
    assert "'0' is here, the lake has '00000'" in found.warnings[0]
    assert "none of the 60 customers are in the lake" in found.reasons[0]


def test_a_few_unknown_customers_are_counted_by_arm_and_count_as_customers_who_did_nothing():
    ids = [*CUSTOMERS[:56], "u1", "u2", "u3", "u4"]
    found = analyse(plan(), exposures(ids), Source(sales()))
    assert only(found).n_control + only(found).n_arm == 60
    assert "4 of 60 customers (a: 2, b: 2), such as 'u1', 'u2', 'u3'" in found.warnings[0]
    assert orjson.loads(orjson.dumps(found.as_dict()))["arms"][0]["unknown"] == 2
    assert "| a | 30 | 30 | 2 |" in report.markdown(found)


def test_a_customer_to_whom_nothing_happened_is_known():
    found = analyse(plan(), exposures(), Source(sales()[:10], people=CUSTOMERS))
    assert found.warnings == ()
    assert len(found.effects) == 1


@pytest.mark.parametrize("odd", ["ABC-7 ", "abc-7", "00abc-7", "ABC-7.0"])
def test_ids_that_differ_in_dress_alone_are_shown_with_the_lakes_own(odd):
    found = analyse(plan(), exposures([*CUSTOMERS, odd]), Source([*sales(), event("ABC-7", "viewed", START)]))
    assert f"{odd!r} is here, the lake has 'ABC-7'" in found.warnings[0]


def test_arms_that_the_plan_lacks_and_customers_in_two_arms_are_named():
    rows = pa.concat_tables([exposures(), exposures(CUSTOMERS[:2], "bc"), exposures(["00009"], ["A "])])
    rows = pa.concat_tables([rows, exposures(["q"], ["bb"])])
    found = analyse(plan(), rows, Source(sales()))
    assert any(
        "3 customers were in several arms and are left out, such as '00000', '00001', '00009'" in w
        for w in found.warnings
    )
    assert any("arm 'bb' of 1 customers is not in the plan: did you mean 'b'?" in w for w in found.warnings)


def test_rows_that_repeat_a_customers_arm_change_nothing_but_their_count():
    later = exposures(at=START + timedelta(days=1))
    twice = pa.concat_tables([later, exposures(), exposures()])
    once, again = (analyse(plan(), rows, Source(sales()), until=END) for rows in (exposures(), twice))
    assert (once.repeated_rows, again.repeated_rows) == (0, 120)
    assert once.effects == again.effects


# --- what never was -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("measure", "message"),
    [
        (
            {"events": ("clicked",), "what": "count"},
            r"the lake has no clicked event: it has purchased \(60\), viewed",
        ),
        ({"where": "channel = 'emial'"}, "no purchased event of the lake is with channel = 'emial'"),
        ({"currency": "GBP"}, "no purchased event of the lake is in GBP"),
        ({"events": ("viewed",)}, "no viewed event of the lake has a value"),
    ],
)
def test_an_event_that_never_happened_is_said_and_not_compared_as_nothing(measure, message):
    found = analyse(plan(metric(numerator=measure)), exposures(), Source(sales()))
    assert found.verdict == "cannot tell"
    assert found.reasons[0] == "no metric can be computed"
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(only(found).absolute.reason)


def test_what_only_machines_did_never_happened():
    opened = [event(each, "opened", START, automated=True) for each in CUSTOMERS]
    opens = metric(kind="rate", what="count", numerator={"events": ("opened",)})
    assert (
        "no opened event" in only(analyse(plan(opens), exposures(), Source([*sales(), *opened]))).absolute.reason
    )


# --- until when ---------------------------------------------------------------------------------------------------


def early(rows):
    source = Source(rows)
    source._rows.pop()
    return source


def test_a_lake_that_ends_before_the_windows_names_the_gap():
    found = analyse(plan(), exposures(), early(sales()))
    assert (found.verdict, found.excluded) == ("nothing to read", {"window_not_over": 60})
    assert "last event is of 2026-03-03 00:00 UTC" in found.warnings[0]
    assert "ends on 2026-03-15 00:00 UTC: 60 customers" in found.warnings[0]
    assert found.as_dict()["last_event_at"] == "2026-03-03T00:00:00Z"
    assert found.as_dict()["windows_end_at"] == "2026-03-15T00:00:00Z"


def test_who_knows_that_the_events_are_complete_says_until_when():
    found = analyse(plan(), exposures(), early(sales()), until=END)
    assert len(found.effects) == 1
    assert "that nothing happened in between is taken from until" in found.warnings[0]


def test_what_lies_after_now_is_not_looked_at():
    found = analyse(plan(), exposures(), Source(sales()), now=END - timedelta(hours=1))
    assert found.excluded == {"window_not_over": 60}
    assert "looked at until 2026-03-14 23:00 UTC" in found.warnings[0]


# --- the sample ratio in three words ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("control", "word"), [(500, "as planned"), (541, "suspicious"), (540, "as planned"), (556, "broken")]
)
def test_the_sample_ratio_has_three_words(control, word):
    arms = ["a"] * control + ["b"] * (1000 - control)
    _, ratio = judge_sample_ratio(plan(), pa.table({"arm": arms}))
    assert ratio.verdict == word
    assert (word == "broken") == ratio.broken


def test_a_suspicious_sample_shows_its_effects_with_the_warning():
    ids = [f"{number:05d}" for number in range(1000)]
    arms = ["a"] * 542 + ["b"] * 458
    people = pa.table({"customer_id": ids, "arm": arms, "assigned_at": [START] * 1000})
    found = analyse(plan(), people, Source([sale(each) for each in ids]))
    assert len(found.effects) == 1
    assert "the sample ratio is suspicious (p = 0.0079)" in found.warnings[0]
    assert "Sample ratio: suspicious (p = 0.0079)" in report.markdown(found)


# --- JSON ---------------------------------------------------------------------------------------------------------


def numbers(value):
    if isinstance(value, dict):
        return [n for each in value.values() for n in numbers(each)]
    if isinstance(value, list | tuple):
        return [n for each in value for n in numbers(each)]
    return [value] if isinstance(value, float) else []


@pytest.mark.parametrize("cuped", [True, False])
@pytest.mark.parametrize("kind", ["mean", "rate", "ratio", "undefined", "near zero"])
def test_a_report_is_json_for_every_kind_of_metric(kind, cuped):
    chance = np.random.default_rng(5)
    rows = [
        sale(each, START + timedelta(days=days), value=float(chance.gamma(2.0)) - 2.0 * (kind == "near zero"))
        for each in CUSTOMERS
        for days in (-3, 1, 2)
        if chance.random() < 0.7
    ]
    per = {"denominator": Measure(events=("purchased",))} if kind == "ratio" else {}
    what = {"numerator": {"events": ("clicked",)}} if kind == "undefined" else {}
    shape = kind if kind in ("mean", "rate", "ratio") else "mean"
    found = analyse(plan(metric(kind=shape, cuped=cuped, **per, **what)), exposures(), Source(rows))
    only(found)
    assert {type(number) for number in numbers(found.as_dict())} == {float}
    read = orjson.loads(orjson.dumps(found.as_dict()))
    effect = read["effects"][0]
    assert (effect["p_value"] is None) == (kind == "undefined") == ("reason" in effect["absolute"])
    assert np.isfinite(numbers(read)).all()
