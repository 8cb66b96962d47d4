"""The guard that every confirm asks: may this still go, by the policy and the catalogue of now?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from decisions.eligibility.codes import TEXTS
from decisions.ledger import Refusal
from decisions.permission import Denial, denial

if TYPE_CHECKING:
    from datetime import datetime

    from decisions.catalogue import Catalogue
    from decisions.ledger import Guard
    from decisions.policy import Policy
    from decisions.records import CustomerState, Decision


def guard_of(policy: Policy, catalogue: Catalogue) -> Guard:
    """Return the guard that keeps confirms to ``policy`` and ``catalogue``."""

    def guard(decision: Decision, state: CustomerState, now: datetime) -> Refusal | None:
        denied = denial(decision, policy=policy, catalogue=catalogue, state=state, now=now)
        return _refusal(denied) if denied else None

    return guard


def _refusal(denied: Denial) -> Refusal:
    """Say why and until when; what may go later stays reserved, what may not is withdrawn."""
    code = str(denied.reason.code)  # a plain string: drivers have ideas of their own about enums
    about = f" ({denied.reason.detail})" if denied.reason.detail else ""
    why = f"{TEXTS[code].removesuffix('.')}{about}"
    if denied.again:
        return Refusal(code, f"{why}; ask again at {denied.again.isoformat()}", None)
    return Refusal(code, f"{why}; this will not pass before it expires: ask for a new decision", "withdrawn")
