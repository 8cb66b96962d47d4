"""Did it help? Exposures from the ledger or a file, outcomes from the lake."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import duckdb
import orjson

from experiments.spec import load
from runtime.clock import SystemClock
from runtime.lake import lake_of

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    import pyarrow as pa

    from experiments.records import AnalysisReport
    from runtime.build import Kairos
    from runtime.settings import Settings

# A customer who was asked about keeps their arm; the first decision is when the experiment began for them.
_FROM_DECISIONS = """
SELECT customer_id, arm, min(decided_at) AS assigned_at
FROM (SELECT customer_id, decided_at, json_value(experiments, $path) ->> '$' AS arm FROM made)
WHERE arm IS NOT NULL GROUP BY customer_id, arm
"""


def analyse_experiment(kairos: Kairos, plan: Path, *, until: datetime | None = None) -> AnalysisReport:
    """Analyse the experiment that ``plan`` describes, by the ledger's decisions.

    Raises:
        SpecError: the plan cannot be used.
    """
    from experiments.analyse import analyse

    spec = load(plan)
    who = exposures_of(kairos, spec.experiment_id)
    return analyse(spec, who, lake_of(kairos.settings), until=until, now=kairos.clock.now())


def analyse_file(
    settings: Settings, plan: Path, exposures: Path, *, until: datetime | None = None
) -> AnalysisReport:
    """Analyse the experiment that ``plan`` describes, by a file of exposures: nothing but a lake is needed.

    Raises:
        SpecError: the plan cannot be used.
        ValueError: the exposures cannot be used, or there is no lake.
    """
    from experiments.analyse import analyse
    from experiments.exposures import read_exposures

    if not settings.lake.is_dir():
        raise ValueError(f"there is no lake at {settings.lake}: import the events first (kairos import)")
    spec, who = load(plan), read_exposures(exposures)
    return analyse(spec, who, lake_of(settings), until=until, now=settings.now or SystemClock().now())


def exposures_of(kairos: Kairos, experiment_id: str) -> pa.Table:
    """Return who was decided for under which arm of the experiment, and when first."""
    made = kairos.ledger.decisions_table().select(["customer_id", "decided_at", "experiments"])
    with _connection() as connection:
        connection.register("made", made)
        path = f"$.{orjson.dumps(experiment_id).decode()}"
        return connection.execute(_FROM_DECISIONS, {"path": path}).to_arrow_table()


def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")  # a moment without an offset is UTC, as everywhere inside
    return connection


def arms_in_use(kairos: Kairos) -> list[tuple[str, str, float, int]]:
    """Return (experiment, arm, weight, customers decided for) of every experiment of the policy."""
    return [
        (experiment.experiment_id, arm.name, arm.weight, count[arm.name])
        for experiment in kairos.policy.experiments
        for count in [Counter(exposures_of(kairos, experiment.experiment_id)["arm"].to_pylist())]
        for arm in experiment.arms
    ]
