"""Benchmarks are found, say what they are measured against, and say what is missing; units are kept and resumed."""

import json
import os
import signal

import pytest

from benchmarks.answer import Row, answer
from benchmarks.fingerprint import fingerprint
from benchmarks.machine import machine
from benchmarks.world import running, scoreboard
from benchmarks.world.plan import Plan
from benchmarks.world.running import play_and_keep, play_by, run_units
from benchmarks.world.scoreboard import measure
from benchmarks.world.showing import frontier, sections, tables
from benchmarks.world.units import MADE_BY, TUNED_BY, Store, Unit
from features.progress import quiet
from measures.outcome import Interval, NotComputable
from pipelines.jobs.benching import known, run_benchmark
from tests.worlds import bench
from tests.worlds.processes import stop_and_expect_nobody_left

UNITS = [Unit(family="clusters", seed=seed, customers=200, days=60) for seed in (1, 2, 3)]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path, "code")


def test_every_benchmark_states_its_yardstick():
    found = known()
    assert found.keys() >= {"world", "world-long", "promises", "git-activity", "hillstrom", "open-bandit"}
    assert all(each.yardstick and each.says for each in found.values())


def test_a_module_without_a_yardstick_is_no_benchmark(tmp_path):
    (tmp_path / "helper.py").write_text('"""Helps."""\n')
    (tmp_path / "big_one.py").write_text(
        '"""Measures.\n\nYardstick: another,\nbetter one.\n\nData: a.csv, b.csv\n"""\n'
    )
    (only,) = known(tmp_path).values()
    assert (only.name, only.yardstick, only.files) == ("big-one", "another, better one.", ("a.csv", "b.csv"))


def test_a_set_that_was_asked_for_and_is_missing_is_said(tmp_path):
    with pytest.raises(ValueError, match="give --data"):
        run_benchmark("hillstrom", data=None, as_json=True)
    with pytest.raises(ValueError, match=r"hillstrom_first_half.csv, which is neither"):
        run_benchmark("hillstrom", data=tmp_path, as_json=True)
    with pytest.raises(ValueError, match="there is no benchmark 'speed'"):
        run_benchmark("speed", data=None, as_json=True)


def test_of_all_benchmarks_those_without_data_are_said_and_the_run_is_well(tmp_path, capsys):
    assert run_benchmark(None, data=tmp_path, as_json=True, every=True) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert "missing" in told["git-activity"]
    assert "world" not in told


def test_a_benchmark_run_by_itself_without_its_files_ends_with_2(tmp_path, capsys):
    from benchmarks.open_bandit import measure as of_open_bandit

    assert answer("About.", of_open_bandit, options=[("draws", 10)], arguments=["--data", str(tmp_path)]) == 2
    assert "the set is missing" in capsys.readouterr().err


def test_a_row_beside_a_known_number_is_a_ratio_with_its_interval(capsys):
    ours = Interval(estimate=2.0, low=1.0, high=3.0, level=0.95, n=9)
    about = {"case": "c", "measure": "m", "better": "lower", "yardstick": "y"}
    row = Row.beside(ours, theirs=4.0, **about)
    assert (row.ours, row.ratio, row.interval) == (2.0, 0.5, (0.25, 0.75))
    assert Row.beside(ours, theirs=0.0, **about).why
    assert Row.of(NotComputable("thin"), theirs=1.0, **about).why == "thin"
    assert answer("About.", lambda *_: ([row], {"more": 1}), arguments=["--data", ".", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["rows"][0]["ratio"] == 0.5
    assert told["machine"].keys() == {"python", "cores", "cpu"}


def test_the_machine_is_named_without_its_host():
    assert os.uname().nodename not in json.dumps(machine())


def test_a_second_run_plays_nothing_again(store):
    for unit in UNITS[:2]:
        play_and_keep(unit, bench.play, store)
    ran = run_units("played", UNITS[:2], bench.play_or_die, store, jobs=1, progress=quiet)
    assert [record["seed"] for record in ran.records] == [1, 2]
    assert not ran.failed


def test_a_unit_that_fails_does_not_keep_the_others_from_being_played(store):
    ran = run_units("played", UNITS, bench.play_or_fail, store, jobs=2, progress=quiet)
    assert [record["seed"] for record in ran.records] == [1, 3]
    assert ran.failed == {"clusters-2": "ValueError: the world ended"}


def test_a_unit_whose_process_dies_is_said_and_is_played_in_the_next_run(store):
    ran = run_units("played", UNITS[:2], bench.play_or_die, store, jobs=1, progress=quiet)
    assert "run again to go on" in ran.failed["clusters-2"]
    again = run_units("played", UNITS[:2], bench.play, store, jobs=1, progress=quiet)
    assert [record["seed"] for record in again.records] == [1, 2]


def test_a_record_cut_short_by_a_kill_is_none(store):
    (path := store.path(UNITS[0])).with_suffix(".77.partial").write_bytes(b'{"family"')
    assert store.read(UNITS[0]) is None
    path.write_bytes(b"")  # the machine went down before the disk had it
    assert store.read(UNITS[0]) is None


def test_a_record_that_other_code_or_options_made_is_not_taken(store, tmp_path):
    store.write(UNITS[0], bench.record())
    assert store.read(UNITS[0])
    assert Store(tmp_path, "changed").read(UNITS[0]) is None
    assert store.read(Unit(family="clusters", seed=1, customers=300, days=60)) is None
    store.forget(UNITS[0])
    assert store.read(UNITS[0]) is None


def test_the_fingerprint_moves_with_the_code_it_names_and_with_nothing_else(tmp_path):
    (tmp_path / "brain").mkdir()
    (tmp_path / "brain" / "a.py").write_text("1")
    before = fingerprint(("brain",), tmp_path)
    (tmp_path / "brain" / "notes.txt").write_text("x")
    (tmp_path / "page.py").write_text("x")
    assert fingerprint(("brain",), tmp_path) == before
    (tmp_path / "brain" / "a.py").write_text("2")
    assert fingerprint(("brain",), tmp_path) != before


@pytest.mark.parametrize("seen", [["before", "changed"], ["changed"]])
def test_a_unit_is_not_played_by_code_that_changed_since_the_run_began(seen, monkeypatch):
    on_disk = iter(seen)
    monkeypatch.setattr(running, "fingerprint", lambda parts: next(on_disk))
    with pytest.raises(RuntimeError, match="let the tree alone while it plays, and run again"):
        play_by("before", UNITS[0], bench.play)


def test_the_scoreboard_keeps_no_record_of_other_code_than_it_names(tmp_path, monkeypatch):
    real = fingerprint
    monkeypatch.setattr(scoreboard, "fingerprint", lambda parts: "before" if parts == MADE_BY else real(parts))
    plan = Plan(families=("clusters",), seeds=(1,), customers=200, folder=tmp_path)
    bench.tuned_before(plan, real(TUNED_BY))
    with pytest.raises(RuntimeError, match=r"clusters-1.*the code changed since this run began"):
        measure(plan, bench.WORK, jobs=1, fresh=False, progress=quiet)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_stopped_takes_its_children_along_and_begins_no_other_unit(how, tmp_path):
    script = (
        "from tests.worlds import bench; from benchmarks.world.units import *; from benchmarks.world.running import *\n"
        "from pathlib import Path; from features.progress import quiet\n"
        "if __name__ == '__main__':\n"
        "    units = [Unit(family='clusters', seed=seed) for seed in (1, 2, 3)]\n"
        f"    run_units('played', units, bench.play_for_long, Store(Path({str(tmp_path)!r}), 'c'), jobs=1, progress=quiet)\n"
    )
    stop_and_expect_nobody_left(script, tmp_path, how)


def test_the_whole_answer_has_the_keys_of_the_scoreboard_and_is_drawn(tmp_path):
    plan = Plan(families=("clusters", "low_effects"), customers=200, folder=tmp_path / "world", loop_seeds=1)
    bench.tuned_before(plan, fingerprint(TUNED_BY))
    store = Store(plan.folder, fingerprint(MADE_BY))
    for unit in plan.units[1:]:
        store.write(unit, bench.record(unit.family, unit.seed, noise=0.01))
    found = measure(plan, bench.WORK, jobs=1, fresh=False, progress=quiet)
    assert found["loop"]["seeds"] == [1]
    assert found["cap_violations"] == 2  # of the product, one a world
    assert (found["judged"], found["looks"]) == (False, None)
    assert found.keys() >= {
        "seeds",
        "families",
        "cap_violations",
        "oracles",
        "policies",
        "differences",
        "by_family",
    }
    assert found.keys() >= {"machine", "seconds", "verdict", "slope", "yardstick", "failed"}
    assert found["seeds"] == 6
    assert len(list(tables(found))) == len(list(sections(found)))
    assert next(name for name, *_ in frontier(found)) in found["policies"]
    json.dumps(found)


@pytest.mark.parametrize("wrong", [{"families": ("mars",)}, {"days": 61}, {"seeds": ()}])
def test_a_plan_that_cannot_be_played_is_refused(wrong):
    with pytest.raises(ValueError, match=r"mars|no score|the least"):
        Plan(**wrong)


def test_seeds_come_before_families_so_that_a_run_cut_short_is_balanced():
    units = Plan(families=("clusters", "low_effects"), seeds=(1, 2)).units
    assert [unit.name for unit in units] == ["clusters-1", "low_effects-1", "clusters-2", "low_effects-2"]
