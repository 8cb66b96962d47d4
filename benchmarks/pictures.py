"""Pictures of the scoreboard in known worlds: small SVG files, the same bytes for the same answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from matplotlib.axes import Axes

SHOWN = {"kairos": "tab:blue", "composite": "tab:orange"}
"""Whose share of the gap is drawn by family, in which colour."""
_STYLE: Any = {"svg.hashsalt": "kairos", "svg.fonttype": "none", "font.size": 8}


def draw_world(answer: Mapping[str, Any], folder: Path, name: str) -> None:
    """Draw value against unsubscribes, and the share of the gap captured by family, into ``folder``."""
    from matplotlib import rc_context  # noqa: PLC0415  # slow to import
    from matplotlib.figure import Figure  # noqa: PLC0415

    for part, draw in (("frontier", frontier), ("gap", gap)):
        with rc_context(_STYLE):
            figure = Figure(figsize=(7, 4), layout="constrained")
            draw(figure.add_subplot(), answer)
            figure.savefig(folder / f"{name}-{part}.svg", metadata={"Date": None, "Creator": None})


def frontier(axes: Axes, answer: Mapping[str, Any]) -> None:
    """Draw whole policies and Kairos: filled at free volume, hollow at as many sends as Kairos."""
    for name, row in answer["policies"].items():
        lost = row["unsubscribes_per_1000"]
        if lost is None or row["table"] == "axis":
            continue
        colour = "tab:blue" if row["table"] == "kairos" else "tab:grey"
        filled = colour if row["volume"] == "free" else "none"
        axes.plot(lost, row["value"], "o", color=colour, markerfacecolor=filled, markersize=5)
        axes.annotate(name, (lost, row["value"]), xytext=(3, 3), textcoords="offset points", fontsize=6)
    axes.axhline(answer["oracles"]["floor"]["value"], color="tab:red", linewidth=0.8, linestyle=":")
    axes.set_xlabel("unsubscribes per 1,000 messages")
    axes.set_ylabel("value, € per customer (dotted: the floor)")


def gap(axes: Axes, answer: Mapping[str, Any]) -> None:
    """Draw the share of the gap between floor and planning oracle with its interval, where there is one."""
    families = answer["families"]
    for place, (name, colour) in enumerate(SHOWN.items()):
        rows = [answer["by_family"][family]["policies"].get(name) for family in families]
        points = [(y, row) for y, row in enumerate(rows) if row and row["gap_captured"] is not None]
        for y, row in points:
            axes.plot(row["interval"], [y + place / 5] * 2, color=colour, linewidth=1)
            axes.plot(row["gap_captured"], y + place / 5, "o", color=colour, markersize=4)
        axes.plot([], [], "o-", color=colour, label=name, markersize=4)
    for at in (0, 1):
        axes.axvline(at, color="black", linewidth=0.6)
    axes.set_yticks(range(len(families)), families)
    axes.set_xlabel("share of the gap between floor (0) and planning oracle (1), 95%")
    axes.legend(frameon=False)
