"""A newcomer's folder: a shop's files, a policy, a catalogue, an experiment, and the command as a process over them."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.testing import CliRunner

from pipelines.cli import app
from pipelines.options import ROOT
from tests.worlds.training import BEGIN, DAYS, buyers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOW = BEGIN + timedelta(days=DAYS)
ASSIGNED = (NOW - timedelta(days=60)).isoformat()

FILES = {
    "policy.yaml": """
currency: EUR
channels: [mail]
quiet_hours: []
caps: [{limit: 2, window: 7d}]
daily_budget: {mail: 20}
experiments:
  - experiment_id: evening-sends
    layer: timing
    arms: [{name: as_before, weight: 0.5}, {name: evening, weight: 0.5}]
""",
    "catalogue.yaml": """
offers:
  - {offer_id: milk, category: grocery, channels: [mail], margin: 4, send_cost: {mail: 0.1}, eligibility: orders_90d >= 0}
""",
    "import.yaml": """
sources: {people: people.csv, happened: {path: happened.csv, types: {value: number}}}
customers:
  - {name: persons, from: people, customer_id: "{customer}", time_zone: Europe/Berlin, contacts: {mail: valid}}
consents:
  - name: agreed
    from: people
    customer_id: "{customer}"
    channel: mail
    purpose: marketing
    status: granted
    at: {value: "{since}"}
    source: shop
events:
  - name: all_of_it
    from: happened
    event_id: "{id}"
    customer_id: "{customer}"
    type: "{type}"
    occurred_at: {value: "{at}"}
    channel: "{channel}"
    value: "{value}"
    currency: EUR
    properties: {category: grocery}
""",
    "analysis.yaml": """
experiment_id: evening-sends
control: as_before
arms: {as_before: 0.5, evening: 0.5}
metrics:
  - {name: spend, kind: mean, numerator: {events: [purchased], what: value}, days: 14}
  - {name: buyers, kind: rate, numerator: {events: [purchased]}, days: 14}
""",
}


@dataclass(frozen=True)
class Ran:
    """A finished command."""

    code: int
    out: str
    err: str

    @property
    def answer(self):
        """The one JSON object on the last line of standard output, read strictly."""
        return json.loads(self.out.splitlines()[-1], parse_constant=_refused)


def _refused(word):
    raise ValueError(f"{word} is no JSON")


@dataclass(frozen=True)
class Shop:
    """The folder, and what is run in it: a process without a terminal, and without the tests' environment."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = ("PATH", "HOME", "COVERAGE_PROCESS_START")
        own = {
            "PYTHONPATH": str(ROOT),
            "KAIROS_NOW": NOW.isoformat(),
            "KAIROS_THREADS": "1",
            "KAIROS_BUCKETS": "2",
        }
        return {name: os.environ[name] for name in kept if name in os.environ} | own

    def __call__(self, *words: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "pipelines", *words],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=300,
            check=False,
        )
        return Ran(done.returncode, done.stdout.decode(), done.stderr.decode())

    @contextmanager
    def in_process(self, columns: str | None = None) -> Iterator[Callable[..., Any]]:
        """Give the command without a process of its own, in the folder and on a page of so many columns."""
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.delenv("COLUMNS", raising=False)
            for name, value in {**self.environment, **({"COLUMNS": columns} if columns else {})}.items():
                patch.setenv(name, value)
            yield lambda *words: CliRunner().invoke(app, words)


def shop_in(folder: Path) -> Shop:
    """Write the files of a shop into ``folder``."""
    for name, text in FILES.items():
        (folder / name).write_text(text)
    rows = buyers(customers=160)
    people = sorted({row["customer_id"] for row in rows})
    _write(folder / "people.csv", ("customer", "since"), [(who, BEGIN.isoformat()) for who in people])
    _write(
        folder / "happened.csv",
        ("id", "customer", "type", "at", "channel", "value"),
        [
            (f"e{n}", r["customer_id"], r["type"], r["occurred_at"].isoformat(), r.get("channel"), r.get("value"))
            for n, r in enumerate(rows)
        ],
    )
    arms = ("as_before", "evening")
    assigned = [(who, arms[number % 2], ASSIGNED) for number, who in enumerate(people)]
    _write(folder / "assigned.csv", ("customer_id", "arm", "assigned_at"), assigned)
    return Shop(folder)


def _write(file: Path, head, rows) -> None:
    with file.open("w", newline="") as opened:
        csv.writer(opened).writerows([head, *rows])
