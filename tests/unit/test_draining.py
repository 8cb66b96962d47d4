"""What came over HTTP reaches the lake, once."""

from __future__ import annotations

import pytest

from features.contracts import Event
from pipelines.jobs import draining
from pipelines.jobs.draining import drain_events
from runtime.build import build
from runtime.lake import lake_of
from tests.worlds.service import NOW, settings_in

EVENTS = [
    Event(event_id=f"e{number}", customer_id="ada", type="purchased", occurred_at=NOW, value=1.0)
    for number in range(5)
]


@pytest.fixture
def kairos(tmp_path, monkeypatch):
    monkeypatch.setattr(draining, "BATCH", 2)
    with build(settings_in(tmp_path)) as kairos:
        yield kairos


def test_events_taken_over_http_reach_the_lake_in_batches(kairos):
    kairos.ledger.take_events(EVENTS, NOW)
    assert drain_events(kairos) == len(EVENTS)
    assert lake_of(kairos.settings).counts() == {"purchased": len(EVENTS)}


def test_an_event_reaches_the_lake_once_however_often_it_is_drained(kairos):
    kairos.ledger.take_events(EVENTS, NOW)
    drain_events(kairos)
    kairos.ledger.take_events(EVENTS, NOW)
    assert drain_events(kairos) == 0
    assert lake_of(kairos.settings).counts() == {"purchased": len(EVENTS)}


def test_a_drain_killed_before_it_marked_anything_doubles_nothing(kairos, monkeypatch):
    kairos.ledger.take_events(EVENTS, NOW)
    with monkeypatch.context() as patched:
        patched.setattr(kairos.ledger.__class__, "mark_drained", _killed)
        with pytest.raises(KeyboardInterrupt):
            drain_events(kairos)
    drain_events(kairos)
    assert lake_of(kairos.settings).counts() == {"purchased": len(EVENTS)}


def _killed(*_):
    raise KeyboardInterrupt
