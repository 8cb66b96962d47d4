"""The demo, run once as a newcomer runs it: a process of its own, in an empty folder."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.options import ROOT
from tests.worlds.commands import Ran


@dataclass(frozen=True)
class Kairos:
    """The command in one folder, with an environment of nothing but what it needs."""

    folder: Path

    @property
    def environment(self):
        kept = {
            name: os.environ[name] for name in ("PATH", "HOME", "COVERAGE_PROCESS_START") if name in os.environ
        }
        return {**kept, "PYTHONPATH": str(ROOT), "COLUMNS": "110"}

    def __call__(self, *words: str) -> Ran:
        done = subprocess.run(
            [sys.executable, "-m", "pipelines", *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=540,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def kairos(tmp_path_factory):
    return Kairos(tmp_path_factory.mktemp("newcomer"))


@pytest.fixture(scope="session")
def demo(kairos):
    ran = kairos("demo", "--json")
    assert ran.code == 0, ran.err[-3000:]
    return ran
