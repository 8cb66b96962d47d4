"""H: everything that is fixed before the draw, as one value, and its hash."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from decisions.canonical import canonical, digest

if TYPE_CHECKING:
    from datetime import datetime

    from decisions.catalogue import Catalogue
    from decisions.policy import Policy
    from decisions.records import Ask, Assignment, BudgetState, CustomerState, Scores


def history_of(
    ask: Ask,
    *,
    policy: Policy,
    catalogue: Catalogue,
    scores: Scores,
    state: CustomerState,
    now: datetime,
    budgets: BudgetState,
) -> dict[str, Any]:
    """Return what a decision depends on beside its keys; policy and catalogue by their versions.

    Eligible set, shortlist, values and probabilities follow from these and need not be written down.
    """
    return {
        "ask": ask,
        "policy": policy.version,
        "catalogue": catalogue.version,
        "scores": scores,
        "state": state,
        "now": now,
        "budgets": budgets,
    }


def hash_of(history: dict[str, Any], arms: tuple[Assignment, ...], holdout: bool) -> str:  # noqa: FBT001 - a fact
    """Return the hash of ``history`` and of what the assignment key adds to it before the draw."""
    return digest(canonical({**history, "arms": arms, "holdout": holdout}))
