"""Forget what is older than the settings keep it, in the ledger, the lake, the quarantine and the features."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from decisions.ledger.retention import RULES
from features.aging import old_materializations, old_quarantine
from features.progress import Progress, quiet
from pipelines.jobs.taking_turns import taking_turns
from runtime.lake import lake_of

if TYPE_CHECKING:
    from runtime.build import Kairos


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionReport:
    """What went, or with ``dry_run`` what would go, by the name of its setting.

    Rows of the ledger and of the lake; files of the quarantine; folders of materializations.
    """

    dry_run: bool
    gone: Mapping[str, int]


def retain(kairos: Kairos, *, dry_run: bool = False, progress: Progress = quiet) -> RetentionReport:
    """Apply the retention of the settings, or only count with ``dry_run``; null keeps a thing for ever.

    Places whose time is over are freed first.
    """
    now = kairos.clock.now()
    days = {name: kept for name, kept in kairos.settings.retention.model_dump().items() if kept is not None}
    gone: dict[str, int] = {}
    if not dry_run:  # a customer whom nobody asks about again would otherwise hold a lapsed place for good
        kairos.ledger.expire(now)
    with taking_turns(kairos.settings):
        for done, (name, kept) in enumerate(days.items()):
            progress("retain", done, len(days))
            gone[name] = _forget(kairos, name, now - timedelta(days=kept), now, dry_run=dry_run)
    progress("retain", len(days), len(days))
    return RetentionReport(dry_run=dry_run, gone=gone)


def _forget(kairos: Kairos, name: str, before: datetime, now: datetime, *, dry_run: bool) -> int:
    if name in RULES:
        work = kairos.ledger.retaining.count if dry_run else kairos.ledger.retaining.forget
        return work(name, before, now)
    return _ELSEWHERE[name](kairos, before, dry_run=dry_run)


def _events(kairos: Kairos, before: datetime, *, dry_run: bool) -> int:
    lake = lake_of(kairos.settings)
    old = lake.events_before(before.date())
    if old and not dry_run:
        lake.drop_months(before.date())
    return old


def _quarantine(kairos: Kairos, before: datetime, *, dry_run: bool) -> int:
    old = old_quarantine(lake_of(kairos.settings).quarantine, before)
    for file in () if dry_run else old:
        file.unlink()
    return len(old)


def _materializations(kairos: Kairos, before: datetime, *, dry_run: bool) -> int:
    old = old_materializations(kairos.settings.features, before)
    for folder in () if dry_run else old:
        shutil.rmtree(folder)
    return len(old)


class _Store(Protocol):
    """One store besides the ledger: forgets what is from before a moment, or counts it."""

    def __call__(self, kairos: Kairos, before: datetime, *, dry_run: bool) -> int: ...


_ELSEWHERE: Mapping[str, _Store] = {
    "events": _events,
    "quarantine": _quarantine,
    "materializations": _materializations,
}
