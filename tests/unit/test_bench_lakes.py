"""The benchmark of random lakes: its histories, its oracle, its search, and that it finds what is planted."""

from __future__ import annotations

import json
import sqlite3
import zlib
from contextlib import closing

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.lakes import comparing, playing, running
from benchmarks.lakes.comparing import differences
from benchmarks.lakes.history import NOW, Step, history
from benchmarks.lakes.oracle import Oracle
from benchmarks.lakes.running import Plan, play_all
from benchmarks.lakes.searching import traces
from features.progress import quiet

SEED = 18
"""Few people, heard of by file and over HTTP, some of them erased in between."""
ODD = 'a"b\\c ü'


def test_a_seed_always_gives_the_same_history_and_another_one_another():
    assert history(SEED) == history(SEED)
    assert history(SEED) != history(SEED + 1)


def test_no_name_in_a_history_is_part_of_another():
    for seed in range(40):
        names = list(history(seed).homes)
        assert not [(a, b) for a in names for b in names if a != b and a in b]


def test_histories_hold_many_customers_of_one_to_three_events_over_many_months():
    told = max(map(history, range(12)), key=lambda each: len(each.homes))
    events = [event for step in told.steps for event in step.events]
    counts = [len({e["event_id"] for e in events if e["customer_id"] == who}) for who in told.homes]
    assert sum(count <= 4 for count in counts) > 0.8 * len(counts)
    assert len({f"{event['occurred_at']:%Y-%m}" for event in events}) > 9


def test_the_oracle_keeps_the_first_of_an_id_and_lets_nobody_come_back():
    first, second = ({"event_id": "e", "customer_id": who, "type": "session", "occurred_at": NOW} for who in "ab")
    oracle, told = Oracle(), history(SEED)
    steps = (Step("http", events=(first,)), Step("import", events=(second,)), Step("erase", people=("a",)))
    oracle.live(type(told)({"a": None, "b": None}, (*steps, Step("import", events=(first,)))))
    assert (oracle.events, oracle.gone) == ({}, {"a"})


def _parquet(path):
    pq.write_table(pa.table({"row": [f"before {ODD} after"]}), path.with_suffix(".parquet"))


def _packed(path):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (x BLOB)")
        connection.execute("INSERT INTO t VALUES (?)", (zlib.compress(json.dumps({"who": ODD}).encode()),))
        connection.commit()


@pytest.mark.parametrize(
    "plant",
    [
        lambda path: path.write_text(ODD),
        lambda path: path.write_text(json.dumps({"who": ODD})),
        lambda path: path.write_text(json.dumps({"line": json.dumps({"who": ODD}, ensure_ascii=False)}, ensure_ascii=False)),
        lambda path: path.write_text(ODD.replace('"', '""')),
        lambda path: path.with_name(ODD).write_text("its name"),
        _parquet,
        _packed,
    ],
)  # fmt: skip
def test_a_name_is_found_however_it_is_spelled_or_packed(tmp_path, plant):
    plant(tmp_path / "file")
    assert len(list(traces(tmp_path, [ODD]))) == 1
    assert list(traces(tmp_path, ["somebody else"])) == []


@pytest.mark.slow
def test_a_history_through_importer_and_http_ends_as_the_oracle_says():
    assert differences(SEED) == []


@pytest.mark.slow
def test_rows_that_are_misfiled_and_people_left_behind_are_found(monkeypatch):
    def misfiling(told, folder, *, seed):
        settings = playing.play(told, folder, seed=seed)
        files = sorted((settings.lake / "events").rglob("*.parquet"))
        files[0].replace(files[-1].with_name("part-00099999.parquet"))
        (settings.home / "left.log").write_text(
            next(step.people[0] for step in told.steps if step.verb == "erase")
        )
        return settings

    monkeypatch.setattr(comparing, "play", misfiling)
    found = " ".join(differences(SEED))
    assert "event " in found
    assert "missing_files" in found
    assert "erased, and still there" in found


def test_a_run_cut_short_goes_on_where_it_stopped_and_forgets_what_other_code_made(tmp_path, monkeypatch):
    played = []

    def fake(_, left, plan):
        for seed in left:
            played.append(seed)
            yield seed, [f"differs {seed}"] if seed == 3 else []

    monkeypatch.setattr(running, "_played", fake)
    plan = Plan(cases=4, seed=1, seconds=60, processes=1, state=tmp_path / "state.jsonl")
    monkeypatch.setattr(running, "fingerprint", lambda parts: "now")
    assert play_all(plan, quiet) == {1: [], 2: [], 3: ["differs 3"], 4: []}
    (tmp_path / "state.jsonl").write_text(
        "\n".join((tmp_path / "state.jsonl").read_text().splitlines()[:2]) + '\n{"code": "n'
    )
    assert play_all(plan, quiet)[3] == ["differs 3"]
    assert sorted(played) == [1, 2, 3, 3, 4, 4]
    monkeypatch.setattr(running, "fingerprint", lambda parts: "other")
    play_all(plan, quiet)
    assert len(played) == 10
