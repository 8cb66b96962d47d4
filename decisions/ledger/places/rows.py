"""A decision as rows: one for each table it is written to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from decisions.ledger.actor import actor
from decisions.ledger.storage.codec import decision_to_json, micros, micros_or_none, text

if TYPE_CHECKING:
    from decisions.ledger.verdicts import Recording
    from decisions.records import Decision


def decision_row(recording: Recording) -> dict[str, Any]:
    """What is searched."""
    decision = recording.decision
    return {
        "decision_id": decision.decision_id,
        "request_id": decision.request_id,
        "body_hash": recording.body_hash,
        "customer_id": decision.customer_id,
        "action": decision.action,
        "state": decision.state,
        "purpose": decision.purpose,
        "campaign_id": decision.campaign_id,
        "offer_id": decision.offer_id,
        "category": decision.category,
        "channel": decision.channel,
        "send_at": micros_or_none(decision.send_at),
        "send_at_local": decision.send_at_local,
        "expires_at": micros_or_none(decision.expires_at),
        "decided_at": micros(decision.now),
        "propensity": decision.propensity,
        "propensity_exact": int(decision.propensity_exact),
        "held_back": int(decision.held_back),
        "policy_version": decision.policy_version,
        "experiments": text({each.experiment_id: each.arm for each in decision.experiments}),
    }


def record_row(recording: Recording) -> dict[str, Any]:
    """The whole, and what it was made from."""
    decision = recording.decision
    return {
        "decision_id": decision.decision_id,
        "body": decision_to_json(decision),
        "frozen": recording.frozen,
    }


def place_row(decision: Decision) -> dict[str, Any]:
    """The reserved place: pressure from this moment on."""
    return {
        "customer_id": decision.customer_id,
        "at": micros_or_none(decision.send_at),
        "channel": decision.channel,
        "purpose": decision.purpose,
        "category": decision.category,
        "offer_id": decision.offer_id,
        "campaign_id": decision.campaign_id,
        "decision_id": decision.decision_id,
        "state": "reserved",
        "expires_at": micros_or_none(decision.expires_at),
        "after_audit": 0,  # its own audit entry says when it was granted
        "value": decision.expected_value.total if decision.expected_value else None,
    }


def outbox_row(decision: Decision) -> dict[str, Any]:
    """What the sender is to be given when it is due."""
    return {
        "decision_id": decision.decision_id,
        "customer_id": decision.customer_id,
        "due_at": micros_or_none(decision.send_at),
        "expires_at": micros_or_none(decision.expires_at),
        "leased_until": 0,
    }


def holdback_row(decision: Decision) -> dict[str, Any] | None:
    """The offer withheld: a hold that names none says it in the stage that chose it, as ``offer|channel``."""
    if not decision.held_back or decision.held_back_until is None:
        return None
    chosen = (stage.chosen for stage in decision.stages if stage.name == "offer_channel")
    offer_id = decision.offer_id or next(chosen, "").split("|")[0]
    until = micros(decision.held_back_until)
    return {"customer_id": decision.customer_id, "offer_id": offer_id, "held_back_until": until}


def withheld_row(decision: Decision) -> dict[str, Any] | None:
    """When the message would have gone that was withheld at random, if one was."""
    if decision.withheld_at is None:
        return None
    at = micros(decision.withheld_at)
    return {"decision_id": decision.decision_id, "customer_id": decision.customer_id, "at": at}


def audit_row(decision: Decision) -> dict[str, Any]:
    """Its entry in the order of what happened."""
    return {
        "customer_id": decision.customer_id,
        "decision_id": decision.decision_id,
        "what": decision.state,
        "at": micros(decision.now),
        "detail": None,
        "actor": actor(),
    }
