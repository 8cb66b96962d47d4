"""The scoreboard for people: oracles on top, one axis swapped, whole policies, the frontier; losses included."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.machine import line
from benchmarks.world.losing import why
from benchmarks.world.saying import words
from pipelines.console import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

Rows = list[tuple[object, ...]]
IDLE_COLUMNS = ("family", "axis", "silent", "twin − alike", "95%", "Kairos − twin", "95%")
"""Of :func:`idle`. *silent*: in how many worlds it said that nothing is to be gained."""


def tables(answer: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Return everything that people read, in order; euros are per customer."""
    yield table("Oracles (€ per customer)", ("oracle", "value", "95%", "days played", "later"), oracles(answer))
    columns = ("policy", "value", "of the gap", "95%", "sent", "unsub/1000", "Kairos − it", "Holm 95%")
    for title, rows in by_table(answer):
        yield table(title, columns, rows)
    yield table("Frontier: fewest unsubscribes first", ("policy", "unsub/1000", "value"), frontier(answer))
    yield table("Slope of the true effect on Kairos's V", ("channel", "slope", "95%"), slopes(answer))
    yield table("Where Kairos loses, and why", ("",), [(sentence,) for sentence in why(answer)])
    yield table("By family", ("family", "verdict"), list(answer["verdict"].items()))
    yield table("Where choosing by person gains nothing", IDLE_COLUMNS, idle(answer))
    yield table("What Kairos's gates said", ("family", "model", "promoted", "why"), words(answer["by_family"]))
    yield table("The run", ("what", "value"), run(answer))


def oracles(answer: Mapping[str, Any]) -> Rows:
    """Return the oracles from below to above."""
    return [
        (name, row["value"], span(row["interval"]), row["first"], row["later"])
        for name, row in answer["oracles"].items()
    ]


def by_table(answer: Mapping[str, Any]) -> Iterator[tuple[str, Rows]]:
    """Return swaps below the twin, and whole policies at equal sends and at free volume below Kairos."""
    yield "One axis swapped, the others stay Kairos's", _policies(answer, "axis", "free")
    yield "Whole policies, as many sends as Kairos", _policies(answer, "whole", "equal")
    yield "Whole policies, free volume", _policies(answer, "whole", "free")


def frontier(answer: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """Return all policies that sent anything, by unsubscribes per 1,000 messages."""
    rows = [
        (name, row["unsubscribes_per_1000"], row["value"])
        for name, row in answer["policies"].items()
        if row["unsubscribes_per_1000"] is not None
    ]
    return sorted(rows, key=lambda row: row[1])


def slopes(answer: Mapping[str, Any]) -> Rows:
    """Return the slope of each channel."""
    return [(channel, row["value"], span(row["interval"])) for channel, row in answer["slope"].items()]


def idle(answer: Mapping[str, Any]) -> Rows:
    """Return what Kairos said, gained and spent on exploring where an axis has nothing to give."""
    return [
        (
            row["family"],
            row["axis"],
            f"{row['silent']} of {row['of']}",
            row["gained"]["value"],
            span(row["gained"]["interval"]),
            row["explored"]["value"],
            span(row["explored"]["interval"]),
        )
        for row in answer["idle"]
    ]


def run(answer: Mapping[str, Any]) -> Rows:
    """Return what the figures were made of."""
    failed = "; ".join(f"{unit}: {why}" for unit, why in answer["failed"].items())
    return [
        ("worlds", f"{answer['seeds']} over {len(answer['families'])} families"),
        ("caps violated", str(answer["cap_violations"])),
        ("not in every world, so not compared", ", ".join(answer["incomplete"]) or "none"),
        ("failed", failed or "none"),
        ("machine", line(answer["machine"])),
        ("seconds", f"{answer['seconds']:.0f}"),
    ]


def span(interval: Sequence[float] | None, digits: int = 3) -> str:
    """Return an interval in words."""
    return "–" if interval is None else f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


def _policies(answer: Mapping[str, Any], which: str, volume: str) -> Rows:
    head = "kairos_twin" if which == "axis" else "kairos"
    policies = answer["policies"]
    names = [name for name, row in policies.items() if (row["table"], row["volume"]) == (which, volume)]
    ranked = sorted(names, key=lambda name: -policies[name]["value"])
    return [_policy(answer, name) for name in [*([head] if head in policies else []), *ranked]]


def _policy(answer: Mapping[str, Any], name: str) -> tuple[object, ...]:
    row, less = answer["policies"][name], answer["differences"].get(name)
    return (
        name,
        row["value"],
        row["gap_captured"],
        span(row["interval"], 2),
        row["sent"],
        row["unsubscribes_per_1000"],
        less["value"] if less else None,
        span(less["interval"]) if less else "–",
    )
