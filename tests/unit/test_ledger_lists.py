"""A list that travels as one parameter is found by the index of its column."""

import json

from decisions.ledger.events import early, inbox, matching, open_events, passed, sends
from decisions.ledger.storage import migrate
from decisions.ledger.storage.session import Database


def _plan(database, statement, **values):
    with database.reading() as session:
        sql, constants = database._texts.of(statement)
        rows = session._cursor.execute(f"EXPLAIN QUERY PLAN {sql}", constants | values)
        return [row[3] for row in rows]


def test_no_table_is_read_through_for_a_few_of_its_rows(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'ledger.db'}", synchronous="normal")
    migrate.to_head(database)
    plans = [
        *_plan(database, early._MET, customer_ids=json.dumps(["c"])),
        *_plan(database, inbox._DIGESTS, ids=json.dumps(["e"])),
        *_plan(database, passed._SAID, ids=json.dumps([1])),
        *_plan(database, open_events._OF_CUSTOMERS, ids=json.dumps(["c"])),
        *_plan(database, sends._OF_SEVERAL, ids=json.dumps(["c"])),
        *_plan(database, sends._OF_DECISIONS, ids=json.dumps(["c"])),
        *_plan(database, matching._BY_NAME["message:"], who="c", key="m", name="message:m"),
        *_plan(database, matching._BY_NAME["decision:"], who="c", key="d", name="decision:d"),
    ]
    database.close()
    read_through = [step for step in plans if step.startswith("SCAN") and "json_each" not in step]
    assert read_through == []
    assert any("SEARCH inbox" in step for step in plans)
