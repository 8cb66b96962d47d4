"""What came over HTTP reaches the lake, once."""

from __future__ import annotations

import json

import pytest

from features.contracts import Event
from pipelines.jobs import draining
from pipelines.jobs.draining import drain_events
from pipelines.jobs.importing import import_files
from runtime.build import build
from runtime.lake import lake_of
from tests.worlds.service import NOW, settings_in

EVENTS = [
    Event(event_id=f"e{number}", customer_id="ada", type="purchased", occurred_at=NOW, value=1.0)
    for number in range(5)
]

MAPPING = """
sources: {rows: events.jsonl}
events:
  - name: told
    from: rows
    event_id: "{event_id}"
    customer_id: "{customer_id}"
    type: "{type}"
    occurred_at: "{at}"
"""


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


def test_what_came_over_http_is_first_in_the_lake_too_when_a_file_brings_its_id_with_another_content(
    kairos, tmp_path
):
    kairos.ledger.take_events(EVENTS, NOW)
    told = {"customer_id": "bob", "type": "complained", "at": NOW.isoformat()}
    rows = [{"event_id": EVENTS[0].event_id, **told}, {"event_id": "another", **told}]
    (tmp_path / "events.jsonl").write_text("".join(f"{json.dumps(each)}\n" for each in rows))
    (tmp_path / "import.yaml").write_text(MAPPING)
    report = import_files(tmp_path / "import.yaml", kairos)
    assert (report.duplicates, report.conflicts) == (1, 1)
    assert lake_of(kairos.settings).counts() == {"purchased": len(EVENTS), "complained": 1}
    again = import_files(tmp_path / "import.yaml", kairos)
    assert (again.duplicates, again.conflicts) == (2, 1)


def test_an_id_that_somebody_erased_once_had_is_free_for_another(kairos):
    mine, another = (
        Event(event_id="e", customer_id=who, type="session", occurred_at=NOW) for who in ("ada", "ben")
    )
    kairos.ledger.take_events([mine], NOW)
    drain_events(kairos)
    kairos.ledger.privacy.erase("ada", NOW)
    kairos.ledger.take_events([another], NOW)
    assert drain_events(kairos) == 1
    assert lake_of(kairos.settings).known("ben").events["event_id"].to_pylist() == ["e"]
    assert len(kairos.ledger.privacy.pending()) == 1
