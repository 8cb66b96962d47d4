"""H: everything that is fixed before the draw, as one value, and its hash."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

from orjson import Fragment

from decisions.canonical import canonical, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from decisions.catalogue import Catalogue
    from decisions.policy import Policy
    from decisions.records import Ask, Assignment, BudgetState, CustomerState, Pace, Scores


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
        "scores": Fragment(_without(canonical(scores), _LATER["scores"])),
        "state": Fragment(_without(canonical(state), _LATER["state"])),
        "now": now.astimezone(UTC),
        "budgets": budgets,
    }


_LATER = {"scores": (b',"evidence":{}', b',"cadence":{}', b',"hourly":{}'), "state": (b',"withheld":[]',)}
"""The last fields of a record, which came later, from the end, as they are written where they say nothing."""


def _without(written: bytes, later: Iterable[bytes]) -> bytes:
    """Return a record as it is written, without those of its ``later`` fields after which none says anything.

    So H of a decision that was made before them is what it was, and so is its hash.
    """
    rest = written.removesuffix(b"}")
    for field in later:
        if not rest.endswith(field):
            break
        rest = rest.removesuffix(field)
    return rest + b"}"


def hash_of(
    history: Mapping[str, Any],
    arms: tuple[Assignment, ...],
    holdout: bool,  # noqa: FBT001 - a fact
    pace: Pace | None,
) -> str:
    """Return the hash of ``history`` and of what the keys add to it before the draw."""
    drawn = {"arms": arms, "holdout": holdout} | ({"pace": pace} if pace else {})
    return digest(canonical({**history, **drawn}))
