"""The right to be forgotten, in the ledger: every row goes at once, and no door lets the person in again."""

from __future__ import annotations

import pyarrow as pa
import pytest

from decisions.ledger import CustomerErased, LedgerBusy
from decisions.ledger.actor import acting
from decisions.ledger.people import erasure
from decisions.ledger.storage import schema, sqlite
from features.contracts import EVENT_SCHEMA, Preference
from tests.worlds.ledger import NOW, ada, consent, event, fresh, opened, record, send

KEY = b"the secret of the tombstones"


@pytest.fixture
def ledger(database_url):
    with opened(database_url, key=KEY) as ledger:
        ledger.put_customers([ada(), ada(customer_id="bob")])
        ledger.append_consents([consent(), consent(customer_id="bob")], NOW)
        record(ledger, send())
        yield ledger


def table_of(*events):
    rows = [{**each.model_dump(exclude={"properties"}), "properties": "{}"} for each in events]
    return pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)


def test_every_table_that_knows_customers_is_emptied():
    knowing = {table.name for table in schema.metadata.sorted_tables if "customer_id" in table.c}
    assert {table.name for table in erasure.OF_A_CUSTOMER} == knowing - {"pending_erasure"}


def test_the_counts_of_an_erasure_name_each_table(ledger):
    gone = ledger.privacy.erase("ada", NOW)
    assert {name: count for name, count in gone.items() if count} == {
        **dict.fromkeys(("record", "decision", "pressure", "consent", "customer", "outbox"), 1),
        "audit": 2,  # the consent and the place
    }


def test_no_door_lets_an_erased_customer_in_again(ledger):
    ledger.erase("ada", NOW)
    assert ledger.put_customers([ada(), ada(customer_id="cleo")]) == 1
    assert ledger.append_consents([consent(), consent(customer_id="cleo")], NOW) == 1
    loaded = ledger.load_events(table_of(event("sent", channel="sms"), event("sent", "bob", channel="sms")), NOW)
    assert (loaded.taken, loaded.duplicates, loaded.erased) == (1, 0, 1)
    assert [each.status for each in ledger.take_events([event("sent")], NOW)] == ["erased"]
    with pytest.raises(CustomerErased):
        ledger.put_preference(Preference(customer_id="ada"))
    assert sum(ledger.privacy.holdings("ada").counts.values()) == 0


def test_a_transaction_tells_who_was_erased(ledger):
    ledger.erase("ada", NOW)
    with ledger.transaction_many(["ada", "bob"]) as transaction:
        assert transaction.erased(["ada", "bob"]) == {"ada"}
    assert ledger.privacy.buried(["ada", "bob", "nobody"]) == {"ada"}


def test_tombstones_are_found_among_more_customers_than_one_question_holds(ledger, monkeypatch):
    monkeypatch.setattr(erasure, "LOOKED_UP_AT_ONCE", 3)
    ledger.erase("ada", NOW)
    ledger.erase("bob", NOW)
    assert ledger.privacy.buried([*map(str, range(10)), "bob", "ada"]) == {"ada", "bob"}


def test_the_installation_remembers_when_and_by_whom_but_not_who_was_erased(ledger):
    with acting("key-17"):
        ledger.erase("ada", NOW)
    *_, entry = ledger.privacy.holdings("").rows["audit"]
    assert (entry["what"], entry["at"], entry["actor"]) == ("customer_erased", NOW, "key-17")
    assert entry["detail"] == erasure.digest(KEY, "ada")
    assert entry["decision_id"] is None


def test_nobody_is_not_erased_and_the_installation_keeps_its_audit(ledger):
    ledger.erase("ada", NOW)
    before = ledger.privacy.holdings("").rows["audit"]
    with pytest.raises(ValueError, match="'' is no customer id"):
        ledger.erase("", NOW)
    assert ledger.privacy.holdings("").rows["audit"] == before


def test_an_erasure_is_pending_until_the_other_stores_have_followed(ledger):
    ledger.erase("ada", NOW)
    (waiting,) = ledger.privacy.pending()
    assert (waiting.customer_id, waiting.asked_at) == ("ada", NOW)
    ledger.privacy.finish([waiting.erasure_id])
    assert ledger.privacy.pending() == []


def test_erasing_twice_is_pending_once(ledger):
    ledger.erase("ada", NOW)
    assert ledger.erase("ada", NOW) == 0
    assert len(ledger.privacy.pending()) == 1


def test_an_erasure_cut_short_while_the_file_is_rewritten_stays_pending_without_the_id(ledger, monkeypatch):
    def busy(_):
        raise LedgerBusy("somebody reads")

    ledger.erase("ada", NOW)
    (waiting,) = ledger.privacy.pending()
    with monkeypatch.context() as patched:
        patched.setattr("decisions.ledger.storage.session.Database.scrub", busy)
        with pytest.raises(LedgerBusy):
            ledger.privacy.finish([waiting.erasure_id])
    (left,) = ledger.privacy.pending()
    assert (left.erasure_id, left.customer_id) == (waiting.erasure_id, None)


def test_a_finished_erasure_leaves_no_byte_of_the_id_in_the_file(tmp_path):
    canary = "canary-in-the-pages"
    with fresh(tmp_path, key=KEY) as ledger:
        ledger.put_customers([ada(customer_id=canary)])
        for number in range(50):
            record(ledger, send(canary, request_id=f"plan:{canary}:{number}", channel=f"x{number}"))
        ledger.erase(canary, NOW)
        ledger.privacy.finish([each.erasure_id for each in ledger.privacy.pending()])
        for file in tmp_path.iterdir():
            assert canary.encode() not in file.read_bytes(), file.name


def test_a_reader_who_holds_the_old_pages_makes_the_scrub_busy(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    with fresh(tmp_path, key=KEY) as ledger:
        ledger.erase("ada", NOW)
        with ledger._database.reading() as session:
            session.rows(schema.customer.select())
            with pytest.raises(LedgerBusy, match="try again"):
                ledger.privacy.finish([each.erasure_id for each in ledger.privacy.pending()])
        assert len(ledger.privacy.pending()) == 1


def test_another_member_of_the_household_stays(ledger):
    ledger.put_customers([ada(household_id="h"), ada(customer_id="bob", household_id="h")])
    ledger.erase("ada", NOW)
    assert ledger.customer("bob").household_id == "h"


def test_what_an_export_counts_is_what_an_erasure_takes(ledger):
    ledger.take_events([event("sent", channel="sms"), event("opened", channel="sms")], NOW)
    held = ledger.privacy.holdings("ada")
    gone = ledger.privacy.erase("ada", NOW)
    assert held.counts == {name: count for name, count in gone.items() if name != "record"}
    assert len(held.decisions) == gone["record"] == 1
    assert {name: len(rows) for name, rows in held.rows.items()} == {name: held.counts[name] for name in held.rows}
