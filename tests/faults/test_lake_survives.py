"""A writer killed anywhere leaves the lake as it was, or as it was to become; never between."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from features.files import write_parquet
from features.lake import Appended, Lake, bucket_of
from features.lake.manifest import Manifest
from tests.worlds.lake import customer, customers, event, events, everything, ids

ROOT = Path(__file__).parents[2]

# Kills itself with signal 9 at the nth part written, or right before (at 0) or after (at -1) the manifest.
_WRITER = """
import os, signal, sys
from pathlib import Path
from features.lake import Lake, manifest
from tests.worlds.lake import customer, customers, event, events

root, verb, at = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
die = lambda: os.kill(os.getpid(), signal.SIGKILL)
write, save, count = manifest.write_parquet, manifest.Manifest.save, 0

def write_and_die(table, path):
    global count
    count += 1
    if count == at:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"PAR1 half a file")
        die()
    write(table, path)

def save_and_die(self, root):
    if at == 0:
        die()
    save(self, root)
    if at == -1:
        die()

manifest.write_parquet, manifest.Manifest.save = write_and_die, save_and_die
lake = Lake(root)
if verb == "append":
    lake.append(events(*(event(f"e{n}", str(n)) for n in range(20))))
if verb == "put":
    lake.put_customers(customers(*(customer(str(n), "H") for n in range(20))))
"""


def _killed(lake: Lake, verb: str, at: int) -> None:
    run = subprocess.run([sys.executable, "-c", _WRITER, str(lake.root), verb, str(at)], cwd=ROOT, check=False)
    assert run.returncode == -signal.SIGKILL


@pytest.mark.parametrize("at", [2, 0])
def test_an_append_that_was_killed_left_nothing_and_can_be_run_again(tmp_path, at):
    lake = Lake(tmp_path / "lake", buckets=4)
    lake.append(events(event("before", "1")))
    _killed(lake, "append", at)
    assert ids(lake) == ["before"]
    again = events(*(event(f"e{n}", str(n)) for n in range(20)))
    assert lake.append(again) == Appended(new=20, duplicates=0)
    assert lake.append(again) == Appended(new=0, duplicates=20)
    assert len(ids(lake)) == 21


@pytest.mark.parametrize(("at", "moved"), [(3, False), (-1, True)])
def test_a_move_between_buckets_that_was_killed_doubles_and_loses_nobody(tmp_path, at, moved):
    lake = Lake(tmp_path / "lake", buckets=4)
    lake.append(events(*(event(f"e{n}", str(n)) for n in range(20))))
    _killed(lake, "put", at)
    assert len(ids(lake)) == 20
    assert (list(everything(lake)) == [bucket_of("H", 4)]) == moved
    lake.put_customers(customers(*(customer(str(n), "H") for n in range(20))))
    assert len(ids(lake)) == 20
    assert list(everything(lake)) == [bucket_of("H", 4)]


def test_a_half_written_file_is_never_read_and_goes_at_the_next_compaction(tmp_path):
    lake = Lake(tmp_path / "lake", buckets=1)
    lake.append(events(event("e1")))
    folder = next((lake.root / "events").rglob("month=*"))
    halves = [folder / "part-00000099.parquet", folder / ".part-00000098.parquet.4711.tmp"]
    for half in halves:
        half.write_bytes(b"PAR1 half a file")
    assert ids(lake) == ["e1"]
    assert lake.counts() == {"purchased": 1}
    assert lake.append(events(event("e1"), event("e2"))) == Appended(new=1, duplicates=1)
    lake.compact()
    assert ids(lake) == ["e1", "e2"]
    assert not any(half.exists() for half in halves)


def test_a_write_that_fails_takes_its_files_back(tmp_path, monkeypatch):
    lake = Lake(tmp_path / "lake", buckets=4)
    lake.append(events(event("e1")))
    before = sorted(lake.root.rglob("*"))

    def full(self, root):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Manifest, "save", full)
    with pytest.raises(OSError, match="No space left"):
        lake.append(events(event("e2"), event("e3")))
    assert [path for path in sorted(lake.root.rglob("*")) if path.is_file()] == [p for p in before if p.is_file()]
    assert ids(lake) == ["e1"]


def test_a_file_is_there_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "a.parquet"
    write_parquet(events(event("e1")), path)
    monkeypatch.setattr(pq, "write_table", lambda *_, **__: (_ for _ in ()).throw(OSError(28, "full")))
    with pytest.raises(OSError, match="full"):
        write_parquet(events(event("e2")), path)
    assert pq.ParquetFile(path).read()["event_id"].to_pylist() == ["e1"]
    assert [file.name for file in tmp_path.iterdir()] == ["a.parquet"]


def test_writers_at_the_same_time_take_turns(tmp_path):
    lake = Lake(tmp_path / "lake", buckets=4)
    writers = [
        subprocess.Popen([sys.executable, "-c", _WRITER, str(lake.root), "append", "99"], cwd=ROOT)
        for _ in range(2)
    ]
    assert [writer.wait() for writer in writers] == [0, 0]
    assert len(ids(lake)) == 20
    lake.put_customers(customers(customer("1", "H")))
    assert lake.append(events(event("e1", "1"))) == Appended(new=0, duplicates=1)
