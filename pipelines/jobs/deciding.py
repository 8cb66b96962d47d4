"""Single decisions in the terminal: made, looked at without being made, or recomputed."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from decisions.records import Ask, Decision
from decisions.replay import replay, versions_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from decisions.records import Scores
    from features.contracts import Purpose
    from runtime.build import Kairos


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """A decision recomputed from its record, and whether it is the one that was recorded."""

    recorded: Decision
    recomputed: Decision

    @property
    def same(self) -> bool:
        """Whether both are equal in everything but the state, which is outcome."""
        return replace(self.recorded, state=self.recomputed.state) == self.recomputed


def decide_now(
    kairos: Kairos, customers: Sequence[str], *, purpose: Purpose, campaign_id: str | None, dry_run: bool
) -> list[Decision]:
    """Decide for ``customers`` and reserve what is decided; with ``dry_run`` record nothing."""
    asks = [
        Ask(request_id=f"cli:{uuid.uuid4()}", customer_id=customer, purpose=purpose, campaign_id=campaign_id)
        for customer in customers
    ]
    return kairos.decider.preview(asks) if dry_run else kairos.decider.decide(asks)


def replay_decision(kairos: Kairos, decision_id: str) -> Replayed:
    """Recompute a decision from its record alone (P6), whatever models, policy and features say today.

    Raises:
        UnknownDecision: where the ledger has no such decision.
    """
    return Replayed(recorded=kairos.ledger.decision(decision_id), recomputed=recomputed(kairos, decision_id))


def recomputed(kairos: Kairos, decision_id: str, scores: Scores | None = None) -> Decision:
    """Return a decision as its record gives it; with other ``scores`` as it would have been, all else as it was.

    Raises:
        UnknownDecision: where the ledger has no such decision.
    """
    record = kairos.ledger.record(decision_id)
    contents = {each: kairos.ledger.content(kind, each) for kind, each in versions_of(record).items()}
    known = {version: content for version, content in contents.items() if content is not None}
    return replay(record, kairos.keys, contents=known, scores=scores)
