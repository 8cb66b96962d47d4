"""Where Kairos loses, and why, as far as figures say: against the floor and rivals, by volume, by its own V."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.world.comparing import KAIROS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

COMPOSITE = "composite"
TRUE = (0.8, 1.2)
"""The slopes of truth on V at which V counts as euros."""


def why(answer: Mapping[str, Any]) -> list[str]:
    """Return sentences, each of one thing; none where Kairos did not play."""
    return [*_floor(answer), *_rivals(answer), *_volume(answer), *_expectations(answer)] if _played(answer) else []


def _played(answer: Mapping[str, Any]) -> bool:
    return KAIROS in answer["policies"]


def _floor(answer: Mapping[str, Any]) -> Iterator[str]:
    above = answer["above_floor"]
    yield (
        f"Kairos is {_side(above['interval'], 'above', 'below')} the floor: {above['value']:+.3f} € per customer"
        f"{_around(above['interval'])}."
    )


def _rivals(answer: Mapping[str, Any]) -> Iterator[str]:
    """Say against whom it loses; a swapped axis that wins is an axis on which Kairos loses."""
    differences, policies = answer["differences"], answer["policies"]
    for name in (COMPOSITE, f"{COMPOSITE}@equal"):
        if name in differences:
            row = differences[name]
            volume = "as many sends" if policies[name]["volume"] == "equal" else "free volume"
            yield (
                f"Kairos is {_side(row['interval'], 'ahead of', 'behind')} the composite at {volume}: "
                f"{row['value']:+.3f} €{_around(row['interval'])}."
            )
    for table, words in (("whole", "Whole policies"), ("axis", "Twins with one axis swapped")):
        names = [name for name in differences if policies[name]["table"] == table]
        beaten = [name for name in names if _below(differences[name]["interval"])]
        better = f"shown to do better than {'Kairos' if table == 'whole' else 'the twin'}"
        yield f"{words} that are {better}: {', '.join(beaten) or 'none'}, of {len(names)}."


def _volume(answer: Mapping[str, Any]) -> Iterator[str]:
    policies = answer["policies"]
    others = {name: policies[name]["sent"] for name in (COMPOSITE, "best_static") if name in policies}
    told = ", ".join(f"{name.replace('_', ' ')} {sent:,.0f}" for name, sent in others.items())
    yield f"Messages a world: Kairos {policies[KAIROS]['sent']:,.0f}{', ' + told if told else ''}."


def _expectations(answer: Mapping[str, Any]) -> Iterator[str]:
    for channel, row in answer["slope"].items():
        if row["value"] is not None:
            yield (
                f"Of each euro that Kairos expects more of one {channel} message than of another, "
                f"{row['value']:.2f} come, the mean of the worlds' slopes{_around(row['interval'])}: "
                f"{_meaning(row['interval'])}."
            )


def _meaning(interval: Sequence[float] | None) -> str:
    """Return what all slopes of the interval mean alike."""
    least, most = TRUE
    match interval:
        case (_, high) if high < 0:
            return "it prefers people or offers that gain less by it"
        case (_, high) if high < least:
            return "it takes differences for larger than they are"
        case (low, high) if least <= low and high <= most:
            return "its values are euros"
        case (low, _) if low > most:
            return "it takes differences for smaller than they are"
        case _:
            return "whether its values are euros cannot be told"


def _side(interval: Sequence[float] | None, above: str, below: str) -> str:
    if interval is None or interval[0] <= 0 <= interval[1]:
        return f"not shown to be {above} or {below}"
    return below if _below(interval) else above


def _below(interval: Sequence[float] | None) -> bool:
    return interval is not None and interval[1] < 0


def _around(interval: Sequence[float] | None) -> str:
    if interval is None:
        return " (one world a family says nothing about chance)"
    return f" ({interval[0]:+.3f} to {interval[1]:+.3f})"
