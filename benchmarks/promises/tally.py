"""What is counted, promise by promise."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pipelines.recount import Report

Promise = Literal["P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8"]
PROMISES: tuple[Promise, ...] = ("P1", "P2", "P3", "P4", "P5", "P6", "P7", "P8")

_BY_RECOUNT: dict[str, Promise] = {
    "consent": "P2",
    "quiet": "P3",
    "days": "P3",
    "once": "P4",
    "window": "P4",
    "whole": "P5",
}
"""What the recount calls a broken promise; everything else it finds is a cap, a gap or another limit."""


@dataclass(slots=True)
class Tally:
    """Cases tried and violations found, by promise; faults and what they cost."""

    cases: Counter[Promise] = field(default_factory=Counter)
    violations: Counter[Promise] = field(default_factory=Counter)
    details: list[str] = field(default_factory=list)
    faults: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    lost: int = 0
    confirmed_twice: int = 0
    recounts: int = 0
    planted_found: bool = False
    _known: set[str] = field(default_factory=set)

    def judge(self, report: Report) -> None:
        """Take note of a recount. Only :meth:`count` adds cases: a growing ledger is recounted many times."""
        self.recounts += 1
        for each in report.violations:
            detail = f"{each.promise}: {each.rule} ({each.decision_id})"
            if detail not in self._known:  # the same ledger was recounted before
                self._known.add(detail)
                self.broken(_BY_RECOUNT.get(each.promise, "P1"), detail)

    def count(self, report: Report) -> None:
        """Take note of the last recount of a ledger, and of every send in it as a case of three promises."""
        self.judge(report)
        for promise in ("P1", "P2", "P3"):
            self.cases[promise] += report.sends

    def broken(self, promise: Promise, detail: str) -> None:
        """Take note of one violation."""
        self.violations[promise] += 1
        self.details.append(f"{promise} {detail}")

    @property
    def kept(self) -> bool:
        """Whether every promise was kept."""
        return self.planted_found and not (self.violations.total() or self.lost or self.confirmed_twice)
