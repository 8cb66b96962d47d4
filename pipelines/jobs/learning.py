"""What learning changed: decisions as they were made, beside what declared beliefs alone would have said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from decisions.shadow import HOLD, action_of
from pipelines.jobs.deciding import recomputed
from runtime.champions import priors
from runtime.scored import Scored

if TYPE_CHECKING:
    from decisions.records import Decision
    from runtime.build import Kairos


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """``looked_at`` decisions of the same questions, states and draws, once on what was learned, once on beliefs.

    ``holds`` says by main reason why something no longer goes; the other counts are of what goes.
    """

    looked_at: int
    holds: Mapping[str, int]
    now_sent: int
    other_channel: int
    other_offer: int
    other_time: int

    @property
    def total(self) -> int:
        """How many are not what beliefs alone would have said."""
        return sum(self.holds.values()) + self.now_sent + self.other_channel + self.other_offer + self.other_time


def changed_by_learning(kairos: Kairos, made: Sequence[Decision]) -> Changed:
    """Return what learning changed in ``made``, each decided again on what policy and catalogue declare."""
    believed = Scored(
        scorers=lambda: priors("not_learned"),
        features=kairos.features,
        policy=kairos.policy,
        catalogue=kairos.catalogue,
    ).of([each.customer_id for each in made], now=kairos.clock.now())
    pairs = [(each, recomputed(kairos, each.decision_id, believed[each.customer_id])) for each in made]
    sent = [(now, then) for now, then in pairs if HOLD not in {action_of(now), action_of(then)}]
    gone = [now.reasons[0].code for now, then in pairs if action_of(now) == HOLD != action_of(then)]
    same_channel = [(now, then) for now, then in sent if now.channel == then.channel]
    same = [(now, then) for now, then in same_channel if now.offer_id == then.offer_id]
    return Changed(
        looked_at=len(made),
        holds=dict(Counter(str(code) for code in gone).most_common()),
        now_sent=sum(action_of(then) == HOLD != action_of(now) for now, then in pairs),
        other_channel=len(sent) - len(same_channel),
        other_offer=len(same_channel) - len(same),
        other_time=sum(now.slot != then.slot for now, then in same),
    )
