"""May a reserved message still go? The rules that protect the customer, asked once more right before sending.

Between a decision and its sending the world goes on: another system writes to the customer, a zone or a limit
changes, somebody buys. The rules are those of ``eligibility``, with the policy, catalogue and state of now.
Audience, score, budget, holdback and holdout are not asked again: they chose the message, and evaluation is by
intention.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil, floor
from typing import TYPE_CHECKING

from decisions.arms import policy_for
from decisions.decide import AskError, offers_of, situation_of
from decisions.eligibility import RANK, Code, forbidding
from decisions.records import Ask, BudgetState, Reason, Scores
from decisions.timing.spans import clip, union, without

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from decisions.catalogue import Catalogue
    from decisions.eligibility import Block
    from decisions.policy import Policy
    from decisions.records import CustomerState, Decision
    from features.contracts import Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Denial:
    """Why a reserved message may not go now, and from when on it may; None: not before it expires."""

    reason: Reason
    again: datetime | None


def denial(
    decision: Decision, *, policy: Policy, catalogue: Catalogue, state: CustomerState, now: datetime
) -> Denial | None:
    """Return why the reserved ``decision`` may not go at ``now``, or None.

    A confirm is granted a little before ``send_at``, since clocks differ, and the message may then go at once: so
    it is judged at ``now``, and the tolerance never reaches into quiet hours or a gap.
    ``state`` is the customer's without the place of ``decision`` itself. The policy is the one that the decision's
    arms make of it now. A message whose offer, channel or campaign has left the catalogue goes no more: to take
    it out is how a marketer stops it.

    Raises:
        ValueError: for a decision that sends nothing.
    """
    if not (decision.channel and decision.send_at and decision.expires_at):
        raise ValueError(f"decision {decision.decision_id!r} is to {decision.action}: there is nothing to permit")
    ask = _ask(decision)
    offer = _offer(ask, decision.channel, catalogue)
    if offer is None:
        return Denial(reason=_gone(decision), again=None)
    moment = now.timestamp()
    situation = situation_of(
        ask,
        policy=policy_for(policy, decision.experiments),
        catalogue=catalogue,
        scores=_unscored(decision.customer_id),
        state=state,
        budgets=BudgetState(),
        now=now.astimezone(UTC),
        holdout=False,
        span=(floor(moment), ceil(decision.expires_at.timestamp())),
    )
    standing, blocks = forbidding(situation, offer, decision.channel)
    if standing:
        return Denial(reason=_broadest(standing), again=None)
    return _in_time(blocks, moment, decision.expires_at.timestamp())


def _ask(decision: Decision) -> Ask:
    return Ask(
        request_id=decision.request_id,
        customer_id=decision.customer_id,
        purpose=decision.purpose,
        campaign_id=decision.campaign_id,
        offers=(decision.offer_id or "",),
    )


def _offer(ask: Ask, channel: str, catalogue: Catalogue) -> Offer | None:
    """Return what the decision offers, as long as the catalogue and the campaign still do."""
    try:
        offers = offers_of(ask, catalogue)
    except AskError:  # offer or campaign is gone, or the campaign has another purpose now
        return None
    return next((offer for offer in offers if channel in offer.channels), None)


def _gone(decision: Decision) -> Reason:
    return Reason(
        code=Code.NOT_IN_CATALOGUE,
        offer_id=decision.offer_id,
        channel=decision.channel,
        detail=decision.campaign_id,
    )


def _unscored(customer_id: str) -> Scores:
    """Nothing is valued here: the rules that look at scores are not asked."""
    return Scores(
        customer_id=customer_id,
        engage={},
        multiplier={},
        tau={},
        redeem={},
        hazard={},
        response_loss={},
        reachable_value={},
    )


def _in_time(blocks: Sequence[Block], moment: float, expires: float) -> Denial | None:
    """Return what forbids the two whole seconds that enclose ``moment``: rules count in whole seconds."""
    first, last = floor(moment), ceil(moment)
    held = [block for block in blocks if clip(block.spans, first, last + 1)]
    if not held:
        return None
    rest = last, floor(expires)
    left = without(rest, union(span for block in blocks for span in block.spans))
    if left:
        return Denial(
            reason=_broadest(block.reason(last) for block in held), again=datetime.fromtimestamp(left[0][0], UTC)
        )
    for_good = [block for block in held if not without(rest, block.spans)]
    return Denial(reason=_broadest(block.reason(last) for block in for_good or held), again=None)


def _broadest(reasons: Iterable[Reason]) -> Reason:
    return min(reasons, key=lambda reason: RANK[reason.code])
