"""The rules that do not depend on the hour: consent, contact, audience, budgets, the offer's own condition."""

from __future__ import annotations

from typing import TYPE_CHECKING

from decisions.eligibility.codes import Code
from decisions.records import Reason
from features.expressions import parse

if TYPE_CHECKING:
    from collections.abc import Iterator

    from decisions.eligibility.situation import Situation
    from features.contracts import ConsentStatus, Offer

_CONTACT = {
    "absent": Code.CONTACT_ABSENT,
    "hard_bounced": Code.CONTACT_HARD_BOUNCED,
    "soft_bounced": Code.CONTACT_SOFT_BOUNCED,
}


def about_customer(situation: Situation) -> Iterator[Reason]:
    """Yield what forbids every candidate."""
    if situation.marketing and situation.holdout:
        yield Reason(code=Code.HOLDOUT)
    if situation.marketing and situation.policy.holdback.blocks == "customer":
        running = [end for end in situation.state.held_back.values() if end > situation.now]
        if running:
            yield Reason(code=Code.HOLDBACK_RUNNING, until=max(running))
    campaign = situation.campaign
    if campaign and campaign.audience and parse(campaign.audience).row(situation.values) is not True:
        yield Reason(code=Code.NOT_IN_AUDIENCE, detail=campaign.campaign_id)


def about_channel(situation: Situation, channel: str) -> Iterator[Reason]:
    """Yield what forbids every candidate on ``channel``."""
    allowed = situation.ask.channels
    if channel not in situation.policy.channels or (allowed is not None and channel not in allowed):
        yield Reason(code=Code.CHANNEL_NOT_ALLOWED, channel=channel)
    status = _consent(situation, channel)
    if status == "withdrawn":
        yield Reason(code=Code.CONSENT_WITHDRAWN, channel=channel)
    elif status is None and situation.ask.purpose in situation.policy.opt_in_purposes:
        yield Reason(code=Code.CONSENT_MISSING, channel=channel)
    if code := _contact(situation, channel):
        yield Reason(code=code, channel=channel)
    preference = situation.state.preference
    if preference and channel in preference.channels_off:
        yield Reason(code=Code.PREFERENCE_CHANNEL_OFF, channel=channel)
    if channel in situation.budgets.exhausted and situation.ask.purpose != "transactional":
        yield Reason(code=Code.BUDGET_EXHAUSTED, channel=channel)


def about_offer(situation: Situation, offer: Offer) -> Iterator[Reason]:
    """Yield what forbids ``offer`` on every channel."""
    if offer.eligibility and parse(offer.eligibility).row(situation.values) is not True:
        yield Reason(code=Code.OFFER_RULE, offer_id=offer.offer_id)
    if situation.marketing and situation.policy.holdback.blocks == "offer":
        held_back = situation.state.held_back
        running = [end for name, end in held_back.items() if _same_place(situation, name, offer)]
        if running and max(running) > situation.now:
            yield Reason(code=Code.HOLDBACK_RUNNING, offer_id=offer.offer_id, until=max(running))


def about_score(situation: Situation, offer: Offer, channel: str) -> Iterator[Reason]:
    """Yield what keeps a marketing candidate from having a value; other purposes do not need one."""
    scores = situation.scores
    known = (
        f"{offer.offer_id}|{channel}" in scores.tau
        and channel in scores.multiplier
        and channel in scores.hazard
        and channel in scores.response_loss
        and channel in scores.reachable_value
        and (offer.incentive_cost == 0 or offer.offer_id in scores.redeem)
    )
    if situation.marketing and not known:
        yield Reason(code=Code.NO_SCORE, offer_id=offer.offer_id, channel=channel)


def _consent(situation: Situation, channel: str) -> ConsentStatus | None:
    """Return the state of consent now: the latest entry; a withdrawal wins a tie, and counts before its time."""
    entries = [
        each
        for each in situation.state.consents
        if each.channel == channel
        and each.purpose == situation.ask.purpose
        and (each.status == "withdrawn" or each.at <= situation.now)
    ]
    latest = max(entries, key=lambda each: (each.at, each.status == "withdrawn"), default=None)
    return latest.status if latest else None


def _contact(situation: Situation, channel: str) -> Code | None:
    state = situation.state.customer.contacts.get(channel, "absent")
    if state == "soft_bounced" and situation.ask.purpose in situation.policy.soft_bounced_purposes:
        return None
    return _CONTACT.get(state)


def _same_place(situation: Situation, held_back: str, offer: Offer) -> bool:
    """Return whether ``offer`` would take the place of the offer ``held_back``: itself, or one it excludes."""
    return held_back == offer.offer_id or held_back in situation.catalogue.rivals[offer.offer_id]
