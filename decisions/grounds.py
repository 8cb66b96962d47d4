"""What a value stands on: how each of its parts is known, and what the customer's own messages came to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from decisions.records import Evidence, Grounds

if TYPE_CHECKING:
    from collections.abc import Iterable

    from decisions.records import Grade, Scores


def grounds_of(scores: Scores, offer_id: str, channel: str) -> Grounds | None:
    """Return the grounds of the value of ``offer_id`` on ``channel``; None where nothing was ever counted."""
    if not scores.cadence:
        return None
    pairs = [(pair.rpartition("|"), counts) for pair, counts in scores.evidence.items()]
    return Grounds(
        grades=_grades(scores, f"{offer_id}|{channel}", channel),
        offer=_summed(counts for (offer, _, _), counts in pairs if offer == offer_id),
        channel=_summed(counts for (_, _, name), counts in pairs if name == channel),
    )


def _grades(scores: Scores, pair: str, channel: str) -> dict[str, Grade]:
    """Read off the notes what is declared: the rest was learned."""

    def declared(*names: str) -> bool:
        return any(note.startswith(tuple(f"prior:{name}:" for name in names)) for note in scores.notes)

    return {
        "effect": _effect(scores.notes, pair, declared=declared(f"offer:{pair}") or _no_orders(scores.notes)),
        "timing": "declared"
        if declared(f"send_time:{channel}") or _whole(scores.notes, "send_time")
        else "measured",
        "fatigue": "declared" if declared(f"fatigue:{channel}") else "counted",
        "remaining_value": "declared" if declared("churn") else "counted",
        "frequency": "counted",
    }


def _effect(notes: tuple[str, ...], pair: str, *, declared: bool) -> Grade:
    if f"offer:{pair}:measured" in notes:
        return "measured"
    if declared:
        return "declared"
    return "ratio" if f"worth:{pair}:ratio" in notes else "counted"


def _no_orders(notes: tuple[str, ...]) -> bool:
    return "prior:worth:no_orders" in notes


def _whole(notes: tuple[str, ...], model: str) -> bool:
    """Return whether a model was never fitted: its note names no channel."""
    return any(note.startswith(f"prior:{model}:") and note.count(":") == len(("prior", model)) for note in notes)


def _summed(counts: Iterable[tuple[float, float, float]]) -> Evidence:
    messages, seen, orders = (round(sum(each), 2) for each in zip((0.0, 0.0, 0.0), *counts, strict=True))
    return Evidence(messages=messages, seen=seen, orders=orders)
