"""The analysis of an experiment: plan, metric table, sample ratio, effects, verdict and report."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from experiments import effects, report
from experiments.analyse import analyse
from experiments.metrics import column, exposed, metric_table
from experiments.spec import AnalysisSpec, Measure, Metric, SpecError, load
from experiments.survey import Survey
from features.contracts import EVENT_SCHEMA
from measures import bootstrap
from measures.outcome import Interval, NotComputable

START = datetime(2026, 3, 27, 10, 0, tzinfo=UTC)  # two days before Europe's clocks change

SPEND = Metric(name="spend", kind="mean", numerator=Measure(events=("purchased",), what="value"), days=14)
BUYERS = Metric(name="buyers", kind="rate", numerator=Measure(events=("purchased",)), days=7)
CLICKS = Metric(
    name="clicks",
    kind="ratio",
    numerator=Measure(events=("clicked",), where="channel = 'email'"),
    denominator=Measure(events=("sent",)),
)
LEAVERS = Metric(
    name="leavers",
    kind="rate",
    numerator=Measure(events=("unsubscribed",)),
    better="down",
    guardrail=True,
    cuped=False,
)
SPEC = AnalysisSpec(
    experiment_id="subject-line",
    control="plain",
    arms={"plain": 1, "warm": 1},
    metrics=(SPEND, BUYERS, CLICKS, LEAVERS),
)


class Buckets:
    """Events in memory, cut into buckets as the lake cuts them."""

    def __init__(self, rows, buckets=2):
        self.buckets = buckets
        self._rows = rows

    def events(self, connection, bucket):
        rows = [row for row in self._rows if hash(row["customer_id"]) % self.buckets == bucket]
        return ibis.memtable(pa.Table.from_pylist(rows, schema=EVENT_SCHEMA))


def event(customer, kind, at, *, value=None, channel=None, automated=False):
    return {
        "event_id": f"{customer}-{kind}-{at.isoformat()}-{value}",
        "customer_id": customer,
        "type": kind,
        "occurred_at": at,
        "value": value,
        "channel": channel,
        "automated": automated,
        "properties": "{}",
    }


def exposures(rows):
    return pa.table(dict(zip(("customer_id", "arm", "assigned_at"), zip(*rows, strict=True), strict=True)))


# --- the plan -------------------------------------------------------------------------------------------------

YAML = """
experiment_id: subject-line
control: plain
arms: {plain: 0.5, warm: 0.5}
metrics:
  - name: spend
    kind: mean
    numerator: {events: [purchased], what: value, where: "currency = 'USD'"}
  - name: leavers
    kind: rate
    numerator: {events: [unsubscribed]}
    better: down
    guardrail: true
"""


def test_a_plan_is_read_from_yaml(tmp_path):
    (tmp_path / "plan.yaml").write_text(YAML)
    spec = load(tmp_path / "plan.yaml")
    assert spec.treatments == ("warm",)
    assert spec.days == 14


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("control: plain", "control: none", "control 'none' is none of the arms"),
        ("currency = 'USD'", "curency = 'USD'", r"metrics\.0\.numerator\.where.*did you mean 'currency'"),
        ("kind: mean", "kind: ratio", "a ratio needs a denominator"),
        ("events: [purchased]", "events: [bought]", "event type 'bought' is unknown"),
        ("plain: 0.5", "plain: 0", "every share must be above 0"),
        ("name: leavers", "name: spend", "must have different names"),
        ("guardrail: true", "gardrail: true", r"metrics\.1\.gardrail"),
        ("metrics:", "metrics: [", "cannot be read"),
    ],
)
def test_a_wrong_plan_is_refused_by_field(tmp_path, before, after, message):
    (tmp_path / "plan.yaml").write_text(YAML.replace(before, after))
    with pytest.raises(SpecError, match=message):
        load(tmp_path / "plan.yaml")


def test_a_missing_plan_is_named(tmp_path):
    with pytest.raises(SpecError, match=r"nowhere\.yaml"):
        load(tmp_path / "nowhere.yaml")


# --- who is compared --------------------------------------------------------------------------------------------


def test_customers_in_two_arms_or_in_none_of_the_plan_are_left_out_and_counted():
    late = START + timedelta(days=30)
    rows = [("a", "plain", START), ("a", "plain", late), ("b", "plain", START), ("b", "warm", late)]
    rows += [("c", "other", START), ("d", "warm", late), ("e", None, START)]
    who = exposed(SPEC, exposures(rows), until=START + timedelta(days=20))
    assert who.table["customer_id"].to_pylist() == ["a", "d"]
    assert who.table["assigned_at"].to_pylist()[0] == START
    assert who.excluded == {"incomplete_row": 1, "in_several_arms": 1, "arm_not_in_plan": 1, "window_not_over": 1}


def test_exposures_without_a_column_are_refused_by_name():
    with pytest.raises(ValueError, match="exposures lack assigned_at"):
        exposed(SPEC, pa.table({"customer_id": ["a"], "arm": ["plain"]}))


def test_nanoseconds_are_cut_to_microseconds():
    at = pa.array([START.timestamp() * 1e9 + 1], pa.float64()).cast(pa.int64()).cast(pa.timestamp("ns", "UTC"))
    table = pa.table({"customer_id": ["a"], "arm": ["plain"], "assigned_at": at})
    assert exposed(SPEC, table).table["assigned_at"].type == pa.timestamp("us", "UTC")


# --- the metric table -------------------------------------------------------------------------------------------

moments = st.integers(-40 * 24, 20 * 24).map(lambda hours: START + timedelta(hours=hours))
events_of = st.lists(
    st.builds(
        event,
        st.sampled_from("abcd"),
        st.sampled_from(["purchased", "clicked", "sent", "unsubscribed", "viewed"]),
        moments,
        value=st.none() | st.integers(-5, 50).map(float),
        channel=st.sampled_from([None, "email", "sms"]),
        automated=st.booleans(),
    ),
    max_size=25,
)


def by_hand(metric, part, period, rows, customer, assigned):
    measure = getattr(metric, part)
    window = (assigned, assigned + timedelta(days=metric.days))
    if period == "before":
        window = (assigned - timedelta(days=SPEC.covariate_days), assigned)
    total = 0.0
    for row in rows:
        fits = row["customer_id"] == customer and row["type"] in measure.events and not row["automated"]
        if measure.where:
            fits = fits and row["channel"] == "email"
        if fits and window[0] <= row["occurred_at"] < window[1]:
            total += 1.0 if measure.what == "count" else (row["value"] or 0.0)
    return float(total > 0) if metric.kind == "rate" else total


@settings(max_examples=12, deadline=None)
@given(events_of, st.lists(moments, min_size=3, max_size=3))
def test_the_metric_table_is_the_one_counted_by_hand(rows, assigned):
    customers = [("a", "plain", assigned[0]), ("b", "warm", assigned[1]), ("z", "warm", assigned[2])]
    who = exposed(SPEC, exposures(customers)).table
    table = metric_table(SPEC, who, Buckets(rows), ibis.duckdb.connect()).to_pylist()
    for row in table:
        for metric in SPEC.metrics:
            for part in ("numerator", "denominator"):
                for period in ("after", "before"):
                    if getattr(metric, part):
                        expected = by_hand(metric, part, period, rows, row["customer_id"], row["assigned_at"])
                        assert row[column(metric, part, period)] == expected


def test_windows_are_days_of_24_hours_when_the_clocks_change():
    connection = ibis.duckdb.connect()
    connection.raw_sql("SET TimeZone = 'Europe/Berlin'")
    end = START + timedelta(days=14)
    rows = [
        event("a", "purchased", end - timedelta(minutes=1), value=3.0),
        event("a", "purchased", end, value=5.0),
    ]
    table = metric_table(SPEC, exposed(SPEC, exposures([("a", "plain", START)])).table, Buckets(rows), connection)
    assert table[column(SPEND)].to_pylist() == [3.0]


# --- effects ------------------------------------------------------------------------------------------------------


def drawn(rng, n, *, lift=0.0, customer_sd=1.0, rate=5.0):
    habit = rng.gamma(1 / customer_sd**2, customer_sd**2, n)
    before = rng.poisson(rate * habit).astype(float)
    after = rng.poisson(rate * habit * (1 + lift)).astype(float)
    shown = rng.poisson(3 * rate * habit).astype(float) + 1
    return effects.Sample(
        numerator=after, denominator=np.ones(n), numerator_before=before, denominator_before=np.ones(n)
    ), shown


def test_plain_means_are_welchs():
    rng = np.random.default_rng(1)
    (control, _), (treated, _) = drawn(rng, 200), drawn(rng, 300, lift=0.1)
    found = effects.compare(control, treated, ratio=False, cuped=False, level=0.95)
    oracle = stats.ttest_ind(treated.numerator, control.numerator, equal_var=False)
    assert found.p_value == pytest.approx(oracle.pvalue)
    assert found.absolute.low == pytest.approx(oracle.confidence_interval().low)


def test_without_an_effect_five_in_a_hundred_are_found_and_the_truth_is_covered():
    rng = np.random.default_rng(2)
    false, covered = 0, 0
    for _ in range(250):
        (control, _), (treated, _) = drawn(rng, 150), drawn(rng, 150)
        found = effects.compare(control, treated, ratio=False, cuped=True, level=0.95)
        false += found.p_value < 0.05
        covered += found.absolute.low <= 0 <= found.absolute.high
    low, high = stats.binom.ppf([0.001, 0.999], 250, 0.05)
    assert low <= false <= high
    assert covered == 250 - false


def test_a_known_effect_is_recovered_and_cuped_narrows_the_interval():
    rng = np.random.default_rng(3)
    covered, ratios = 0, []
    for _ in range(80):
        (control, _), (treated, _) = drawn(rng, 400), drawn(rng, 400, lift=0.1)
        plain = effects.compare(control, treated, ratio=False, cuped=False, level=0.95)
        sharp = effects.compare(control, treated, ratio=False, cuped=True, level=0.95)
        covered += sharp.absolute.low <= 0.5 <= sharp.absolute.high
        ratios.append((sharp.error / plain.error) ** 2)
    assert covered >= stats.binom.ppf(0.001, 80, 0.95)
    assert np.mean(ratios) == pytest.approx(1 - (25 / 30) ** 2, abs=0.06)  # 1 − ρ² of this world


def test_a_ratio_by_the_delta_method_agrees_with_the_bootstrap_over_customers():
    rng = np.random.default_rng(4)
    (control, shown_control), (treated, shown_treated) = drawn(rng, 800), drawn(rng, 800, lift=0.15)
    pair = [
        effects.Sample(
            numerator=s.numerator, denominator=d, numerator_before=s.numerator_before, denominator_before=d
        )
        for s, d in ((control, shown_control), (treated, shown_treated))
    ]
    found = effects.compare(*pair, ratio=True, cuped=False, level=0.95)
    errors = []
    for arm in pair:
        spread = bootstrap.interval(
            lambda a, b: a.sum() / b.sum(), (arm.numerator, arm.denominator), seed=1, reps=1500
        )
        errors.append((spread.high - spread.low) / 2)
    width = (found.absolute.high - found.absolute.low) / 2
    assert width == pytest.approx(np.hypot(*errors), rel=0.08)


def sample(numerator, denominator=None):
    ones = np.ones(len(numerator))
    values = np.asarray(numerator, dtype=float)
    base = ones if denominator is None else np.asarray(denominator, dtype=float)
    return effects.Sample(numerator=values, denominator=base, numerator_before=values, denominator_before=base)


@pytest.mark.parametrize(
    ("control", "treated", "ratio", "reason"),
    [
        (sample([1.0]), sample([1.0, 2.0]), False, "control has 1 customers"),
        (sample([]), sample([1.0, 2.0]), False, "control has 0 customers"),
        (sample([0, 0]), sample([0, 0]), False, "nothing varies"),
        (sample([1, 0], [0, 0]), sample([1, 0], [1, 1]), True, "denominator"),
    ],
)
def test_what_cannot_be_compared_says_why(control, treated, ratio, reason):
    found = effects.compare(control, treated, ratio=ratio, cuped=False, level=0.95)
    assert isinstance(found.absolute, NotComputable)
    assert reason in found.absolute.reason
    assert found.p_value is None


@pytest.mark.parametrize("cuped", [False, True])
@pytest.mark.parametrize("ratio", [False, True])
def test_a_control_near_zero_keeps_its_difference_and_loses_its_lift(cuped, ratio):
    rng = np.random.default_rng(11)
    base, before = rng.integers(1, 4, 600).astype(float), rng.normal(size=600)
    noise = (before + rng.normal(size=600)) * base
    noise[:300] -= base[:300] * noise[:300].sum() / base[:300].sum()  # control is 0 to the last digit

    def arm(rows, shift):
        denominator = base[rows] if ratio else np.ones(300)
        return effects.Sample(
            numerator=noise[rows] + shift * denominator,
            denominator=denominator,
            numerator_before=before[rows] * base[rows],
            denominator_before=denominator,
        )

    near, far = (
        effects.compare(arm(slice(300), c), arm(slice(300, 600), c), ratio=ratio, cuped=cuped, level=0.95)
        for c in (0.0, 5.0)
    )
    assert (near.absolute.low, near.absolute.high) == (
        pytest.approx(far.absolute.low),
        pytest.approx(far.absolute.high),
    )
    assert near.p_value == pytest.approx(far.p_value)
    assert isinstance(near.relative, NotComputable) or abs(near.relative.low) > 1


def test_there_is_no_relative_lift_over_nothing():
    found = effects.compare(sample([0, 0, 0]), sample([0, 1, 2]), ratio=False, cuped=False, level=0.95)
    assert isinstance(found.absolute, Interval)
    assert isinstance(found.relative, NotComputable)


# --- the whole ------------------------------------------------------------------------------------------------------


def world(n=400, *, lift=0.0, leave=0.0, warm_share=0.5, seed=5):
    rng = np.random.default_rng(seed)
    rows, assigned = [], []
    for i in range(n):
        name, warm = f"c{i}", rng.random() < warm_share
        habit = rng.gamma(2.0, 2.5)
        assigned.append((name, "warm" if warm else "plain", START))
        for days, scale in ((-10, 1.0), (5, 1 + lift * warm)):
            rows.append(event(name, "purchased", START + timedelta(days=days), value=habit * scale + rng.random()))
        rows.append(event(name, "sent", START + timedelta(days=1), channel="email"))
        if rng.random() < 0.3:
            rows.append(event(name, "clicked", START + timedelta(days=2), channel="email"))
        if rng.random() < 0.1 + leave * warm:
            rows.append(event(name, "unsubscribed", START + timedelta(days=3)))
    rows.append(event("somebody", "viewed", START + timedelta(days=14)))  # so that the lake holds every window
    return exposures(assigned), Buckets(rows)


def test_a_real_effect_is_called_better_and_the_page_shows_its_interval():
    found = analyse(SPEC, *world(lift=0.3))
    spend = found.effects[0]
    assert (found.verdict, spend.answer, spend.adjusted) == ("better", "better", True)
    assert spend.absolute.low <= 1.5 <= spend.absolute.high
    assert spend.variance_ratio < 0.1
    page = report.markdown(found)
    assert "better" in page.splitlines()[0]
    assert f"{spend.relative.estimate:+.1%} ({spend.relative.low:+.1%} … {spend.relative.high:+.1%})" in page
    assert json.loads(json.dumps(found.as_dict()))["effects"][0]["answer"] == "better"


def test_without_an_effect_it_cannot_tell_and_says_so():
    found = analyse(SPEC, *world())
    assert found.verdict == "cannot tell"
    assert found.reasons[0] == "no metric differs beyond chance"


def test_a_harmed_guardrail_is_worse_whatever_the_metric_says():
    found = analyse(SPEC, *world(leave=0.3))
    assert found.verdict == "worse"
    assert analyse(SPEC, *world(lift=0.3, leave=0.3)).verdict == "mixed"


def test_a_broken_sample_ratio_withholds_every_effect():
    found = analyse(SPEC, *world(lift=0.3, warm_share=0.33))
    assert found.verdict == "broken, do not read"
    assert found.effects == ()
    assert "sample ratio: p = " in found.reasons[0]
    assert "Effects" not in report.markdown(found)


def test_a_sample_as_planned_is_rarely_called_broken():
    rng = np.random.default_rng(6)
    from experiments.analyse import judge_sample_ratio

    called = 0
    for _ in range(300):
        arms = rng.choice(["plain", "warm"], 500)
        table = pa.table({"customer_id": [str(i) for i in range(500)], "arm": arms})
        called += judge_sample_ratio(SPEC, table)[1].broken
    assert called <= stats.binom.ppf(0.999, 300, 0.0005)


def test_unequal_shares_are_as_planned_where_they_were_planned():
    spec = SPEC.model_copy(update={"arms": {"plain": 0.7, "warm": 0.3}})
    assert not analyse(spec, *world(warm_share=0.3)).sample_ratio.broken
    assert analyse(SPEC, *world(warm_share=0.3)).sample_ratio.broken


def test_nobody_is_no_result():
    found = analyse(SPEC, pa.table({"customer_id": ["a"], "arm": ["other"], "assigned_at": [START]}), Buckets([]))
    assert (found.verdict, found.sample_ratio.p_value) == ("nothing to read", None)
    assert found.excluded == {"arm_not_in_plan": 1}
    assert "no customers" in report.markdown(found)


def test_nothing_is_read_before_its_window_is_over():
    people, events = world()
    found = analyse(SPEC, people, events, until=START + timedelta(days=13))
    assert (found.verdict, found.excluded) == ("nothing to read", {"window_not_over": 400})
    assert analyse(SPEC, people, events, until=START + timedelta(days=14)).effects


def test_many_metrics_without_effect_are_rarely_called_discoveries():
    rng = np.random.default_rng(7)
    metrics = tuple(SPEND.model_copy(update={"name": f"m{i}"}) for i in range(6))
    spec = SPEC.model_copy(update={"metrics": metrics})
    from experiments.analyse import _discoveries, _effect

    seen = Survey(
        types=Counter(purchased=1),
        matching=Counter({(m.name, "numerator"): 1 for m in metrics}),
        valued=Counter({(m.name, "numerator"): 1 for m in metrics}),
        unknown=pa.table({"customer_id": [], "arm": []}),
    )
    wrong = 0
    for _ in range(30):
        arms = {"arm": rng.permutation(["plain", "warm"] * 60)}
        noise = {column(m, period=p): rng.normal(size=120) for m in metrics for p in ("after", "before")}
        table = pa.table(arms | noise)
        found = _discoveries(spec, [_effect(spec, table, m, "warm", seen) for m in metrics])
        wrong += any(effect.answer != "cannot tell" for effect in found)
        assert all(effect.p_adjusted >= effect.p_value for effect in found)
    assert wrong <= stats.binom.ppf(0.999, 30, 0.05)


def test_few_outcomes_are_named_beside_the_interval():
    people, events = world(n=60)
    spec = SPEC.model_copy(update={"metrics": (LEAVERS,)})
    found = analyse(spec, people, events)
    assert "approximate" in found.effects[0].notes[0]
    assert "approximate" in report.markdown(found)
