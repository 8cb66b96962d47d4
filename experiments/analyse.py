"""Did it help? The sample ratio first, then every metric with its interval, and 'cannot tell' as an answer."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc
from scipy.stats import chisquare, false_discovery_control

from experiments import effects
from experiments.metrics import exposed, metric_table, ripe
from experiments.records import (
    AnalysisReport,
    Answer,
    ArmCount,
    Effect,
    GuardrailAnswer,
    SampleRatio,
    SampleVerdict,
    Verdict,
)
from experiments.survey import Survey, comparable_before, money_notes, survey, why_not
from experiments.warnings import warnings_of, windows_end
from features.lake import connect
from measures.outcome import Interval, NotComputable, Outcome

if TYPE_CHECKING:
    from datetime import datetime

    from experiments.metrics import Exposed
    from experiments.spec import AnalysisSpec, Metric
    from features.lake import EventSource

SAMPLE_RATIO_THRESHOLD = 0.0005
"""Below this p the arms did not get the customers they were meant to get, and no effect means anything."""
SUSPICIOUS_BELOW = 0.01
"""Below this p chance is a poor explanation: effects are shown, with the warning."""


def analyse(
    spec: AnalysisSpec,
    exposures: pa.Table,
    events: EventSource,
    *,
    until: datetime | None = None,
    now: datetime | None = None,
    connection: Any = None,
) -> AnalysisReport:
    """Return what the experiment shows.

    Args:
        spec: the plan, written before.
        exposures: ``customer_id``, ``arm``, ``assigned_at``: who was assigned what, one row or more a customer.
        events: the lake, or anything else that gives events by bucket.
        until: how far the events are known to be complete; without it, until the last event that ``events`` have.
            Customers whose windows end later are left out and counted.
        now: what happened later is not looked at.
        connection: an Ibis DuckDB backend to work on; by default a fresh one.

    Returns:
        The report. Where no effect can be read (the sample ratio is broken, the lake does not know the customers,
        no window is over) its effects are withheld.
    """
    connection = connection or connect()
    found = survey(spec, exposed(spec, exposures).table, events, connection)
    reach = min(filter(None, (until or found.last_event_at, now)), default=None)
    who = exposed(spec, exposures, until=reach)
    arms, sample_ratio = judge_sample_ratio(spec, who.table)
    warnings = warnings_of(spec, who, found, sample_ratio, events, connection, reach)
    report = _without_effects(spec, who, found, arms, sample_ratio, warnings)
    if not who.table.num_rows:
        return report
    if sample_ratio.broken:
        reason = f"sample ratio: p = {sample_ratio.p_value:.2g}; find the leak before reading any effect"
        return replace(report, verdict="broken, do not read", reasons=(reason,))
    if 2 * found.unknown.num_rows >= who.table.num_rows:
        return replace(report, verdict="cannot tell", reasons=(_nobody_is_there(who.table, found),))
    customers = ripe(spec, who.table, until=reach)
    if not customers.num_rows:
        return replace(report, reasons=("no outcome window is over",))
    table = metric_table(spec, customers, events, connection)
    each = [_effect(spec, table, metric, arm, found) for arm in spec.treatments for metric in spec.metrics]
    discovered = _discoveries(spec, each)
    verdict, reasons = _verdict(discovered)
    return replace(report, effects=discovered, verdict=verdict, reasons=reasons)


def _without_effects(
    spec: AnalysisSpec,
    who: Exposed,
    found: Survey,
    arms: tuple[ArmCount, ...],
    sample_ratio: SampleRatio,
    warnings: tuple[str, ...],
) -> AnalysisReport:
    """Return the report of whom there is to compare, as it stays where nobody is."""
    return AnalysisReport(
        experiment_id=spec.experiment_id,
        verdict="nothing to read",
        reasons=("nobody was exposed to an arm of the plan",),
        control=spec.control,
        arms=_with_unknown(arms, found.unknown),
        sample_ratio=sample_ratio,
        effects=(),
        excluded=who.excluded,
        level=spec.level,
        fdr=spec.fdr,
        warnings=warnings,
        repeated_rows=who.repeated,
        last_event_at=found.last_event_at,
        windows_end_at=windows_end(spec, who.table),
    )


def judge_sample_ratio(spec: AnalysisSpec, table: pa.Table) -> tuple[tuple[ArmCount, ...], SampleRatio]:
    """Return the arms' sizes and whether chance explains how they differ from the plan."""
    total, shares = table.num_rows, sum(spec.arms.values())
    arms = tuple(
        ArmCount(
            arm=arm,
            customers=int(pc.sum(pc.equal(table["arm"], arm)).as_py() or 0),
            expected=total * share / shares,
        )
        for arm, share in spec.arms.items()
    )
    p = float(chisquare([arm.customers for arm in arms], [arm.expected for arm in arms]).pvalue) if total else None
    return arms, SampleRatio(
        verdict=_in_words(p),
        p_value=p,
        threshold=SAMPLE_RATIO_THRESHOLD,
        suspicious_below=SUSPICIOUS_BELOW,
    )


def _in_words(p: float | None) -> SampleVerdict:
    if p is None:
        return "no customers"
    if p < SAMPLE_RATIO_THRESHOLD:
        return "broken"
    return "suspicious" if p < SUSPICIOUS_BELOW else "as planned"


def _with_unknown(arms: tuple[ArmCount, ...], unknown: pa.Table) -> tuple[ArmCount, ...]:
    count = Counter(unknown["arm"].to_pylist())
    return tuple(replace(arm, unknown=count[arm.arm]) for arm in arms)


def _nobody_is_there(everybody: pa.Table, found: Survey) -> str:
    unknown, total = found.unknown.num_rows, everybody.num_rows
    many = "none" if unknown == total else f"only {total - unknown:,}"
    return f"{many} of the {total:,} customers are in the lake: nothing is known of what the others did"


def _effect(spec: AnalysisSpec, table: pa.Table, metric: Metric, arm: str, found: Survey) -> Effect:
    control, treated = (
        effects.sample(table.filter(pc.equal(table["arm"], name)), metric) for name in (spec.control, arm)
    )
    if reason := why_not(metric, found):
        return _withheld(metric, arm, NotComputable(reason), n=(control.n, treated.n))
    one_money = comparable_before(metric, found)
    adjusted = metric.cuped and one_money and effects.varies_before(control, treated)
    how: dict[str, Any] = {"ratio": metric.kind == "ratio", "level": spec.level}
    plain = effects.compare(control, treated, cuped=False, **how)
    read = effects.compare(control, treated, cuped=True, **how) if adjusted else plain
    return Effect(
        metric=metric.name,
        kind=metric.kind,
        arm=arm,
        guardrail=metric.guardrail,
        control_value=control.value,
        arm_value=treated.value,
        n_control=control.n,
        n_arm=treated.n,
        absolute=read.absolute,
        relative=read.relative,
        unadjusted=plain.absolute,
        adjusted=adjusted,
        variance_ratio=(read.error / plain.error) ** 2 if read.error and plain.error else None,
        p_value=read.p_value,
        p_adjusted=None,
        answer=_guardrail(metric, read.relative) if metric.guardrail else "cannot tell",
        notes=(
            *money_notes(metric, found),
            *_before_notes(metric, one_money),
            *effects.notes(metric, control, treated),
        ),
    )


def _before_notes(metric: Metric, one_money: bool) -> tuple[str, ...]:  # noqa: FBT001 - a fact
    if one_money or not metric.cuped:
        return ()
    return ("before the assignment amounts were in other money as well: nothing is adjusted by that time",)


def _withheld(metric: Metric, arm: str, reason: NotComputable, *, n: tuple[int, int]) -> Effect:
    return Effect(
        metric=metric.name,
        kind=metric.kind,
        arm=arm,
        guardrail=metric.guardrail,
        control_value=None,
        arm_value=None,
        n_control=n[0],
        n_arm=n[1],
        absolute=reason,
        relative=reason,
        unadjusted=reason,
        adjusted=False,
        variance_ratio=None,
        p_value=None,
        p_adjusted=None,
        answer="cannot tell",
    )


def _guardrail(metric: Metric, relative: Outcome) -> GuardrailAnswer:
    """Return *harmed* where the whole interval is on the bad side, *safe* where it excludes the margin."""
    if not isinstance(relative, Interval):
        return "cannot tell"
    good = (relative.low, relative.high) if metric.better == "up" else (-relative.high, -relative.low)
    if good[1] < 0:
        return "harmed"
    return "safe" if good[0] > -metric.margin else "cannot tell"


def _discoveries(spec: AnalysisSpec, found: list[Effect]) -> tuple[Effect, ...]:
    """Answer every metric that is no guardrail, with Benjamini and Hochberg's control over all of them."""
    tested = [i for i, effect in enumerate(found) if not effect.guardrail and effect.p_value is not None]
    if tested:
        for i, p in zip(tested, false_discovery_control([found[i].p_value for i in tested]), strict=True):
            found[i] = replace(found[i], p_adjusted=float(p), answer=_answer(spec, found[i], float(p)))
    return tuple(found)


def _answer(spec: AnalysisSpec, effect: Effect, p: float) -> Answer:
    # Both must agree: the discovery under all metrics, and the interval that the reader sees beside it.
    if p > spec.fdr or not isinstance(effect.absolute, Interval) or not effect.absolute.excludes_zero:
        return "cannot tell"
    better = next(metric.better for metric in spec.metrics if metric.name == effect.metric)
    return "better" if (effect.absolute.estimate > 0) == (better == "up") else "worse"


def _verdict(found: tuple[Effect, ...]) -> tuple[Verdict, tuple[str, ...]]:
    good = [f"{effect.metric} is better in {effect.arm}" for effect in found if effect.answer == "better"]
    bad = [f"{effect.metric} is worse in {effect.arm}" for effect in found if effect.answer == "worse"]
    bad += [
        f"guardrail {effect.metric} is harmed in {effect.arm}" for effect in found if effect.answer == "harmed"
    ]
    if good and bad:
        return "mixed", (*good, *bad)
    if bad:
        return "worse", tuple(bad)
    unsure = [
        f"guardrail {effect.metric} in {effect.arm}: harm within its margin is not excluded"
        for effect in found
        if effect.guardrail and effect.answer == "cannot tell"
    ]
    if good:
        return "better", (*good, *unsure)
    computed = any(isinstance(effect.absolute, Interval) for effect in found)
    word = "no metric differs beyond chance" if computed else "no metric can be computed"
    return "cannot tell", (word, *unsure)
