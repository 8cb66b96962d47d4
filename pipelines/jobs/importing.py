"""Files into lake and ledger."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from features.importing import load_mapping, run_import
from features.progress import Progress, quiet
from pipelines.jobs.draining import drain_events
from pipelines.jobs.everywhere import Everywhere
from pipelines.jobs.taking_turns import taking_turns
from runtime.lake import lake_of

if TYPE_CHECKING:
    from pathlib import Path

    from features.importing import ImportReport
    from runtime.build import Kairos


def import_files(
    mapping: Path, kairos: Kairos, *, strict: bool = False, progress: Progress = quiet
) -> ImportReport:
    """Import what ``mapping`` names into lake and ledger; importing it again changes nothing.

    What waits in the inbox goes into the lake before: of two events under one id the first to arrive counts, also
    where the two came by different roads. Rows about customers who were erased are left out everywhere and
    counted.

    Raises:
        MappingError: the mapping does not fit the files.
        ImportRefusedError: ``strict``, and rows break a rule; nothing was imported.
    """
    lake, now = lake_of(kairos.settings), kairos.clock.now()
    with taking_turns(kairos.settings):
        drain_events(kairos, progress=progress)
        everywhere = Everywhere(lake, kairos.ledger, now)
        report = run_import(
            load_mapping(mapping),
            everywhere,
            quarantine_root=lake.quarantine,
            now=now,
            strict=strict,
            erased=kairos.ledger.privacy.buried,
            progress=progress,
            memory_limit=kairos.settings.memory_limit,
        )
        lake.compact(progress)
        # The lake compares every word of what it holds, the ledger knows what the lake does not hold yet.
        conflicts = max(report.conflicts, everywhere.conflicts)
        return replace(report, conflicts=conflicts, lake_faults=lake.check().faults)
