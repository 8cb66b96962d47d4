"""The scoreboard for people: oracles on top, one axis swapped, whole policies, the frontier; losses included."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from rich.console import Group

from benchmarks.machine import line
from benchmarks.world.barring import barred
from benchmarks.world.comparing import KAIROS, TWIN
from benchmarks.world.idle import admitted, elsewhere, shown
from benchmarks.world.losing import why
from pipelines.console import table

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from rich.console import RenderableType

Rows = list[tuple[object, ...]]
_POLICY = ("policy", "€ per customer", "of the gap", "95%", "sent", "unsub/1000")
_SWAPPED = (*_POLICY, "twin − it", "Holm 95%")
_WHOLE = (*_POLICY, "Kairos − it", "Holm 95%")
_TWIN = (
    "The *twin* decides by Kairos's rule on what Kairos's own models said in the real loop, and neither explores "
    "nor holds back; in a swapped twin a rival's rule decides one axis. Swapped twins send as many messages as "
    "the twin, except on the frequency axis, where they send as many as they choose."
)
_ORACLES = ("oracle", "€ per customer", "95%", "days played", "later")
_IDLE = ("family", "axis", "said", "prior", "twin − alike", "95%", "what it shows", "Kairos − twin", "95%")
_OF_IDLE = (
    "*said*: in how many worlds Kairos's last training said in words that nothing is to be gained, where that is "
    "true; *prior*: in how many it never promoted a model, so that a prior decides which treats everybody alike; "
    "*twin − alike*: Kairos's twin less the twin under everybody's best hour, or the one best offer; "
    "*Kairos − twin*: what exploring, holdouts and holding back cost."
)
_OF_GATES = (
    "Of the last training in each world; *why*: every phrase that was said in any of them, once. Their figures "
    "stand in the answer (`--json`)."
)
_OF_SLOPES = (
    "On random eligible candidates: at random questions an offer, a permitted channel and a free hour are drawn, "
    "and V is what Kairos expected of that message then."
)
_FIGURES = re.compile(r" \([^()]*\)")


class Section(NamedTuple):
    """A table under its title, and what must be said to read it. One without columns is a list of sentences."""

    title: str
    columns: tuple[str, ...]
    rows: Sequence[tuple[object, ...]]
    sentence: str | None = None


def sections(answer: Mapping[str, Any]) -> Iterator[Section]:
    """Return everything that people read of a run, in order; screen and page draw the same."""
    yield Section("The run", ("what", "value"), run(answer))
    if bars := answer.get("bars"):  # none of a run in which Kairos or its floors did not play, or of an old one
        yield from (Section(*each) for each in barred(answer, bars))
    yield Section("Oracles", _ORACLES, oracles(answer))
    yield from by_table(answer)
    yield Section("Frontier: fewest unsubscribes first", ("policy", "unsub/1000", "value"), frontier(answer))
    if losses := why(answer):  # none of a run in which Kairos did not play
        yield Section("Where Kairos loses, and why", (), [(sentence,) for sentence in losses])
    yield Section("By family", ("family", "what it comes to"), list(answer["verdict"].items()))
    if rows := idle(answer):  # none of a run without such a family
        said = [*admitted(answer["idle"]), elsewhere(answer["by_family"]), _OF_IDLE]
        told = " ".join(sentence for sentence in said if sentence)
        yield Section("Where choosing by person gains nothing", _IDLE, rows, told)
    yield Section("What Kairos's gates said", ("family", "model", "promoted", "why"), gates(answer), _OF_GATES)
    yield Section(
        "Slope of the true effect on Kairos's V", ("channel", "slope", "95%"), slopes(answer), _of_slopes(answer)
    )


def tables(answer: Mapping[str, Any]) -> Iterator[RenderableType]:
    """Return the sections as a terminal draws them."""
    for each in sections(answer):
        drawn = table(each.title, each.columns or ("",), each.rows)
        yield Group(drawn, each.sentence) if each.sentence and each.rows else drawn


def oracles(answer: Mapping[str, Any]) -> Rows:
    """Return the oracles from below to above."""
    return [
        (name, row["value"], span(row["interval"]), row["first"], row["later"])
        for name, row in answer["oracles"].items()
    ]


def by_table(answer: Mapping[str, Any]) -> Iterator[Section]:
    """Return swaps below the twin, and whole policies at equal sends and at free volume below Kairos."""
    yield Section("One axis swapped, the others stay Kairos's", _SWAPPED, _policies(answer, "axis"), _TWIN)
    yield Section("Whole policies, as many sends as Kairos", _WHOLE, _policies(answer, "whole", "equal"))
    yield Section("Whole policies, free volume", _WHOLE, _policies(answer, "whole", "free"))


def frontier(answer: Mapping[str, Any]) -> list[tuple[str, float, float]]:
    """Return all policies that sent anything, by unsubscribes per 1,000 messages."""
    rows = [
        (name, row["unsubscribes_per_1000"], row["value"])
        for name, row in answer["policies"].items()
        if row["unsubscribes_per_1000"] is not None
    ]
    return sorted(rows, key=lambda row: row[1])


def gates(answer: Mapping[str, Any]) -> Rows:
    """Return by family and model how often it was promoted, and why, without the figures."""
    return [
        (family, model, f"{row['promoted']} of {row['of']}", _phrases(row["reasons"]))
        for family, found in answer["by_family"].items()
        for model, row in found["says"].items()
    ]


def slopes(answer: Mapping[str, Any]) -> Rows:
    """Return the slope of each channel."""
    return [(channel, row["value"], span(row["interval"])) for channel, row in answer["slope"].items()]


def idle(answer: Mapping[str, Any]) -> Rows:
    """Return what Kairos said, gained and spent on exploring where an axis has nothing to give."""
    return [
        (
            row["family"],
            row["axis"],
            None if row["said"] is None else f"{row['said']} of {row['of']}",
            f"{row['prior']} of {row['of']}",
            row["gained"]["value"],
            span(row["gained"]["interval"]),
            shown(row),
            row["explored"]["value"],
            span(row["explored"]["interval"]),
        )
        for row in answer["idle"]
    ]


def run(answer: Mapping[str, Any]) -> Rows:
    """Return what the figures were made of."""
    failed = "; ".join(f"{unit}: {why}" for unit, why in answer["failed"].items())
    looks = answer.get("looks")
    return [
        ("worlds", f"{answer['seeds']} over {len(answer['families'])} families"),
        ("look at the judged seeds", f"number {looks['number']}" if looks else "none: seeds for development"),
        ("caps violated", str(answer["cap_violations"])),
        ("promises broken, caps among them", _broken(answer)),
        ("not in every world, so not compared", ", ".join(answer["incomplete"]) or "none"),
        ("failed", failed or "none"),
        ("machine", line(answer["machine"])),
        ("seconds", f"{answer['seconds']:.0f}"),
    ]


def _of_slopes(answer: Mapping[str, Any]) -> str | None:
    """Return what slopes are taken over; in answers from before there were bars, it was messages sent."""
    return _OF_SLOPES if answer.get("bars") else None


def _phrases(reasons: Sequence[str]) -> str:
    said = (phrase for reason in reasons for phrase in _FIGURES.sub("", reason).split("; "))
    return "; ".join(dict.fromkeys(said))


def _broken(answer: Mapping[str, Any]) -> str:
    named = ", ".join(f"{promise} {count}" for promise, count in answer["violations"].items() if count)
    return f"{answer['promise_violations']}{f' ({named})' if named else ''}"


def span(interval: Sequence[float] | None, digits: int = 3) -> str:
    """Return an interval in words."""
    return "–" if interval is None else f"{interval[0]:.{digits}f} to {interval[1]:.{digits}f}"


def _policies(answer: Mapping[str, Any], which: str, volume: str | None = None) -> Rows:
    """Return the policies of a table, best first, below what they are compared with; ``volume``: None for any."""
    head = TWIN if which == "axis" else KAIROS
    policies = answer["policies"]
    names = [name for name, row in policies.items() if row["table"] == which and volume in (None, row["volume"])]
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
