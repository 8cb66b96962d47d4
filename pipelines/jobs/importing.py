"""Files into lake and ledger."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.contracts import Preference
from features.importing import load_mapping, run_import
from features.progress import Progress, quiet
from pipelines.jobs.taking_turns import taking_turns
from runtime.lake import lake_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from decisions.ledger import Ledger
    from features.importing import ImportReport
    from features.lake import Appended, Lake
    from runtime.build import Kairos


def import_files(
    mapping: Path, kairos: Kairos, *, strict: bool = False, progress: Progress = quiet
) -> ImportReport:
    """Import what ``mapping`` names into lake and ledger; importing it again changes nothing.

    Rows about customers who were erased are left out everywhere and counted.

    Raises:
        MappingError: the mapping does not fit the files.
        ImportRefusedError: ``strict``, and rows break a rule; nothing was imported.
    """
    lake, now = lake_of(kairos.settings), kairos.clock.now()
    with taking_turns(kairos.settings):
        report = run_import(
            load_mapping(mapping),
            _Everywhere(lake, kairos.ledger, now),
            quarantine_root=lake.quarantine,
            now=now,
            strict=strict,
            erased=kairos.ledger.privacy.buried,
            progress=progress,
            memory_limit=kairos.settings.memory_limit,
        )
        lake.compact(progress)
    return report


class _Everywhere:
    """Puts each row wherever it bears on something: what decisions must know goes to the ledger as well.

    The lake comes first and the ledger is idempotent, so that an import that died in between is mended by running
    it again.
    """

    def __init__(self, lake: Lake, ledger: Ledger, now: datetime) -> None:
        self._lake = lake
        self._ledger = ledger
        self._now = now

    def customers(self, table: pa.Table) -> None:
        self._lake.put_customers(table)
        self._ledger.put_customers(table, now=self._now)

    def events(self, table: pa.Table) -> Appended:
        appended = self._lake.append(table)
        self._ledger.load_events(table, self._now)
        return appended

    def consents(self, table: pa.Table) -> None:
        self._ledger.append_consents(table, self._now)

    def preferences(self, table: pa.Table) -> None:
        for row in table.to_pylist():
            self._ledger.put_preference(Preference.model_validate(row), now=self._now)
