"""One look at a deployment: delivery health, pressure, drift, calibration, and what was decided."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from features.progress import Progress, quiet
from features.store import FeaturesUnavailable
from pipelines.jobs.inspecting import check_lake
from pipelines.monitor import delivery, models
from pipelines.monitor.records import Calibration, Drift, MonitorReport

if TYPE_CHECKING:
    from runtime.build import Kairos

STEPS = ("delivery", "pressure", "drift", "calibration", "lake")


def watch(kairos: Kairos, *, days: int = 28, progress: Progress = quiet) -> MonitorReport:
    """Compare the last ``days`` days with the same time before. What cannot be told is a note."""
    now, notes = kairos.clock.now(), list[str]()

    def done(steps: int) -> None:
        progress("monitor", steps, len(STEPS))

    done(0)
    rates = tuple(delivery.rates(kairos, now, days))
    done(1)
    loads = tuple(delivery.loads(kairos, now, days))
    done(2)
    drift = _drift(kairos, now, days, notes)
    done(3)
    calibration = _calibration(kairos, now, days, notes)
    done(4)
    lake = check_lake(kairos).found.faults
    done(5)
    return MonitorReport(
        now=now,
        days=days,
        rates=rates,
        loads=loads,
        drift=drift,
        calibration=calibration,
        decisions=_decisions(kairos, now, days),
        budgets=kairos.purse.standing(now),
        lake=lake,
        notes=tuple(notes),
    )


def _drift(kairos: Kairos, now: datetime, days: int, notes: list[str]) -> tuple[Drift, ...]:
    try:
        return tuple(models.drift(kairos, now, days))
    except FeaturesUnavailable as error:
        notes.append(f"drift cannot be told: {error}")
        return ()


def _calibration(kairos: Kairos, now: datetime, days: int, notes: list[str]) -> tuple[Calibration, ...]:
    try:
        found = tuple(models.calibration(kairos, now, days))
    except FeaturesUnavailable as error:
        notes.append(f"calibration cannot be told: {error}")
        return ()
    if not found:
        notes.append(f"calibration cannot be told: no message became ripe in the last {days} days")
    return found


def _decisions(kairos: Kairos, now: datetime, days: int) -> dict[str, int]:
    made = kairos.ledger.decisions_table(since=now - timedelta(days=days))
    return dict(Counter(made["state"].to_pylist()).most_common())
