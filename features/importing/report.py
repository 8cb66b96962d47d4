"""What an import did, in numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from features.importing.oddities import Oddity


@dataclass(frozen=True, slots=True, kw_only=True)
class BlockReport:
    """One block in numbers.

    ``read`` rows wanted from its source, ``mapped`` rows that reached their contract (after grouping, so fewer),
    ``duplicates`` among them that were known already, ``quarantined`` rows by rule.
    """

    name: str
    target: str
    read: int
    mapped: int
    duplicates: int
    quarantined: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """A whole import. ``events`` counts good events by type, known ones too; ``duplicates`` are the known ones.

    ``quarantined`` counts refused rows by the rule they broke; ``quarantine`` names the files that hold them.
    ``warnings`` say what is odd about rows, whether or not they were taken in.
    ``erased`` rows, good or refused, were about customers who were erased: they are in none of the other numbers.
    ``conflicts`` are those of the duplicates that say something else than the event known under their id.
    ``lake_faults`` say what is wrong with the lake they went into, by name (``kairos lake check``).
    """

    events: Mapping[str, int]
    customers: int
    consents: int
    preferences: int
    duplicates: int
    quarantined: Mapping[str, int]
    first_occurred_at: datetime | None
    last_occurred_at: datetime | None
    blocks: tuple[BlockReport, ...] = ()
    quarantine: tuple[str, ...] = ()
    erased: int = 0
    conflicts: int = 0
    lake_faults: Mapping[str, int] = field(default_factory=dict)
    warnings: tuple[Oddity, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return the report as JSON takes it: moments as ISO text."""
        plain = asdict(self)
        for key in ("first_occurred_at", "last_occurred_at"):
            plain[key] = plain[key] and plain[key].isoformat()
        return plain


@dataclass(slots=True)
class Tally:
    """What is counted while an import runs."""

    events: Counter[str] = field(default_factory=Counter)
    rows: Counter[str] = field(default_factory=Counter)
    moments: list[datetime] = field(default_factory=list)
    blocks: list[BlockReport] = field(default_factory=list)
    erased: int = 0
    conflicts: int = 0
    warnings: tuple[Oddity, ...] = ()

    def report(self, refused: Counter[str], files: tuple[str, ...]) -> ImportReport:
        """Return the finished report."""
        return ImportReport(
            events=dict(sorted(self.events.items())),
            customers=self.rows["customers"],
            consents=self.rows["consents"],
            preferences=self.rows["preferences"],
            duplicates=sum(block.duplicates for block in self.blocks),
            quarantined=dict(sorted(refused.items())),
            first_occurred_at=min(self.moments, default=None),
            last_occurred_at=max(self.moments, default=None),
            blocks=tuple(self.blocks),
            quarantine=files,
            erased=self.erased,
            conflicts=self.conflicts,
            warnings=self.warnings,
        )
