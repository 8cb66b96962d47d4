"""What is PostgreSQL's own: URLs, settings of a session, locks, and errors without values."""

import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import make_url

from decisions.ledger import (
    DuplicateDecision,
    ImpossibleRow,
    Ledger,
    LedgerBusy,
    LedgerCorrupt,
    LedgerUnavailable,
    UnknownDecision,
)
from decisions.ledger.storage import postgresql
from decisions.ledger.storage.dialect import dialect_of
from decisions.ledger.storage.schema import metadata
from tests.worlds.ledger import DAY, HOUR, NOW, ada, consent, event, opened, record, send, state


@pytest.fixture
def url(postgres):
    url = postgres.fresh_url()
    yield url
    postgres.drop(url)


@pytest.fixture
def ledger(url):
    with opened(url) as ledger:
        yield ledger


@pytest.fixture
def impatient(url, monkeypatch):
    monkeypatch.setattr(postgresql, "BUSY_SECONDS", 0.1)
    with opened(url) as ledger:
        yield ledger


def told(error):
    """What a log would show of an error: its words and those of every error behind it."""
    behind = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{error!r} {error}" + (told(behind) if behind else "")


def scalar(ledger, statement):
    with ledger._database.connecting() as connection:
        return connection.exec_driver_sql(statement).scalar()


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_every_common_spelling_of_the_url_means_the_same(scheme):
    found = dialect_of(f"{scheme}://me:secret@host:5433/kairos?sslmode=require", synchronous="full").engine.url
    assert found.drivername == "postgresql+psycopg"
    assert (found.host, found.port, found.database, dict(found.query)) == (
        "host",
        5433,
        "kairos",
        {"sslmode": "require"},
    )


def test_a_server_that_is_not_there_is_named_and_the_password_is_not():
    with pytest.raises(LedgerUnavailable, match=r"127\.0\.0\.1") as raised:
        Ledger.open("postgresql://me:secret@127.0.0.1:1/kairos")
    assert "secret" not in told(raised.value)


def test_an_unreadable_url_does_not_show_its_password():
    with pytest.raises(LedgerUnavailable) as raised:
        Ledger.open("postgresql://me:secret@host:port/kairos")
    assert "secret" not in told(raised.value)


def test_the_migrations_end_in_the_schema_the_code_speaks_of(ledger):
    with ledger._database.connecting() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_every_word_is_compared_byte_by_byte(ledger):
    words = (
        "SELECT count(*) FILTER (WHERE collation_name IS DISTINCT FROM 'C') FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'character varying' AND table_name <> 'alembic_version'"
    )
    assert scalar(ledger, words) == 0
    ledger.put_customers([ada(customer_id=each) for each in ("é", "b", "B", "a")])
    assert ledger.customer_ids() == ["B", "a", "b", "é"]


def test_a_database_in_another_encoding_is_refused_with_the_way_out(postgres):
    url = postgres.blank_url("LATIN1")
    with pytest.raises(LedgerUnavailable, match=r"LATIN1.*ENCODING 'UTF8'"):
        Ledger.open(url)
    postgres.drop(url)


def test_a_ledger_of_a_newer_version_is_left_alone(url, postgres):
    with postgres.connect(url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(LedgerCorrupt, match="9999"):
        Ledger.open(url)


@pytest.mark.parametrize(("mode", "waits"), [("full", "on"), ("normal", "off")])
def test_every_session_keeps_the_promised_durability(url, postgres, mode, waits):
    with postgres.connect(url) as connection:
        connection.execute(f"ALTER DATABASE {make_url(url).database} SET synchronous_commit = off")
    with opened(url, synchronous=mode) as ledger:
        assert scalar(ledger, "SHOW synchronous_commit") == waits


def test_a_stronger_durability_of_the_server_is_kept(url, postgres):
    with postgres.connect(url) as connection:
        connection.execute(f"ALTER DATABASE {make_url(url).database} SET synchronous_commit = remote_apply")
    with opened(url, synchronous="full") as ledger:
        assert scalar(ledger, "SHOW synchronous_commit") == "remote_apply"


# Locks


def test_customers_do_not_wait_for_each_other(impatient):
    with impatient.transaction("ada"):
        assert record(impatient, send("bob")).state == "reserved"


def test_who_waits_too_long_for_a_customer_is_told_to_try_again(impatient):
    with impatient.transaction("ada"), pytest.raises(LedgerBusy, match="try again"):
        impatient.put_customers([ada()])
    assert impatient.put_customers([ada()]) == 1


def test_a_block_too_large_for_single_locks_waits_for_everybody_and_everybody_for_it(impatient, monkeypatch):
    monkeypatch.setattr(postgresql, "MANY", 2)
    with impatient.transaction_many(["a", "b", "c"]), pytest.raises(LedgerBusy):
        record(impatient, send("somebody else"))
    with impatient.transaction("somebody else"), pytest.raises(LedgerBusy), impatient.transaction_many("abc"):
        pass


def test_blocks_of_the_same_customers_in_any_order_do_not_deadlock(ledger):
    people = [f"c{number}" for number in range(40)]
    start = threading.Barrier(4)

    def write(turn):
        start.wait()
        for _ in range(10):
            ledger.put_customers([ada(customer_id=each) for each in people[::turn]])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, (1, -1, 1, -1)))
    assert ledger.customer_ids() == sorted(people)


def test_a_process_that_stops_in_mid_transaction_loses_its_locks_in_the_end(url, monkeypatch):
    monkeypatch.setattr(postgresql, "_IDLE_SECONDS", 1)
    with opened(url) as stopped, opened(url) as other:
        with pytest.raises(LedgerUnavailable), stopped.transaction("ada"):
            record(other, send("ada"))
        assert len(state(stopped).pressure) == 1


def test_a_decision_made_while_its_confirm_waits_for_the_lock_is_not_there_yet(ledger, monkeypatch):
    decision = record(ledger, send())
    monkeypatch.setattr(Ledger, "_owners", lambda *_: {})
    assert ledger.confirm(decision.decision_id, decision.send_at).code == "unknown_decision"
    assert ledger.decision(decision.decision_id).state == "reserved"


def test_a_lease_leaves_what_a_customers_writer_is_changing_for_the_next_round(impatient):
    first, second = record(impatient, send("ada")), record(impatient, send("bob"))
    with impatient._database.writing(["ada"]) as session:
        session._cursor.execute("UPDATE outbox SET due_at = due_at WHERE customer_id = 'ada'")
        (lent,) = impatient.lease(9, first.send_at, HOUR)
    assert lent.decision.decision_id == second.decision_id
    (lent,) = impatient.lease(9, first.send_at, HOUR)
    assert lent.decision.decision_id == first.decision_id


# Errors


@pytest.mark.parametrize(
    ("code", "named"),
    [
        ("55P03", LedgerBusy),
        ("57014", LedgerBusy),
        ("40P01", LedgerBusy),
        ("40001", LedgerBusy),
        ("53200", LedgerBusy),
        ("53300", LedgerBusy),
        ("23505", DuplicateDecision),
        ("23502", ImpossibleRow),
        ("23514", ImpossibleRow),
        ("22021", ImpossibleRow),
        ("22P05", ImpossibleRow),
        ("53100", LedgerUnavailable),
        ("25006", LedgerUnavailable),
        ("42501", LedgerUnavailable),
        ("57P01", LedgerUnavailable),
        ("08006", LedgerUnavailable),
        ("XX001", LedgerCorrupt),
    ],
)
def test_the_servers_codes_have_names_of_ours(code, named):
    dialect = dialect_of("postgresql://host/kairos", synchronous="full")
    assert type(dialect.translate(psycopg.errors.lookup(code)("said"))) is named


def test_no_value_of_a_row_is_in_what_is_raised_or_chained(ledger):
    first = record(ledger, send("ada@example.org"))
    with pytest.raises(DuplicateDecision, match="decision_pkey") as raised:
        record(ledger, send("ada@example.org", decision_id=first.decision_id))
    said = told(raised.value)
    with pytest.raises(ImpossibleRow, match="expires_at") as raised:
        record(ledger, send("ada@example.org", expires_at=None, decision_id="a-name-of-mine"))
    said += told(raised.value)
    assert "ada@" not in said
    assert "a-name-of-mine" not in said


def test_an_id_that_no_store_can_keep_is_nobodys_fault_but_the_callers(ledger):
    record(ledger, send())
    with pytest.raises(ImpossibleRow):
        ledger.decision("a\x00b")
    with pytest.raises(ImpossibleRow):
        ledger.confirm("a\x00b", NOW)
    with pytest.raises(UnknownDecision):
        ledger.decision("a\u00a0b")


def test_half_a_surrogate_pair_is_refused_on_both_databases(database_url):
    with opened(database_url) as ledger, pytest.raises(ImpossibleRow, match="surrogate"):
        ledger.timeline("\ud800")


def test_a_read_only_database_is_unavailable_and_works_again_when_it_is_not(url, postgres):
    with postgres.connect(url) as connection:
        connection.execute(f"ALTER DATABASE {make_url(url).database} SET default_transaction_read_only = on")
    with opened(url) as ledger:
        with pytest.raises(LedgerUnavailable, match="read-only"):
            record(ledger, send())
        assert ledger.states(["ada"], NOW)["ada"].pressure == ()
    with postgres.connect(url) as connection:
        connection.execute("SET default_transaction_read_only = off")
        connection.execute(f"ALTER DATABASE {make_url(url).database} RESET default_transaction_read_only")
    with opened(url) as ledger:
        assert record(ledger, send()).state == "reserved"


# Both


def test_threads_that_lease_at_once_are_never_lent_the_same(database_url):
    with opened(database_url) as ledger, ThreadPoolExecutor(4) as pool:
        made = [record(ledger, send(f"c{number}")) for number in range(60)]
        lent = list(pool.map(lambda _: ledger.lease(5, made[0].send_at, HOUR), range(16)))
    ids = [each.decision.decision_id for some in lent for each in some]
    assert sorted(ids) == sorted(each.decision_id for each in made)


def test_acknowledging_and_releasing_the_same_at_once_ends_well(database_url):
    with opened(database_url) as ledger, ThreadPoolExecutor(4) as pool:
        ids = [record(ledger, send(f"c{number}")).decision_id for number in range(40)]
        deeds = [
            lambda: ledger.ack(ids),
            lambda: ledger.release_many(ids[::-1], NOW),
            lambda: ledger.lease(40, NOW + 2 * HOUR, HOUR),
            lambda: [ledger.erase(f"c{number}", NOW) for number in range(0, 40, 2)],
        ]
        for done in [pool.submit(deed) for deed in deeds]:
            done.result()
        assert ledger.lease(40, NOW + DAY / 8 + HOUR, HOUR) == []


def test_draining_and_erasing_at_once_ends_well(database_url):
    with opened(database_url) as ledger, ThreadPoolExecutor(2) as pool:
        events = [event("viewed", f"c{number % 4}") for number in range(80)]
        ledger.append_consents([consent(customer_id=f"c{number}") for number in range(4)], NOW)
        ledger.take_events(events, NOW)
        ids = [each.event_id for each in events]
        draining = pool.submit(lambda: [ledger.mark_drained(ids[::-1]) for _ in range(5)])
        erasing = pool.submit(lambda: [ledger.erase(f"c{number}", NOW) for number in range(4)])
        draining.result(), erasing.result()
        assert len(ledger.drain_inbox(99)) == 0
