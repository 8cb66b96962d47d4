"""What a policy of choices would have done in another's place: chances of the action that was taken."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from decisions.records import Decision, Stage

HOLD = "hold"
_ROAD = ("send_or_hold", "offer_channel", "slot_block", "holdback")


def action_of(decision: Decision) -> str:
    """Return what was done, the hour left out: ``"offer|channel"``, or hold."""
    return HOLD if decision.action == HOLD else f"{decision.offer_id}|{decision.channel}"


def comparable(decision: Decision) -> bool:
    """Return whether its propensity is exact and no reserved place was at stake: of others nothing can be told."""
    names = tuple(stage.name for stage in decision.stages)
    return decision.propensity_exact and decision.displaces is None and names in ((), _ROAD)


def chances(stages: Sequence[Stage]) -> Mapping[str, float]:
    """Return the probability of each action under ``stages``, the hour left out; they sum to one.

    Where nobody was in the running there are no stages, and it holds for certain.
    """
    if not stages:
        return {HOLD: 1.0}
    send, what, _, kept = stages
    going = send.probabilities[0] * kept.probabilities[0]
    pairs = {name: going * chance for name, chance in zip(what.options, what.probabilities, strict=True)}
    return {**pairs, HOLD: 1.0 - going}
