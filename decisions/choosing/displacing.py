"""May a much better message take a place that is reserved and not yet confirmed? A stage before all others.

R is a reserved marketing message, worth V(R) when it was reserved. Let V1 be the best that may go beside it and V2
the best that may go only where R gives way. To keep is worth V(R) + max(V1, 0), to displace V2. The question is
asked where V2 is at least ``ratio`` times as much; then it is drawn like every stage, within the loss budget, so
that what displacing brings can be measured against keeping: its own control, without a holdback.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from decisions.choosing.running import Runner, runners
from decisions.choosing.stages import EXPLORING_STAGES, Choice, Draws
from decisions.choosing.value import ceiling
from decisions.eligibility import Candidate, Situation, eligible
from decisions.records import Pressure, Reason, Stage
from decisions.timing.slots import usable
from decisions.timing.spans import without

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from decisions.policy import Policy
    from decisions.records import Ask, CustomerState, Keys
    from decisions.timing.spans import Spans
    from features.contracts import Offer

KEEP, DISPLACE = "keep", "displace"
_SHARING = EXPLORING_STAGES + 1
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rival:
    """A reserved place at stake, what is in the running for it, and what was drawn.

    ``situation`` is the decision's without that place, ``refused`` why others may not go even so.
    """

    place: Pressure
    situation: Situation
    running: tuple[Runner, ...]
    refused: tuple[Reason, ...]
    road: Stage

    @property
    def displaces(self) -> bool:
        """Whether the place changes hands."""
        return self.road.chosen == DISPLACE


def rival_of(
    situation: Situation,
    offers: Sequence[Offer],
    candidates: Sequence[Candidate],
    running: Sequence[Runner],
    keys: Keys,
) -> Rival | None:
    """Return the place that is at stake, the least valuable first; None where none is.

    ``candidates`` and ``running`` are what may go beside every reserved message.
    """
    rule, stake = situation.policy.displacement, situation.policy.exploration.stake
    places = _places(situation) if rule.enabled and situation.marketing else []
    if not places:
        return None
    beside = max(running[0].value, 0.0) if running else 0.0
    top = ceiling(offers, scores=situation.scores, budgets=situation.budgets) * (1 + _ROUNDING)
    for place, value in places:
        keep = value + beside
        bar = max(rule.ratio * keep, stake)
        if bar > top:
            return None
        alone = replace(situation, state=lifted(situation.state, place))
        found, refused = eligible(alone, offers)
        freed = runners(alone, tuple(_freed(found, candidates, situation)), keys)
        if freed and freed[0].value >= bar:
            draws = Draws(situation.ask, situation.policy, keys, top=freed[0].value, sharing=_SHARING)
            road = draws.stage("keep_or_displace", (KEEP, DISPLACE), (keep, freed[0].value))
            return Rival(place=place, situation=alone, running=freed, refused=refused, road=road)
    return None


def displace(rival: Rival, ask: Ask, policy: Policy, keys: Keys) -> Choice:
    """Draw what takes the place, and when. It is not withheld: to keep the place is its control."""
    draws = Draws(ask, policy, keys, top=rival.running[0].value, sharing=_SHARING)
    message, runner, option = draws.message(rival.running)
    return Choice(stages=message, runner=runner, option=option, send=True, withheld=False, road=rival.road)


def lifted(state: CustomerState, place: Pressure) -> CustomerState:
    """Return ``state`` as it is without the reserved message ``place``, as the ledger would read it."""
    left = tuple(each for each in state.pressure if each.decision_id != place.decision_id)
    last = max((each.at for each in left if each.offer_id == place.offer_id), default=None)
    exposures = tuple(
        replace(each, last_sent=last) if (each.offer_id, each.last_sent) == (place.offer_id, place.at) else each
        for each in state.exposures
    )
    return replace(state, pressure=left, exposures=exposures)


def _places(situation: Situation) -> list[tuple[Pressure, float]]:
    """Return the marketing messages that are still reserved, of known value, the least valuable first."""
    found = [
        (each, each.value)
        for each in situation.state.pressure
        if each.until
        and each.until > situation.now
        and each.decision_id
        and each.purpose == "marketing"
        and each.value is not None
    ]
    return sorted(found, key=lambda pair: (pair[1], pair[0].decision_id))


def _freed(
    found: Sequence[Candidate], candidates: Sequence[Candidate], situation: Situation
) -> Iterator[Candidate]:
    """Yield what may go only because a place was lifted, at the moments at which it may not go beside it."""
    beside: dict[str, Spans] = {each.name: each.permitted for each in candidates}
    least = situation.policy.least_window_minutes * 60
    for each in found:
        pieces = (piece for span in each.permitted for piece in without(span, beside.get(each.name, ())))
        permitted = tuple(piece for piece in pieces if usable(piece, least))
        if permitted:
            yield replace(each, permitted=permitted)
