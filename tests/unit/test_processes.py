"""Processes side by side share the cores, and none outlives the command that began it."""

import multiprocessing
import os
import signal

import pytest

from pipelines.processes import side_by_side
from tests.worlds.processes import stop_and_expect_nobody_left

SPAWN = multiprocessing.get_context("spawn")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_simulation_that_is_stopped_takes_its_seeds_along_and_begins_no_other(how, tmp_path):
    script = (
        "from dataclasses import dataclass; from pathlib import Path\n"
        "from pipelines.jobs.simulating import simulate; from tests.worlds.processes import work_for_long\n"
        "@dataclass\n"
        "class Plan:\n"
        "    days: int = 1\n"
        "    def home_of(self, seed): return Path('nowhere')\n"
        "    def run(self, seed): work_for_long()\n"
        "if __name__ == '__main__':\n"
        "    simulate(Plan(), seeds=(1, 2, 3), jobs=1)\n"
    )
    stop_and_expect_nobody_left(script, tmp_path, how)


def test_processes_share_the_cores_and_what_was_set_stays(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 9)
    monkeypatch.setenv("MKL_NUM_THREADS", "3")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    with side_by_side(2, SPAWN):
        assert (os.environ["OMP_NUM_THREADS"], os.environ["MKL_NUM_THREADS"]) == ("4", "3")
    assert "OMP_NUM_THREADS" not in os.environ
    assert os.environ["MKL_NUM_THREADS"] == "3"
