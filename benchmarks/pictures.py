"""Pictures of the scoreboard in known worlds: small SVG files, the same bytes for the same answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.axes import Axes

SHOWN = {"kairos": "tab:blue", "composite": "tab:orange"}
"""Whose share of the gap is drawn by family, in which colour."""
NAME = (0.13, 0.03)
"""How wide and high a name is, as shares of what the points span."""
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
    drawn = {name: row for name, row in answer["policies"].items() if _drawn(row)}
    places = {name: (row["unsubscribes_per_1000"], row["value"]) for name, row in drawn.items()}
    for name, row in drawn.items():
        place = places[name]
        colour = "tab:blue" if row["table"] == "kairos" else "tab:grey"
        filled = colour if row["volume"] == "free" else "none"
        axes.plot(*place, "o", color=colour, markerfacecolor=filled, markersize=5)
        side, shift = ("right", -4) if _crowded(place, list(places.values())) else ("left", 4)
        short = name.removesuffix("@equal")  # hollow says as much
        axes.annotate(short, place, xytext=(shift, 3), textcoords="offset points", fontsize=6, ha=side)
    axes.axhline(answer["oracles"]["floor"]["value"], color="tab:red", linewidth=0.8, linestyle=":", label="floor")
    for words, filled in (("at free volume", "tab:grey"), ("at as many sends as Kairos", "none")):
        axes.plot([], [], "o", color="tab:grey", markerfacecolor=filled, markersize=5, label=words)
    axes.legend(frameon=False, loc="lower left")
    axes.margins(x=0.12)
    axes.set_xlabel("unsubscribes per 1,000 messages")
    axes.set_ylabel("value, € per customer")


def _drawn(row: Mapping[str, Any]) -> bool:
    return row["table"] != "axis" and row["unsubscribes_per_1000"] is not None


def _crowded(place: tuple[float, float], places: Sequence[tuple[float, float]]) -> bool:
    """Return whether a name to the right of this point would run into another, so that it goes to the left."""
    wide, high = np.ptp(places, axis=0) * NAME
    return any(0 < x - place[0] < wide and abs(y - place[1]) < high for x, y in places)


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
