"""One question, one answer. ``decide()`` is a function of values alone, for one customer as for millions."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from math import isfinite
from typing import TYPE_CHECKING, Any

from decisions.answer import answer, displacing, kept, silence
from decisions.arms import assignments, in_holdout, policy_for
from decisions.choosing.displacing import displace, rival_of
from decisions.choosing.running import runners
from decisions.choosing.stages import choose, take
from decisions.eligibility import Situation, eligible
from decisions.eligibility.quiet import ceil_second
from decisions.history import hash_of, history_of
from decisions.pacing import pace_of
from decisions.records import BudgetState, Decision
from decisions.timing.localtime import HOUR, days_between
from decisions.timing.zones import distinct, possible_zones
from features.vocabulary import is_own_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from decisions.catalogue import Catalogue
    from decisions.eligibility import Candidate
    from decisions.policy import Policy
    from decisions.records import Ask, Assignment, CustomerState, Keys, Scores
    from decisions.timing.spans import Span
    from features.contracts import Campaign, Offer


class AskError(ValueError):
    """A question that cannot be answered as it stands: the caller's to mend."""


def decide(  # noqa: PLR0913 - everything a decision depends on, by name
    ask: Ask,
    *,
    policy: Policy,
    catalogue: Catalogue,
    scores: Scores,
    state: CustomerState,
    now: datetime,
    keys: Keys,
    budgets: BudgetState = BudgetState(),  # noqa: B008 - frozen
    history: Mapping[str, Any] | None = None,
    arms: tuple[Assignment, ...] | None = None,
) -> Decision:
    """Return the decision on ``ask``: the same for the same inputs, whenever and wherever it is computed.

    ``now`` is the moment of the decision (aware). The propensity is exact: P(recorded action | everything here
    but the keys). ``history`` is what :func:`~decisions.history.history_of` makes of the same values, where
    that is there already. ``arms`` are the customer's where they are known (a record tells them).

    Raises:
        AskError: for a campaign or offer the catalogue has not, or a purpose that is not the campaign's.
        ValueError: for scores or state of another customer, scores that are not finite, or a naive ``now``.
    """
    _check(ask, scores, state, now)
    now = now.astimezone(UTC)
    if arms is None:
        arms = assignments(ask.customer_id, policy, keys)
    situation = situation_of(
        ask,
        policy=policy_for(policy, arms),
        catalogue=catalogue,
        scores=scores,
        state=state,
        budgets=budgets,
        now=now,
        holdout=in_holdout(ask.customer_id, policy, keys),
    )
    offers = offers_of(ask, catalogue)
    situation = replace(situation, pace=pace_of(situation, offers, keys))
    candidates, refused = eligible(situation, offers)
    history = history or history_of(
        ask, policy=policy, catalogue=catalogue, scores=scores, state=state, now=now, budgets=budgets
    )
    blank = silence(
        situation,
        keys,
        refused=refused,
        arms=arms,
        policy_version=policy.version,
        history_hash=hash_of(history, arms, situation.holdout, situation.pace),
    )
    return _answered(blank, situation, offers, candidates, keys)


def _answered(
    blank: Decision, situation: Situation, offers: Sequence[Offer], candidates: Sequence[Candidate], keys: Keys
) -> Decision:
    """Choose among ``candidates``, or, where a reserved place stands in the way of a much better one, for it."""
    ask, policy = situation.ask, situation.policy
    running = runners(situation, candidates, keys)
    rival = rival_of(situation, offers, candidates, running, keys)
    if rival and rival.displaces:
        return displacing(blank, rival, displace(rival, ask, policy, keys), keys)
    if not running:
        return kept(blank, rival) if rival else blank
    road = rival.road if rival else None
    choice = choose(running, ask, policy, keys, road=road) if situation.marketing else take(running)
    return answer(blank, situation, running, choice, keys, rival=rival)


def offers_of(ask: Ask, catalogue: Catalogue) -> tuple[Offer, ...]:
    """Return the offers that ``ask`` and its campaign leave in, in the catalogue's order.

    Raises:
        AskError: for an offer or campaign the catalogue has not.
    """
    if unknown := sorted(set(ask.offers or ()) - set(catalogue.offer)):
        raise AskError(f"offers: {unknown} are not in the catalogue; it has {sorted(catalogue.offer)}")
    campaign = campaign_of(ask, catalogue)
    allowed = set(catalogue.offer if ask.offers is None else ask.offers)
    if campaign and campaign.offers:
        allowed &= set(campaign.offers)
    return tuple(offer for offer in catalogue.offers if offer.offer_id in allowed)


def campaign_of(ask: Ask, catalogue: Catalogue) -> Campaign | None:
    """Return the campaign of ``ask``; None where it names none.

    Raises:
        AskError: for a campaign the catalogue has not, or one of another purpose.
    """
    if ask.campaign_id is None:
        return None
    campaign = catalogue.campaign.get(ask.campaign_id)
    if campaign is None:
        raise AskError(
            f"campaign_id: {ask.campaign_id!r} is not in the catalogue; it has {sorted(catalogue.campaign)}"
        )
    if campaign.purpose != ask.purpose:
        raise AskError(
            f"purpose: {ask.purpose!r} was asked for, but campaign {ask.campaign_id!r} is {campaign.purpose!r}: "
            "ask with the campaign's purpose"
        )
    return campaign


def situation_of(  # noqa: PLR0913 - everything a decision depends on, by name
    ask: Ask,
    *,
    policy: Policy,
    catalogue: Catalogue,
    scores: Scores,
    state: CustomerState,
    budgets: BudgetState,
    now: datetime,
    holdout: bool,
    span: Span | None = None,
) -> Situation:
    """Return the inputs with what follows from them: the zones, the names expressions may use.

    ``span`` is when the message may wait and go (None: the horizon that ask, policy and campaign leave).
    """
    campaign = campaign_of(ask, catalogue)
    customer = state.customer
    span = span or _horizon(ask, policy, campaign, now)
    first, last = days_between(*span)
    return Situation(
        ask=ask,
        policy=policy,
        catalogue=catalogue,
        campaign=campaign,
        scores=scores,
        state=state,
        budgets=budgets,
        now=now,
        span=span,
        zones=distinct(possible_zones(customer, policy), (first - 1, last + 1)),
        zone_known=customer.time_zone is not None,
        countries=(customer.country,) if customer.country else policy.countries,
        values={
            # What Kairos computes is never hidden by an attribute that a file happens to call the same.
            **{name: value for name, value in customer.attributes.items() if not is_own_name(name)},
            **scores.attributes,
            "churn": scores.churn,
            "country": customer.country,
            "locale": customer.locale,
        },
        holdout=holdout,
    )


def _horizon(ask: Ask, policy: Policy, campaign: Campaign | None, now: datetime) -> Span:
    start = ceil_second(now.timestamp())
    hours = min(
        ask.horizon_hours or policy.horizon_hours,
        policy.reservation_ttl_hours,
        campaign.ttl_hours if campaign else policy.reservation_ttl_hours,
    )
    return start, start + hours * HOUR


def _check(ask: Ask, scores: Scores, state: CustomerState, now: datetime) -> None:
    if ask.horizon_hours is not None and ask.horizon_hours < 1:
        raise AskError(f"horizon_hours: {ask.horizon_hours} is not at least 1; leave it out for the policy's")
    if now.tzinfo is None:
        raise ValueError(f"now must carry a zone, got {now!r}")
    if not ask.customer_id == scores.customer_id == state.customer.customer_id:
        raise ValueError("ask, scores and state must be of one customer")
    _check_finite(scores)


def _check_finite(scores: Scores) -> None:
    singles = (scores.tau, scores.redeem, scores.reachable_value)
    tables = (scores.multiplier, scores.hazard, scores.response_loss, scores.hourly, scores.cadence)
    for part in singles:
        if not isfinite(sum(part.values())):
            raise ValueError(f"scores must be finite, got {dict(part)}")
    for table in tables:
        for channel, numbers in table.items():
            if not isfinite(sum(numbers)):
                raise ValueError(f"scores must be finite, got {numbers} for {channel!r}")
