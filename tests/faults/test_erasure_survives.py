"""An erasure killed anywhere goes on where it stopped: in the end nothing of the person is left, and no entry."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.jobs.building import build_tables
from pipelines.jobs.erasing import finish_erasures
from runtime.build import build
from tests.worlds.privacy import CANARY, KIN, fill, home_in, traces
from tests.worlds.service import NOW

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
KILLS = 6


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    """A home in which the ledger has forgotten the person, and nothing else has."""
    home = tmp_path_factory.mktemp("asked") / "home"
    with build(home_in(home)) as kairos:
        fill(kairos)
        build_tables(kairos)
        kairos.ledger.erase(CANARY, NOW)
    return home


def _run(*homes: Path) -> str:
    command = [sys.executable, "-m", "tests.worlds.erasure_workers", *map(str, homes)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_killed_at_any_step_and_run_again_it_ends_clean(asked, tmp_path):
    steps = int(_run(shutil.copytree(asked, tmp_path / "alive-0")))
    assert steps > KILLS
    numbers = {*range(1, steps, steps // KILLS), steps - 1, steps}  # the last two are in the ledger itself
    homes = [shutil.copytree(asked, tmp_path / f"killed-{number}") for number in sorted(numbers)]
    _run(*homes)
    for home in homes:
        with build(home_in(home)) as kairos:
            assert len(kairos.ledger.privacy.pending()) == 1, f"{home.name} of {steps} lost the entry"
            finish_erasures(kairos)
            assert kairos.ledger.privacy.pending() == []
        assert traces(home, CANARY) == [], f"{home.name} of {steps}"
        assert traces(home, KIN)
