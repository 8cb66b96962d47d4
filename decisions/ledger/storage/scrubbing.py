"""Deleted rows linger in the pages they lay on; here the file is rewritten without them."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from decisions.ledger.storage.errors import LedgerBusy

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from decisions.ledger.storage.session import Database


def scrub(database: Database) -> None:
    """Rewrite the ledger without the remains of deleted rows.

    SQLite: the whole file, and its write-ahead log is cut to nothing; writers wait meanwhile. PostgreSQL: a plain
    ``VACUUM``, which frees the dead rows of every table and lets others work; their bytes are overwritten as the
    space is used again.

    Raises:
        LedgerBusy: where a reader or writer of SQLite held on to the old pages; nothing is lost, try again.
    """
    with database.translating():
        if database.engine.dialect.name == "sqlite":
            _rewrite(database.engine)
        else:
            _vacuum(database.engine)


def _rewrite(engine: Engine) -> None:
    # The driver's own connection: SQLAlchemy's autocommit would leave it in another mode than the pool's.
    with closing(engine.raw_connection()) as connection:
        cursor = connection.cursor()
        cursor.execute("VACUUM")
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        held = cursor.fetchall()[0][0]
        cursor.close()
    if held:
        raise LedgerBusy("a reader held the ledger's old pages while they were to be rewritten; try again")


def _vacuum(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM")
