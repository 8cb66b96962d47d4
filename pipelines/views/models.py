"""What training came to, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.text import Text

from pipelines.console import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.jobs.shadowing import ShadowReport
    from training.outcome import Outcome


def outcomes_table(outcomes: Sequence[Outcome]) -> Group:
    """Return a row per model, its metric on later data beside its baseline's; below, why it was promoted."""
    columns = ("model", "metric", "value", "baseline", "its value", "better by (95%)", "promoted", "decides")
    whys = [Text(f"{each.model}: {each.reason}", style="dim") for each in outcomes]
    return Group(table("Models, judged on later data", columns, [_row(each) for each in outcomes]), *whys)


def _row(outcome: Outcome) -> tuple[object, ...]:
    interval = outcome.interval and f"{outcome.interval[0]:+.4f} … {outcome.interval[1]:+.4f}"
    return (
        outcome.model,
        outcome.metric and f"{outcome.metric} ({outcome.direction} is better)",
        outcome.value,
        outcome.baseline_name,
        outcome.baseline_value,
        interval,
        outcome.promoted,
        outcome.decides or "what is declared",
    )


def shadow_table(report: ShadowReport) -> Group:
    """Return what champion and challenger would have earned a decision, and how often they part."""
    rows = [
        (
            name,
            value.estimate,
            value.interval and f"{value.interval[0]:.4f} … {value.interval[1]:.4f}",
            value.effective_sample,
            value.cannot_tell or "",
        )
        for name, value in report.values.items()
    ]
    title = f"{report.model} version {report.version} in the shadow of {report.champion}"
    columns = ("who decides", f"{report.reward}, a decision", "95%", "effective sample", "cannot be told")
    said = (
        f"{report.decisions} decisions decided again, {report.left_out} left out; "
        f"{report.differ} would have been others. The hour of a message is not compared."
    )
    return Group(table(title, columns, rows), Text(said, style="dim"))
