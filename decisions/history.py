"""H: everything that is fixed before the draw, as one value, and its hash."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from orjson import Fragment

from decisions.canonical import canonical, digest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
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

    Eligible set, shortlist, values and probabilities follow from these and need not be written down. Scores and
    state stand in it as they are written (H is hashed and kept, and they are long): make it once for both.
    """
    return {
        "ask": ask,
        "policy": policy.version,
        "catalogue": catalogue.version,
        "scores": Fragment(_written(scores, scores.hourly, _NO_HOURS)),
        "state": Fragment(_written(state, state.withheld, _NONE_WITHHELD)),
        "now": now.astimezone(UTC),
        "budgets": budgets,
    }


def _written(record: Scores | CustomerState, latest: Collection[object], nothing: bytes) -> bytes:
    """Return a record as it is written; its ``latest`` field is not where it says nothing, written as ``nothing``.

    So H of a decision that was made before that field came is what it was, and so is its hash.
    """
    written = canonical(record)
    return written if latest else written.removesuffix(nothing) + b"}"


_NO_HOURS, _NONE_WITHHELD = b',"hourly":{}}', b',"withheld":[]}'


def hash_of(history: Mapping[str, Any], arms: tuple[Assignment, ...], holdout: bool) -> str:  # noqa: FBT001 - a fact
    """Return the hash of ``history`` and of what the assignment key adds to it before the draw."""
    return digest(canonical({**history, "arms": arms, "holdout": holdout}))
