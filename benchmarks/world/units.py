"""What is played: one unit is one family with one seed. Its record is kept by a name that says what made it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

Record = Mapping[str, Any]
"""What came of one unit: see :mod:`benchmarks.world.study`."""

MADE_BY = (
    "simulation",
    "features",
    "decisions",
    "training",
    "measures",
    "runtime",
    "pipelines/jobs",
    "pipelines/recount",
    "pipelines/simulating",
    "benchmarks/world/rivals",
    "benchmarks/world/player",
    "benchmarks/world/posterior",
    "examples/simulated_shop",
    "benchmarks/world/expectations.py",
    "benchmarks/world/floors.py",
    "benchmarks/world/looping.py",
    "benchmarks/world/saying.py",
    "benchmarks/world/study.py",
    "benchmarks/world/swapping.py",
    "benchmarks/world/stage.py",
    "benchmarks/world/tuning.py",
    "benchmarks/world/units.py",
    "benchmarks/fingerprint.py",
    "requirements.lock",
)
"""The code that a record depends on. What judges and draws records may change without playing them anew."""
TUNED_BY = (
    "simulation",
    "features/contracts",
    "benchmarks/world/rivals",
    "benchmarks/world/stage.py",
    "benchmarks/world/tuning.py",
    "benchmarks/world/units.py",
    "benchmarks/fingerprint.py",
    "requirements.lock",
)
"""The code that what is tuned depends on: no idea about Kairos's values tunes its rivals anew."""
TUNED_IN = 9001
"""The seed of the worlds that rivals are tuned in: no unit is played in one."""
TUNING_CUSTOMERS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One world to play everything in."""

    family: str
    seed: int
    customers: int = 2000
    days: int = 60

    @property
    def name(self) -> str:
        """Return the unit in a word."""
        return f"{self.family}-{self.seed}"


@dataclass(frozen=True, slots=True)
class Store:
    """The records of a folder. One that other code or other options made is never taken for this one."""

    folder: Path
    code: str

    def path(self, unit: Unit) -> Path:
        """Return where the record of ``unit`` is, or will be."""
        made_of = orjson.dumps({**asdict(unit), "code": self.code}, option=orjson.OPT_SORT_KEYS)
        return self.folder / f"{unit.name}-{hashlib.sha256(made_of).hexdigest()[:16]}.json"

    def read(self, unit: Unit) -> Record | None:
        """Return the record of ``unit``, or None where it was never finished (or lost with the machine)."""
        try:
            record: Record = orjson.loads(self.path(unit).read_bytes())
        except (FileNotFoundError, orjson.JSONDecodeError):
            return None
        return record

    def write(self, unit: Unit, record: Record) -> None:
        """Keep a record: whole or not at all, whenever the process dies."""
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.path(unit)
        partial = path.with_suffix(f".{os.getpid()}.partial")
        partial.write_bytes(orjson.dumps(record, option=orjson.OPT_SERIALIZE_NUMPY))
        partial.replace(path)

    def forget(self, unit: Unit) -> None:
        """Lose the record of ``unit``, so that it is played again."""
        self.path(unit).unlink(missing_ok=True)
