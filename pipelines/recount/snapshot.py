"""The ledger as it stood at one moment: what is at work is judged without a decision half seen."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, make_url

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import URL, Connection

_BEGIN = {
    "sqlite": "BEGIN",
    "postgresql": "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
}


@contextmanager
def snapshot(url: str) -> Iterator[Connection]:
    """Lend a connection to the ledger at ``url`` on which every statement sees the same moment."""
    engine = create_engine(_driven(url))
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(_BEGIN[engine.dialect.name])
            yield connection
    finally:
        engine.dispose()


def _driven(url: str) -> URL:
    """Return the URL with the driver that is installed, however it spells PostgreSQL."""
    parsed = make_url(url)
    is_sqlite = parsed.get_backend_name() == "sqlite"
    return parsed if is_sqlite else parsed.set(drivername="postgresql+psycopg")
