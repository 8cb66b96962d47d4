"""The model card: what a model answers, how well, on what, and what it must not be used for; and its plots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from measures.calibration import reliability
from measures.outcome import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from training.gates import Verdict
    from training.models import Backtest, Draw, Fitted

_STEPS = 101


def card(fitted: Fitted, verdict: Verdict, *, version: str) -> str:
    """Return the model card in Markdown."""
    backtest, facts = fitted.backtest, fitted.facts
    return "\n".join(
        [
            f"# {fitted.scorer.kind} · {version}",
            "",
            f"**Question.** {facts.question}",
            "",
            f"**Method.** {facts.method}",
            "",
            f"**Data.** {facts.data} Fingerprint of the training set: `{fitted.fingerprint}`.",
            "",
            f"**Verdict.** {'Passed' if verdict.passed else 'Did not pass'} the gate: {verdict.reason}.",
            "",
            f"## On later data: {backtest.metric}, {backtest.direction} is better",
            "",
            *_table(backtest, verdict),
            "",
            "## Limits",
            "",
            *(f"- {limit}" for limit in facts.limits),
            "",
            "## Settings",
            "",
            *(f"- `{name}`: {value}" for name, value in sorted(fitted.parameters.items())),
            "",
        ]
    )


def _table(backtest: Backtest, verdict: Verdict) -> Iterator[str]:
    yield "| contender | value |"
    yield "|---|---|"
    rows = {backtest.model: verdict.value, backtest.baseline: verdict.baseline_value, **verdict.others}
    yield from (f"| {name} | {value:.4f} |" for name, value in rows.items())
    if verdict.interval:
        low, high = verdict.interval
        yield ""
        yield (
            f"Gain over {backtest.baseline}: 95% interval {low:+.4f} … {high:+.4f}, {len(backtest.truth)} units "
            f"of {len(np.unique(backtest.clusters))} {backtest.drawn_by}, which are resampled whole."
        )


def draw_plots(fitted: Fitted, directory: Path) -> None:
    """Draw the model's plots into ``directory`` as PNG: reliability and gains where they apply, and its own."""
    directory.mkdir(parents=True, exist_ok=True)
    plots = {**_standard(fitted.backtest), **fitted.plots}
    for name, draw in plots.items():
        _save(draw, directory / f"{name}.png")


def _standard(backtest: Backtest) -> dict[str, Draw]:
    if not backtest.binary:
        return {}
    return {
        "reliability": lambda axes: draw_reliability(axes, backtest),
        "gains": lambda axes: draw_gains(axes, backtest),
    }


def _save(draw: Draw, path: Path) -> None:
    # The object interface needs no backend choice and leaves no global state behind.
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415  # slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415  # seconds to import

    figure = Figure(figsize=(5, 4), layout="constrained")
    draw(figure.subplots())
    FigureCanvasAgg(figure)  # attaches itself
    figure.savefig(path)


def draw_reliability(axes: Any, backtest: Backtest) -> None:
    """Draw what was said against what happened, with Wilson intervals."""
    table = reliability(backtest.truth, backtest.scores[backtest.model])
    points = np.array(
        [
            (row.predicted, seen.estimate, seen.estimate - seen.low, seen.high - seen.estimate)
            for row in table
            if isinstance(seen := row.observed, Interval)
        ]
    )
    said, happened, below, above = points.T
    axes.errorbar(said, happened, yerr=np.maximum([below, above], 0.0), fmt="o", capsize=2)
    top = float(points[:, :2].max())
    axes.plot([0, top], [0, top], linestyle=":", color="grey")
    axes.set(xlabel="said", ylabel="happened", title="Reliability on later data")


def draw_gains(axes: Any, backtest: Backtest) -> None:
    """Draw the share of positives found within the first share of units, for model and baseline."""
    share = np.linspace(0.0, 1.0, _STEPS)
    for name in (backtest.model, backtest.baseline):
        axes.plot(share, _found(backtest, name, share), label=name)
    axes.plot(share, share, linestyle=":", color="grey")
    axes.set(xlabel="share of units, best first", ylabel="share of positives", title="Gains on later data")
    axes.legend()


def _found(backtest: Backtest, name: str, share: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    order = np.argsort(-backtest.scores[name], kind="stable")
    found = np.concatenate([[0.0], np.cumsum(backtest.truth[order])]) / max(backtest.truth.sum(), 1.0)
    return np.asarray(found[np.round(share * len(order)).astype(np.intp)])
