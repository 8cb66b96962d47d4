"""A small fixed part of `kairos bench promises`: kills, a hammer, full and read-only disks, clocks that jump."""

import pytest

from benchmarks.promises import faults
from benchmarks.promises.draws import try_draws
from benchmarks.promises.erasures import erase_people
from benchmarks.promises.hammer import hammer
from benchmarks.promises.kills import kill_workers
from benchmarks.promises.planted import finds_what_was_planted
from benchmarks.promises.service_kills import kill_services
from benchmarks.promises.tally import Tally
from features.progress import quiet
from tests.worlds.promises import Databases, Folder

KILLS = 6


@pytest.fixture
def files(tmp_path):
    return Folder(tmp_path)


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request):
    if request.param == "sqlite":
        return request.getfixturevalue("files")
    return Databases(request.getfixturevalue("postgres"))


@pytest.fixture
def tally():
    return Tally()


def assert_clean(tally):
    assert tally.details == []
    assert (tally.lost, tally.confirmed_twice, tally.violations.total()) == (0, 0, 0)


def test_workers_killed_at_any_moment_lose_nothing_acknowledged_and_break_no_promise(store, tally):
    kill_workers(store, KILLS, seed=3, tally=tally, progress=quiet)
    assert_clean(tally)
    assert tally.faults == {"kill -9 of a worker": KILLS}
    assert tally.acknowledged > KILLS


def test_eight_processes_on_the_same_customers_overrun_no_cap_and_are_given_each_permission_once(store, tally):
    hammer(store, processes=8, asks=8, seed=3, tally=tally)
    assert_clean(tally)
    assert tally.cases["P1"] > 15
    assert tally.cases["P4"] > 15


@pytest.mark.slow
def test_the_service_killed_in_the_middle_of_requests_loses_nothing_acknowledged(files, tally):
    kill_services(files, 1, seed=3, tally=tally, progress=quiet)
    assert_clean(tally)
    assert tally.faults == {"kill -9 of the service": 1}


@pytest.mark.parametrize("fill", [faults.fill_by_quota, faults.fill_by_pages])
def test_a_full_disk_refuses_loses_nothing_and_works_again_once_there_is_room(files, tally, fill):
    faults.fill_the_disk(files, fill, seed=3, tally=tally)
    assert_clean(tally)
    assert tally.acknowledged > 0


def test_a_read_only_disk_is_refused_by_name_and_changes_nothing(files, tally):
    faults.write_to_a_read_only_disk(files, tally=tally)
    assert_clean(tally)
    assert tally.faults == {"read-only disk": 1}


def test_a_clock_that_jumps_overruns_no_cap_and_loses_no_place(store, tally):
    faults.jump_the_clock(store, seed=3, tally=tally)
    assert_clean(tally)


def test_whoever_is_erased_is_in_no_table_and_no_byte(store, tally):
    erase_people(store, count=6, seed=3, tally=tally)
    assert_clean(tally)
    assert tally.cases["P7"] == 3


def test_propensities_are_true_in_every_situation(tally):
    assert len(list(try_draws(draws=150, tally=tally))) == 5
    assert_clean(tally)


def test_what_is_planted_is_found(store):
    assert finds_what_was_planted(store)
