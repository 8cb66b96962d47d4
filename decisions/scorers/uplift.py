"""An effect that differs between customers, as boosters: how S-, T-, X- and DR-learners answer.

Künzel et al. 2019 (S, T, X), Kennedy 2023 (DR). The margin a send adds is read from regressions of the margin.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Self, get_args

import numpy as np

from decisions.scorers.base import matrix
from decisions.scorers.trees import check_features, raw_scores

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pyarrow as pa

    from decisions.scorers.base import FloatArray

LearnerName = Literal["S", "T", "X", "DR"]
LEARNERS: tuple[LearnerName, ...] = get_args(LearnerName)

TREATED = "treated"
"""The S-learner's extra column, the last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """A fitted learner. ``boosters`` are, by learner: S (outcome), T and X (hold, send), DR (effect).

    ``share`` is the share of sends among the randomised, with which X mixes its two answers.
    """

    learner: LearnerName
    features: tuple[str, ...]
    boosters: tuple[str, ...]
    share: float = 0.5

    def check(self) -> None:
        """Refuse boosters that were trained on other columns."""
        columns = (*self.features, TREATED) if self.learner == "S" else self.features
        for booster in self.boosters:
            check_features(booster, columns)

    def effect(self, frame: pa.Table) -> FloatArray:
        """Return the incremental margin of a send to each customer of ``frame``, (n,)."""
        return self.effect_of(matrix(frame, self.features))

    def effect_of(self, columns: FloatArray) -> FloatArray:
        """Return the same for a matrix of ``features``."""
        if self.learner == "S":
            (outcome,) = self.boosters
            return raw_scores(outcome, _with(columns, 1.0)) - raw_scores(outcome, _with(columns, 0.0))
        if self.learner == "DR":
            return raw_scores(self.boosters[0], columns)
        hold, send = (raw_scores(booster, columns) for booster in self.boosters)
        return send - hold if self.learner == "T" else self.share * hold + (1 - self.share) * send

    def as_json(self, *, prefix: str) -> tuple[dict[str, Any], dict[str, str]]:
        """Return (facts, boosters by file name): what :meth:`from_json` reads."""
        named = {f"{prefix}-{position}": booster for position, booster in enumerate(self.boosters)}
        facts = {
            "learner": self.learner,
            "features": list(self.features),
            "boosters": list(named),
            "share": self.share,
        }
        return facts, named

    @classmethod
    def from_json(cls, facts: Mapping[str, Any], boosters: Mapping[str, str]) -> Self:
        """Read what :meth:`as_json` wrote."""
        return cls(
            learner=facts["learner"],
            features=tuple(facts["features"]),
            boosters=tuple(boosters[name] for name in facts["boosters"]),
            share=facts["share"],
        )


def _with(columns: FloatArray, treated: float) -> FloatArray:
    return np.column_stack([columns, np.full(len(columns), treated)])
