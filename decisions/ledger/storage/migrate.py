"""Bring a ledger to the schema of this version. Alembic is imported only where there is something to do."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import inspect, text

from decisions.ledger.storage.errors import LedgerCorrupt

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from decisions.ledger.storage.session import Database

HEAD = "0005"
"""The newest revision under ``migrations/versions``; a test holds the two together."""

FOLDER = Path(__file__).parent / "migrations"


def to_head(database: Database) -> None:
    """Migrate, unless it is already there. Several processes may open a new ledger at once: one of them migrates.

    Raises:
        LedgerCorrupt: where a newer version of Kairos has migrated the ledger; this one cannot read it safely.
    """
    if _revision_of(database) == HEAD:
        return
    with database.migrating() as connection:
        found = _stamp(connection)
        if found is not None and found > HEAD:
            raise LedgerCorrupt(f"the ledger is at schema {found}, newer than {HEAD} here; update Kairos")
        if found != HEAD:
            _upgrade(connection)


def _revision_of(database: Database) -> str | None:
    with database.connecting() as connection:
        return _stamp(connection)


def _stamp(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    return None if found is None else str(found)


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415  # a third of a second, needed once in a ledger's life
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
