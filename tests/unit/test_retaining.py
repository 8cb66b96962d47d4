"""The retention of a home: the ledger's rows, the lake's months, refused rows, replaced online stores."""

from __future__ import annotations

import json
from datetime import timedelta

import pyarrow as pa
import pytest

from features.importing.quarantine import Quarantine
from features.layout import MATERIALIZED_AT, Layout
from pipelines.jobs.retaining import retain
from runtime.build import build
from runtime.lake import lake_of
from runtime.retention import Retention
from tests.worlds.ledger import event, hold, record
from tests.worlds.service import NOW, settings_in

DAY = timedelta(days=1)


@pytest.fixture
def kairos(tmp_path):
    with build(settings_in(tmp_path, buckets=2, retention=Retention(events=50, holds=90))) as kairos:
        taken = [
            event("session", at=NOW - days * DAY) for days in (1, 59, 70, 200)
        ]  # 59 days ago: a month not over
        kairos.ledger.take_events(taken, NOW)
        lake_of(kairos.settings).append(kairos.ledger.drain_inbox(10))
        record(kairos.ledger, hold(now=NOW - 100 * DAY))
        refused = pa.table({"rule": ["r"], "row": ["{}"], "customer_id": pa.array([None], pa.string())})
        for name, days in (("old", 91), ("young", 89)):
            quarantine = Quarantine(lake_of(kairos.settings).quarantine, NOW - days * DAY)
            quarantine.keep(refused, block=name, source="s", asks={"r": "x > 0"})
        _materialized(Layout(kairos.settings.features), current=30, others=(20, 5))
        yield kairos


def _materialized(layout, *, current, others):
    names = {days: (NOW - days * DAY).strftime(MATERIALIZED_AT) for days in (current, *others)}
    for name in names.values():
        (layout.online / name).mkdir(parents=True)
    layout.pointer.write_text(json.dumps({"folder": names[current]}))


def _left(kairos):
    lake = lake_of(kairos.settings)
    return {
        "events": sum(lake.counts().values()),
        "refused": sorted(path.name.partition("-")[0] for path in lake.quarantine.glob("*.parquet")),
        "online": len([each for each in Layout(kairos.settings.features).online.iterdir() if each.is_dir()]),
        "decisions": kairos.ledger.decisions_table().num_rows,
    }


def test_a_dry_run_counts_and_leaves_all(kairos):
    before = _left(kairos)
    report = retain(kairos, dry_run=True)
    assert {name: count for name, count in report.gone.items() if count} == {
        "holds": 1,
        "events": 2,
        "quarantine": 1,
        "materializations": 1,
    }
    assert _left(kairos) == before


def test_what_is_too_old_goes_everywhere_and_the_store_in_use_stays(kairos):
    counted = retain(kairos, dry_run=True).gone
    assert retain(kairos).gone == counted
    assert _left(kairos) == {"events": 2, "refused": ["young"], "online": 2, "decisions": 0}
    assert set(retain(kairos).gone.values()) == {0}


def test_what_is_kept_for_ever_is_not_even_looked_at(tmp_path):
    with build(settings_in(tmp_path, retention=Retention(holds=None))) as kairos:
        assert "holds" not in retain(kairos).gone
