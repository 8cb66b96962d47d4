"""A list that travels as one parameter is found by the index of its column."""

import json

from decisions.ledger.events import early, loading
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
        *_plan(database, loading._KNOWN, ids=json.dumps(["e"])),
    ]
    database.close()
    read_through = [step for step in plans if step.startswith("SCAN") and "json_each" not in step]
    assert read_through == []
    assert any("SEARCH inbox" in step for step in plans)
