"""What the monitor saw, as tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from measures.drift import LARGE
from pipelines.console import table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import RenderableType

    from pipelines.monitor.records import MonitorReport

FEATURES_SHOWN = 8


def tables(report: MonitorReport) -> Iterator[RenderableType]:
    """Return the report's parts, what needs a look last."""
    title = f"Delivery, last {report.days} days against the {report.days} before"
    rates = [(r.channel, r.what, r.sent, r.rate, r.low, r.high, r.before) for r in report.rates]
    yield table(title, ("channel", "what", "messages", "rate", "from", "to", "before"), rates)
    loads = [(load.channel, load.customers, load.median, load.most) for load in report.loads]
    yield table("Pressure", ("channel", "customers messaged", "median each", "most"), loads)
    drifts = [(each.feature, each.index) for each in report.drift[:FEATURES_SHOWN]]
    yield table(f"Drift (stability index; above {LARGE} has moved)", ("feature", "index"), drifts)
    if (left := len(report.drift) - len(drifts)) > 0:
        yield f"… and {left} more, which moved less (--json has them all)"
    predictions = [(c.channel, c.messages, c.predicted, c.observed, c.low, c.high) for c in report.calibration]
    columns = ("channel", "messages", "predicted", "observed", "from", "to")
    yield table("Calibration of engagement", columns, predictions)
    yield table("Decisions", ("state", "decisions"), list(report.decisions.items()))
    budgets = [(channel, b.limit, b.spent, b.leased, b.left) for channel, b in report.budgets.items()]
    if budgets:
        yield table("Today's budgets", ("channel", "limit", "spent", "leased", "left"), budgets)
    for note in report.notes:
        yield Text(note, style="dim")
    for alarm in report.alarms:
        yield Text(f"look at: {alarm}", style="yellow")
    if not report.alarms:
        yield "[green]nothing needs a look[/green]"
