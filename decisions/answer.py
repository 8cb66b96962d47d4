"""From a choice to the record of a decision: what is said, where, when, why, and with which probability."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from decisions.choosing.stages import chance_of
from decisions.draws import identifier
from decisions.eligibility import Code, in_order
from decisions.eligibility.due import next_due
from decisions.grounds import grounds_of
from decisions.records import Alternative, Decision, Reason
from decisions.timing.localtime import HOUR
from decisions.timing.slots import expiry
from decisions.tokens import Unsubscribe, unsubscribe_token
from decisions.wording import filled
from features.contracts.words import zone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from decisions.choosing.displacing import Rival
    from decisions.choosing.running import Runner
    from decisions.choosing.stages import Choice
    from decisions.eligibility import Situation
    from decisions.records import Assignment, Keys

ALTERNATIVES = 3


def silence(
    situation: Situation,
    keys: Keys,
    *,
    refused: Sequence[Reason],
    arms: tuple[Assignment, ...],
    policy_version: str,
    history_hash: str,
) -> Decision:
    """Return a hold with probability 1 for the reasons in ``refused``: the answer while nobody is in the running.

    ``policy_version`` is of the policy before the ``arms`` changed it.
    ``decision_id`` follows from request and customer by a keyed hash: the same request has the same id on every
    machine and in every repetition, and nobody can guess another's.
    """
    ask, scores = situation.ask, situation.scores
    return Decision(
        decision_id=identifier(keys.token, "decision", ask.request_id, ask.customer_id),
        request_id=ask.request_id,
        state="held",
        action="hold",
        customer_id=ask.customer_id,
        campaign_id=ask.campaign_id,
        purpose=ask.purpose,
        offer_id=None,
        category=None,
        channel=None,
        slot=None,
        send_at=None,
        send_at_local=None,
        expires_at=None,
        expected_value=None,
        incremental=scores.incremental,
        propensity=1.0,
        propensity_exact=True,
        history_hash=history_hash,
        stages=(),
        held_back=False,
        held_back_until=None,
        reasons=_refusals(situation, refused),
        alternatives=(),
        policy_version=policy_version,
        model_versions=dict(scores.model_versions),
        features_as_of=scores.features_as_of,
        now=situation.now,
        experiments=arms,
        variables={},
        unsubscribe_token=None,
        pace=situation.pace,
    )


def kept(blank: Decision, rival: Rival) -> Decision:
    """Return ``blank`` as a hold for the sake of a reserved place: nothing else may go beside it."""
    return replace(
        blank,
        propensity=chance_of(rival.road),
        stages=(rival.road,),
        alternatives=tuple(_alternative(runner) for runner in rival.running[:ALTERNATIVES]),
        reasons=in_order([_at_stake(rival), *blank.reasons]),
    )


def displacing(blank: Decision, rival: Rival, choice: Choice, keys: Keys) -> Decision:
    """Return ``blank`` with what was chosen to take a reserved place."""
    refused = _refusals(rival.situation, rival.refused)
    sent = answer(replace(blank, reasons=refused), rival.situation, rival.running, choice, keys, rival=rival)
    return replace(sent, displaces=rival.place.decision_id)


def answer(
    blank: Decision,
    situation: Situation,
    running: Sequence[Runner],
    choice: Choice,
    keys: Keys,
    *,
    rival: Rival | None = None,
) -> Decision:
    """Return ``blank`` with what was chosen among ``running``; ``rival`` is the reserved place at stake."""
    sent = choice.runner if choice.send and not choice.withheld else None
    late = None if sent or not situation.pace or running[0].value <= 0 else _utc(choice.option.send_at)
    others = [runner for runner in running if runner is not sent]
    reasons = [reason for reason in blank.reasons if reason.code != Code.NO_OFFER]
    return replace(
        blank,
        propensity=choice.propensity,
        stages=choice.drawn,
        alternatives=tuple(_alternative(runner) for runner in others[:ALTERNATIVES]),
        reasons=in_order([_verdict(situation, running, choice), *([_at_stake(rival)] if rival else []), *reasons]),
        withheld_at=late,
        **(_message(blank, situation, choice, keys) if choice.send else {}),
    )


def _message(blank: Decision, situation: Situation, choice: Choice, keys: Keys) -> dict[str, Any]:
    """Return the fields that say what goes, or would have gone."""
    candidate = choice.runner.candidate
    return {
        "offer_id": candidate.offer.offer_id,
        "category": candidate.offer.category,
        "channel": candidate.channel,
        "slot": choice.option.slot,
        "expected_value": choice.runner.parts(choice.option),
        "grounds": grounds_of(situation.scores, candidate.offer.offer_id, candidate.channel),
        **(_held_back(situation, choice) if choice.withheld else _reserved(blank, situation, choice, keys)),
    }


def _held_back(situation: Situation, choice: Choice) -> dict[str, Any]:
    """Withhold it until the next message is due; where nothing says when, until its outcome would be in."""
    days = timedelta(days=situation.policy.holdback.outcome_days)
    due = next_due(situation, choice.option.send_at)
    until = _utc(choice.option.send_at) + days if due is None else _utc(due)
    return {"held_back": True, "held_back_until": until}


def _reserved(blank: Decision, situation: Situation, choice: Choice, keys: Keys) -> dict[str, Any]:
    send_at = _utc(choice.option.send_at)
    candidate = choice.runner.candidate
    window = int(situation.policy.window_hours * HOUR)
    usable = timedelta(days=situation.policy.unsubscribe_days)
    return {
        "state": "reserved",
        "action": "send",
        "send_at": send_at,
        "send_at_local": send_at.astimezone(zone(situation.zones[0])).isoformat(),
        "expires_at": _utc(expiry(choice.option.send_at, candidate.permitted, window=window)),
        "variables": filled(candidate.offer, situation.values),
        "unsubscribe_token": _token(blank, candidate.channel, send_at + usable, keys),
    }


def _token(decision: Decision, channel: str, expires_at: datetime, keys: Keys) -> str | None:
    """Whoever may stop a purpose is given the means: nobody can unsubscribe from receipts."""
    if decision.purpose == "transactional":
        return None
    what = Unsubscribe(
        customer_id=decision.customer_id,
        channel=channel,
        purpose=decision.purpose,
        decision_id=decision.decision_id,
        expires_at=expires_at,
    )
    return unsubscribe_token(what, keys)


def _verdict(situation: Situation, running: Sequence[Runner], choice: Choice) -> Reason:
    if not situation.marketing:
        return Reason(code=Code.PROMPT)
    if not choice.send:
        return Reason(code=Code.NOT_WORTH_IT if running[0].value <= 0 else Code.EXPLORED_HOLD)
    if choice.withheld:
        return Reason(code=Code.HELD_BACK)
    return Reason(code=Code.BEST_VALUE if choice.best else Code.EXPLORED)


def _at_stake(rival: Rival) -> Reason:
    place = rival.place
    code = Code.DISPLACES if rival.displaces else Code.KEPT
    return Reason(code=code, offer_id=place.offer_id, channel=place.channel, detail=place.decision_id)


def _alternative(runner: Runner) -> Alternative:
    best = runner.options[0]
    return Alternative(
        offer_id=runner.candidate.offer.offer_id,
        channel=runner.candidate.channel,
        send_at=_utc(best.send_at),
        value=runner.parts(best),
    )


def _refusals(situation: Situation, refused: Sequence[Reason]) -> tuple[Reason, ...]:
    nothing = () if refused else (Reason(code=Code.NO_OFFER),)
    return in_order([*nothing, *refused, *_notes(situation)])


def _notes(situation: Situation) -> tuple[Reason, ...]:
    """Say which parts of the value are assumptions, and whether the customer is known at all."""
    notes = _assumed(situation.scores.notes)
    return notes if situation.state.known else (Reason(code=Code.CUSTOMER_UNKNOWN), *notes)


@lru_cache(maxsize=256)
def _assumed(notes: tuple[str, ...]) -> tuple[Reason, ...]:
    """Return a reason for each assumption; most customers share all of them. The grounds tell the other notes."""
    told = (":measured", ":ratio")
    return tuple(Reason(code=Code.PRIOR, detail=note) for note in notes if not note.endswith(told))


def _utc(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)
