"""A simulation or a benchmark that is asked for wrongly says so in one line: the value, the rule and the way out."""

import sys

import pytest

from benchmarks.world.__main__ import main as scoreboard
from benchmarks.world_fit import main as fit
from pipelines import cli


@pytest.fixture
def told(monkeypatch, capsys, tmp_path):
    """Run a command that is refused, and return what it says."""

    def run(main, *words):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["kairos", *words])
        with pytest.raises(SystemExit) as ended:
            main()
        assert ended.value.code == 2
        assert not list(tmp_path.iterdir()), "something was begun"
        return capsys.readouterr().err.strip().splitlines()

    return run


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--world mars", "kairos: there is no family of worlds 'mars': choose among clusters, "),
        ("--customers 0", "kairos: --customers 0: 10 is the least; give 10 or more"),
        ("--days 0", "kairos: --days 0: 1 is the least; give 1 or more"),
        ("--history 0", "kairos: --history 0: 1 is the least; give 1 or more"),
        ("--history 366", "kairos: --history 366: 365 is the most; give 365 or fewer"),
        ("--retrain-days 0", "kairos: --retrain-days 0: 1 is the least; give 1 or more"),
        ("--refresh-days 0", "kairos: --refresh-days 0: 1 is the least; give 1 or more"),
        ("--seeds 0", "kairos: --seeds 0: 1 is the least; give 1 or more"),
        ("--seeds -1", "kairos: --seeds -1: 1 is the least; give 1 or more"),
        ("--jobs 0", "kairos: --jobs 0: 1 is the least; give 1 or more"),
        (
            "--policy missing.yaml",
            "kairos: --policy missing.yaml: no such file; give one that is there, or none for ",
        ),
    ],
)
def test_a_simulation_that_cannot_be_run_is_refused_before_anything_is_lived(told, words, says):
    (only,) = told(cli.main, "simulate", *words.split())
    assert only.startswith(says)


def test_a_benchmark_that_does_not_exist_is_refused_with_those_there_are(told):
    (only,) = told(cli.main, "bench", "nosuch")
    assert only.startswith("kairos: there is no benchmark 'nosuch'; there are ")
    assert "world-fit" in only


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("--families mars", "kairos bench: no family is called mars; there are clusters, "),
        ("--days 61", "kairos bench: a play of 61 days has no score: play 60 days, or 180"),
        ("--days 0", "kairos bench: a play of 0 days has no score: play 60 days, or 180"),
        ("--jobs 0", "error: argument --jobs: '0' is no whole number above zero; give 1 or more"),
        ("--customers few", "error: argument --customers: 'few' is no whole number above zero; give 1 or more"),
    ],
)
def test_a_scoreboard_that_cannot_be_played_is_refused(told, words, says):
    assert says in told(scoreboard, *words.split())[-1]


def test_a_fit_of_no_world_is_refused(told):
    assert "argument --seeds: '0' is no whole number above zero" in told(fit, "--seeds", "0")[-1]
