"""The analysis as Markdown: the verdict first, an interval beside every lift."""

from __future__ import annotations

from typing import TYPE_CHECKING

from measures.outcome import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiments.records import AnalysisReport, Effect
    from measures.outcome import Outcome

_HEAD = "| metric | arm | control | arm's value | lift | difference | p | p, adjusted | answer |"


def markdown(report: AnalysisReport) -> str:
    """Return the report as a Markdown page."""
    return "\n".join(_lines(report)) + "\n"


def shown(outcome: Outcome, *, percent: bool = False) -> str:
    """Return an outcome in words: estimate with its interval, or a dash. Its reason is among the notes."""
    if not isinstance(outcome, Interval):
        return "–"
    pattern = "{:+.1%} ({:+.1%} … {:+.1%})" if percent else "{:+.4g} ({:+.4g} … {:+.4g})"
    return pattern.format(outcome.estimate, outcome.low, outcome.high)


def _lines(report: AnalysisReport) -> Iterator[str]:
    yield f"# Experiment {report.experiment_id}: {report.verdict}"
    yield ""
    yield from (f"- {reason}" for reason in report.reasons)
    if report.warnings:
        yield from ("", "## Before you read on", "", *(f"- **{warning}**" for warning in report.warnings))
    yield from _sample(report)
    if report.effects:
        yield from ("", f"## Effects against {report.control}", "", _HEAD, "|" + "---|" * 9)
        yield from map(_row, report.effects)
        yield from _explained(report)


def _sample(report: AnalysisReport) -> Iterator[str]:
    p = report.sample_ratio.p_value
    yield from ("", "## Sample", "", "| arm | customers | planned | unknown to the lake |", "|---|---|---|---|")
    yield from (
        f"| {arm.arm} | {arm.customers:,} | {arm.expected:,.0f} | {arm.unknown:,} |" for arm in report.arms
    )
    yield ""
    yield f"Sample ratio: {report.sample_ratio.verdict}" + ("." if p is None else f" (p = {p:.3g}).")
    if report.repeated_rows:
        yield f"Rows that repeat a customer's arm: {report.repeated_rows:,}; the first counts."
    yield from (f"Left out, {reason.replace('_', ' ')}: {n:,}." for reason, n in report.excluded.items())


def _row(effect: Effect) -> str:
    cells = (
        effect.metric + (" (guardrail)" if effect.guardrail else ""),
        effect.arm,
        _number(effect.control_value),
        _number(effect.arm_value),
        shown(effect.relative, percent=True),
        shown(effect.absolute),
        _number(effect.p_value),
        _number(effect.p_adjusted),
        effect.answer,
    )
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def _explained(report: AnalysisReport) -> Iterator[str]:
    yield ""
    yield f"Intervals hold the truth in {report.level:.0%} of repetitions; of all answers better or worse at most"
    yield f"{report.fdr:.0%} are expected to be false. What is adjusted by the time before assignment is noted."
    notes = [note for effect in report.effects for note in _notes(effect)]
    if notes:
        yield from ("", *(f"- {note}" for note in notes))


def _notes(effect: Effect) -> Iterator[str]:
    where = f"{effect.metric} in {effect.arm}"
    if effect.adjusted and effect.variance_ratio is not None:
        yield f"{where}: the pre-period leaves {effect.variance_ratio:.0%} of the variance"
    if not isinstance(effect.absolute, Interval):
        yield f"{where}: {effect.absolute.reason}"
    elif not isinstance(effect.relative, Interval):
        yield f"{where}: {effect.relative.reason}"
    yield from (f"{where}: {note}" for note in effect.notes)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"
