"""Did it help? Exposures from the ledger or a file, outcomes from the lake."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import duckdb
import orjson

from experiments.analyse import analyse
from experiments.spec import load
from runtime.lake import lake_of

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from experiments.records import AnalysisReport
    from runtime.build import Kairos

# A customer who was asked about keeps their arm; the first decision is when the experiment began for them.
_FROM_DECISIONS = """
SELECT customer_id, arm, min(decided_at) AS assigned_at
FROM (SELECT customer_id, decided_at, json_value(experiments, $path) ->> '$' AS arm FROM made)
WHERE arm IS NOT NULL GROUP BY customer_id, arm
"""
_FROM_FILE = "SELECT customer_id::VARCHAR AS customer_id, arm::VARCHAR AS arm, assigned_at FROM {reader}($file)"
_READERS = {".parquet": "read_parquet", ".csv": "read_csv", ".jsonl": "read_json", ".ndjson": "read_json"}


def analyse_experiment(kairos: Kairos, plan: Path, *, exposures: Path | None = None) -> AnalysisReport:
    """Analyse the experiment that ``plan`` describes, up to now.

    Raises:
        SpecError: the plan cannot be used.
        ValueError: the exposures' file is of no known kind.
    """
    spec = load(plan)
    who = read_exposures(exposures) if exposures else exposures_of(kairos, spec.experiment_id)
    return analyse(spec, who, lake_of(kairos.settings), until=kairos.clock.now())


def exposures_of(kairos: Kairos, experiment_id: str) -> pa.Table:
    """Return who was decided for under which arm of the experiment, and when first."""
    made = kairos.ledger.decisions_table().select(["customer_id", "decided_at", "experiments"])
    with _connection() as connection:
        connection.register("made", made)
        path = f"$.{orjson.dumps(experiment_id).decode()}"
        return connection.execute(_FROM_DECISIONS, {"path": path}).to_arrow_table()


def read_exposures(file: Path) -> pa.Table:
    """Return a file's ``customer_id``, ``arm`` and ``assigned_at``: CSV, Parquet or JSON lines by its ending."""
    reader = _READERS.get(file.suffix)
    if reader is None:
        raise ValueError(f"exposures {file}: the ending {file.suffix!r} is none of {', '.join(_READERS)}")
    with _connection() as connection:
        return connection.execute(_FROM_FILE.format(reader=reader), {"file": str(file)}).to_arrow_table()


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
