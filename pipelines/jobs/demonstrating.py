"""The whole path on real data: 2,469 households of the dunnhumby Complete Journey.

In the ``simulated`` world the same households are written to on channels that the data lack, by a sender and with
reactions that are simulated: half simulated, and named so.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from decisions.records import Decision
from features.importing import ImportReport
from features.progress import Progress, quiet
from pipelines.jobs.building import build_tables, materialize
from pipelines.jobs.importing import import_files
from pipelines.jobs.learning import Changed, changed_by_learning
from pipelines.jobs.overlaying import Overlaid, overlay
from pipelines.jobs.planning import PlanReport, plan_day
from pipelines.jobs.recounting import recount_ledger
from pipelines.jobs.training import all_trained, train_models
from pipelines.options import ROOT
from pipelines.recount import Report
from runtime.build import build
from runtime.lake import lake_of
from runtime.quiet import switch_off_usage_statistics
from runtime.settings import CONFIG_VARIABLE, Settings
from simulation.households.laying import HALF_SIMULATED
from training.outcome import Outcome

if TYPE_CHECKING:
    from runtime.build import Kairos

EXAMPLE = ROOT / "examples" / "complete_journey"
HOME = Path(".kairos") / "demo"
MODELS_HOME = Path("mlruns") / "demo"
PLAN_DAYS = 7
BUCKETS = 4
_DECLARED = {
    "real": ("policy.yaml", "catalogue.yaml"),
    "simulated": ("policy_simulated.yaml", "catalogue_simulated.yaml"),
}
World = Literal["real", "simulated"]
"""Real: what the data hold and nothing else. Simulated: messages on all channels laid over the real purchases."""
LOOKED_AT = 300
"""Sends, and holds, among which the ones to show are picked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoReport:
    """Everything the demo found, in the order it happened."""

    now: datetime
    imported: ImportReport
    overlaid: Overlaid | None
    """What was simulated; None in the real world."""
    households: int
    excluded: Mapping[str, int]
    outcomes: Sequence[Outcome]
    plan: PlanReport
    shown: Sequence[Decision]
    changed: Changed
    recount: Report
    seconds: float

    @property
    def world(self) -> str:
        """How true the data are."""
        return HALF_SIMULATED if self.overlaid else "real"

    def as_json(self) -> dict[str, Any]:
        """Return the object that ``kairos demo --json`` prints."""
        return {
            "world": self.world,
            "now": self.now.isoformat(),
            "households": {
                "total": self.households,
                "used": self.households - sum(self.excluded.values()),
                "excluded": dict(self.excluded),
            },
            "events_imported": dict(self.imported.events),
            **({"simulated": asdict(self.overlaid)} if self.overlaid else {}),
            "quarantined": dict(self.imported.quarantined),
            "models": {outcome.model: outcome.as_json() for outcome in self.outcomes},
            "decisions": {"send": self.plan.send, "hold": dict(self.plan.hold)},
            "plan": asdict(self.plan),
            "changed_by_learning": asdict(self.changed),
            "cap_violations": self.recount.counts["caps"] + self.recount.counts["gaps"],  # P1 is both
            "violations": self.recount.counts,
            "seconds": round(self.seconds, 1),
        }


def demonstrate(*, home: Path = HOME, world: World = "real", progress: Progress = quiet) -> DemoReport:
    """Import, build, train, decide and recount, from nothing; what an earlier demo left at ``home`` is removed.

    The clock stands at the last event of the data, so that the year 2017 is now.
    """
    started = time.perf_counter()
    _start_afresh(home)
    with closing(build(_settings(home, world))) as kairos:
        imported = import_files(EXAMPLE / "import.yaml", kairos, progress=progress)
        now = lake_of(kairos.settings).last_event_at()
    if now is None:
        raise ValueError(f"{EXAMPLE / 'import.yaml'} imported no event, so there is nothing to decide on")
    with closing(build(_settings(home, world, now=now))) as kairos:
        overlaid = overlay(kairos, progress=progress) if world == "simulated" else None
        build_tables(kairos, progress=progress)
        materialize(kairos, progress=progress)
        outcomes = all_trained(train_models(kairos, progress=progress))
        plan = plan_day(kairos, days=PLAN_DAYS, progress=progress)
        sends, holds = _some(kairos)
        return DemoReport(
            now=now,
            imported=imported,
            overlaid=overlaid,
            households=imported.customers,
            excluded=_excluded(kairos),
            outcomes=outcomes,
            plan=plan,
            shown=_worth_showing(sends, holds),
            changed=changed_by_learning(kairos, [*sends, *holds]),
            recount=recount_ledger(kairos),
            seconds=time.perf_counter() - started,
        )


def _start_afresh(home: Path) -> None:
    switch_off_usage_statistics()
    for leftover in (home, MODELS_HOME):
        shutil.rmtree(leftover, ignore_errors=True)
    home.mkdir(parents=True)


def _settings(home: Path, world: World, *, now: datetime | None = None) -> Settings:
    """Write the demo's own settings file, which ``--demo`` of every other command reads, and return it read."""
    values = {
        "home": home.absolute(),
        "policy": EXAMPLE / _DECLARED[world][0],
        "catalogue": EXAMPLE / _DECLARED[world][1],
        "mlflow_root": MODELS_HOME.absolute(),
        "model_prefix": "demo",
        "buckets": BUCKETS,
        "salt": "complete-journey",  # no secret: public data, and everybody's demo decides alike
    }
    if now is not None:
        values["now"] = now.isoformat()
    file = home / "kairos.toml"
    file.write_text("".join(f"{name} = {_toml(value)}\n" for name, value in values.items()), encoding="utf-8")
    os.environ[CONFIG_VARIABLE] = str(file.absolute())
    return Settings()


def _toml(value: object) -> str:
    return str(value) if isinstance(value, int) else f"'{value}'"


def _excluded(kairos: Kairos) -> dict[str, int]:
    """Return why households take no part: those of whom no good event is left after quarantine."""
    from features.lake import connect

    lake, silent = lake_of(kairos.settings), 0
    for bucket in range(lake.buckets):
        connection = connect(memory_limit=kairos.settings.memory_limit)
        customers, events = lake.customers(connection, bucket), lake.events(connection, bucket)
        silent += int(customers.anti_join(events, "customer_id").count().execute())
        connection.disconnect()
    return {"no_event": silent} if silent else {}


def _worth_showing(sends: Sequence[Decision], holds: Sequence[Decision]) -> list[Decision]:
    """Return decisions that differ: the most valuable send seen on each channel, a hold of each main reason."""
    best = {send.channel: send for send in sorted(sends, key=_worth)}
    reasons = {hold.reasons[0].code: hold for hold in reversed(holds)}
    return [*best.values(), *reasons.values()]


def _some(kairos: Kairos) -> tuple[list[Decision], list[Decision]]:
    """Return the first sends and the first holds: enough to pick from and to compare."""
    made = kairos.ledger.decisions_table().to_pylist()
    ids = {action: [row["decision_id"] for row in made if row["action"] == action] for action in ("send", "hold")}
    sends, holds = ([kairos.ledger.decision(each) for each in found[:LOOKED_AT]] for found in ids.values())
    return sends, holds


def _worth(decision: Decision) -> float:
    return decision.expected_value.total if decision.expected_value else 0.0
