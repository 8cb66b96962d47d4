"""What training came to, as a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.console import table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from training.outcome import Outcome


def outcomes_table(outcomes: Sequence[Outcome]) -> Table:
    """Return a row per model: its metric on later data beside its baseline's, and why it was promoted or not."""
    columns = ("model", "metric", "value", "baseline", "its value", "better by (95%)", "promoted", "why")
    return table("Models, judged on later data", columns, [_row(each) for each in outcomes])


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
        outcome.reason,
    )
