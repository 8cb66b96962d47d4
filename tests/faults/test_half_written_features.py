"""Parquet that was only half written: readers see whole files or an error that names the one that is not."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from features.build import build_features
from features.lake import Lake
from features.store import FeatureStore, FeaturesUnavailable
from tests.worlds.features import WORDS, MemoryLake, customer, event, utc
from tests.worlds.lake import event as lake_event
from tests.worlds.lake import events, ids

ROOT = Path(__file__).parents[2]
UNTIL = utc(2026, 3, 2)
PEOPLE = [f"c{number}" for number in range(6)]

# Kills itself with signal 9 in the middle of writing the nth file of features.
_BUILDER = """
import os, signal, sys
from contextlib import contextmanager
from pathlib import Path
from features import build
from tests.faults.test_half_written_features import world

root, at, count, whole = Path(sys.argv[1]), int(sys.argv[2]), 0, build.replacing

@contextmanager
def replacing(path):
    global count
    count += 1
    with whole(path) as draft:
        if count == at:
            draft.write_bytes(b"PAR1 half a file")
            os.kill(os.getpid(), signal.SIGKILL)
        yield draft

build.replacing = replacing
world(root, threads=1)
"""


def world(root, *, threads=2):
    rows = [event(who, "purchased", UNTIL - timedelta(days=each), value=9.0) for who in PEOPLE for each in (3, 9)]
    lake = MemoryLake(rows, [customer(who, zone="Europe/Berlin") for who in PEOPLE])
    return build_features(lake, root, vocabulary=WORDS, until=UNTIL.date(), threads=threads)


def known(root):
    spine = pa.table({"customer_id": PEOPLE, "event_timestamp": pa.array([UNTIL] * len(PEOPLE))})
    return FeatureStore(root, WORDS).rhythm_at(spine)


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 4])
def test_a_build_that_was_killed_in_mid_write_is_no_build_and_the_next_one_is_whole(tmp_path, at):
    run = subprocess.run([sys.executable, "-c", _BUILDER, str(tmp_path), str(at)], cwd=ROOT, check=False)
    assert run.returncode == -signal.SIGKILL
    with pytest.raises(FeaturesUnavailable, match="kairos features build"):
        known(tmp_path)
    assert not [path for path in tmp_path.rglob("*.parquet") if path.read_bytes() == b"PAR1 half a file"]
    assert world(tmp_path).customers == len(PEOPLE)
    assert known(tmp_path).null_count == 0


def test_a_snapshot_that_was_cut_short_is_named_and_the_next_build_mends_it(tmp_path):
    world(tmp_path)
    half = tmp_path / "signs" / "00001.parquet"
    half.write_bytes(half.read_bytes()[:-20])
    with pytest.raises(FeaturesUnavailable, match=r"signs/00001\.parquet"):
        known(tmp_path)
    world(tmp_path)
    assert known(tmp_path).null_count == 0


@pytest.mark.parametrize("left", [0, 4, -9])
def test_a_file_of_the_lake_that_was_cut_short_is_named_by_every_reader(tmp_path, left):
    lake = Lake(tmp_path / "lake", buckets=1)
    lake.append(events(lake_event("e1"), lake_event("e2")))
    (part,) = lake.root.rglob("part-*.parquet")
    part.write_bytes(part.read_bytes()[:left])
    for read in (ids, Lake.counts, Lake.last_event_at):
        with pytest.raises(Exception, match=part.name):
            read(lake)


def test_a_file_of_the_lake_that_was_cut_short_stops_an_append_before_it_changes_anything(tmp_path):
    lake = Lake(tmp_path / "lake", buckets=1)
    lake.append(events(lake_event("e1")))
    (part,) = lake.root.rglob("part-*.parquet")
    whole = part.read_bytes()
    part.write_bytes(whole[:-9])
    with pytest.raises(Exception, match=part.name):
        lake.append(events(lake_event("e1"), lake_event("e2")))
    part.write_bytes(whole)
    assert ids(lake) == ["e1"]
    assert lake.append(events(lake_event("e1"), lake_event("e2"))).new == 1
