"""The lake held against what it promises, and put right."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from features.erasing import erase_features
from features.lake import Findings
from features.progress import Progress, quiet
from pipelines.jobs.taking_turns import taking_turns
from runtime.lake import lake_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runtime.build import Kairos

WAY_OUT = "kairos lake check --repair"


@dataclass(frozen=True, slots=True, kw_only=True)
class LakeReport:
    """What was ``found``, and after a repair what is ``left``: nothing, unless the files themselves are broken."""

    found: Findings
    left: Findings | None = None

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong, now."""
        return not (self.left or self.found).faults

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON takes it."""
        return {**asdict(self.found), "left": self.left and asdict(self.left), "sound": self.sound}


def check_lake(kairos: Kairos, *, repair: bool = False, progress: Progress = quiet) -> LakeReport:
    """Hold every row, id and file of the lake against what they should be; ``repair`` puts right what is not.

    People of whom the ledger keeps a tombstone count as faults wherever they are found; a repair takes them out of
    the built features too.

    Raises:
        BrokenFilesError: for a repair, where files cannot be read; nothing is changed.
    """
    with taking_turns(kairos.settings):
        lake, erased = lake_of(kairos.settings), kairos.ledger.privacy.buried
        progress("check", 0, 1)
        found = lake.check(erased=erased)
        progress("check", 1, 1)
        if not repair or not found.faults:
            return LakeReport(found=found)
        gone = lake.repair(erased=erased)
        lake.compact(progress)
        if gone:
            erase_features(kairos.settings.features, gone)
        return LakeReport(found=found, left=lake.check(erased=erased))


def in_words(faults: Mapping[str, int]) -> str:
    """Return what is wrong with a lake in one line.

    >>> in_words({"misfiled": 14, "doubled_events": 1})
    '14 misfiled, 1 doubled events'
    """
    return ", ".join(f"{count:,} {name.replace('_', ' ')}" for name, count in faults.items())
