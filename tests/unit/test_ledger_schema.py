"""The file: migrations, settings, errors, weight."""

import sqlite3
import subprocess
import sys

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine

from decisions.ledger import Ledger, LedgerBusy, LedgerCorrupt, LedgerError, LedgerUnavailable
from decisions.ledger.storage import migrate, sqlite
from decisions.ledger.storage.schema import metadata
from tests.worlds.ledger import NOW, ada, fresh, record, send, state, url_in


def test_a_new_ledger_is_made_with_its_folders(tmp_path):
    with Ledger.open(url_in(tmp_path / "deep" / "down")) as ledger:
        assert ledger.customer_ids() == []


def test_the_migrations_end_in_the_schema_the_code_speaks_of(tmp_path):
    Ledger.open(url_in(tmp_path)).close()
    with create_engine(url_in(tmp_path)).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_the_head_named_in_code_is_the_newest_migration():
    config = Config()
    config.set_main_option("script_location", str(migrate.FOLDER))
    assert ScriptDirectory.from_config(config).get_current_head() == migrate.HEAD


def test_what_was_committed_is_there_when_opened_again(tmp_path):
    with fresh(tmp_path) as ledger:
        decision = record(ledger, send())
    with Ledger.open(url_in(tmp_path)) as ledger:
        assert ledger.decision(decision.decision_id) == decision


@pytest.mark.parametrize(("mode", "number"), [("full", 2), ("normal", 1)])
def test_every_connection_keeps_the_promised_durability(tmp_path, mode, number):
    with fresh(tmp_path, synchronous=mode) as ledger, ledger._database.connecting() as connection:
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar() == number
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://h/x", "no url"])
def test_a_url_that_names_no_sqlite_file_is_refused_with_the_way_out(url):
    with pytest.raises(LedgerUnavailable, match="sqlite:///path"):
        Ledger.open(url)


def test_a_file_that_is_no_database_is_called_damaged(tmp_path):
    (tmp_path / "ledger.db").write_bytes(b"not a database at all, not even close to one" * 100)
    with pytest.raises(LedgerCorrupt):
        Ledger.open(url_in(tmp_path))


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LedgerUnavailable, match="folder"):
        Ledger.open(url_in(tmp_path / "file"))


def test_a_ledger_of_a_newer_version_is_left_alone(tmp_path):
    fresh(tmp_path).close()
    with sqlite3.connect(tmp_path / "ledger.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    with pytest.raises(LedgerCorrupt, match="9999"):
        Ledger.open(url_in(tmp_path))


def test_a_locked_ledger_says_so_and_nothing_is_half_written(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    with fresh(tmp_path) as ledger:
        other = sqlite3.connect(tmp_path / "ledger.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(LedgerBusy, match="try again"):
            record(ledger, send())
        other.execute("ROLLBACK")
        other.close()
        assert state(ledger).pressure == ()


def test_a_thread_that_waits_too_long_for_another_gives_up(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.05)
    with fresh(tmp_path) as ledger, ledger.transaction("ada"), pytest.raises(LedgerBusy, match="thread"):
        ledger.put_customers([ada()])


def test_a_store_that_breaks_under_way_is_unavailable(tmp_path):
    with fresh(tmp_path) as ledger:
        with ledger._database.writing(()) as session:
            session._cursor.execute("DROP TABLE inbox")
        with pytest.raises(LedgerUnavailable) as raised:
            ledger.drain_inbox(1)
        assert isinstance(raised.value, LedgerError)


def test_the_ledger_is_light():
    heavy = "pandas, mlflow, feast, lightgbm, sklearn, bentoml, duckdb, alembic, scipy, psycopg"
    code = f"import sys, decisions.ledger; print([m for m in '{heavy}'.split(', ') if m in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
    )


def test_a_naive_moment_is_refused(tmp_path):
    with fresh(tmp_path) as ledger, pytest.raises(TypeError):
        ledger.expire(NOW.replace(tzinfo=None))
