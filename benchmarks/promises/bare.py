"""The yardstick: the very statements of a reservation, sent through the driver with nothing in between.

A reservation is made once through the ledger on a scratch database while its cursor is listened to. What was
sent, with its parameters, is then sent again to another database by the driver alone.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest.mock import patch

from sqlalchemy import Engine

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


class Sent(NamedTuple):
    """One statement as the driver was given it, and whether its rows were read."""

    sql: str
    values: Any
    read: bool


Script = list[Sent]
"""All statements of one transaction, which ends in a commit."""


class _Cursor:
    """Passes everything on and writes down what passed."""

    def __init__(self, cursor: Any, script: Script) -> None:
        self._cursor = cursor
        self._script = script

    def execute(self, sql: str, values: Any = ()) -> _Cursor:
        self._script.append(Sent(sql, values, read=False))
        self._cursor.execute(sql, values)
        return self

    def _reading(self) -> Any:
        self._script[-1] = self._script[-1]._replace(read=True)
        return self._cursor

    def fetchall(self) -> Any:
        return self._reading().fetchall()

    def fetchone(self) -> Any:
        return self._reading().fetchone()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)


class _Connection:
    def __init__(self, connection: Any, script: Script) -> None:
        self._connection = connection
        self._script = script

    def cursor(self) -> _Cursor:
        return _Cursor(self._connection.cursor(), self._script)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


@contextmanager
def listening() -> Iterator[Script]:
    """Write down every statement that any ledger of this process sends meanwhile."""
    script: Script = []
    plain = Engine.raw_connection
    with patch.object(Engine, "raw_connection", lambda engine: _Connection(plain(engine), script)):
        yield script


def send(connection: Any, scripts: Sequence[Script]) -> None:
    """Send each script in a transaction of its own."""
    for script in scripts:
        cursor = connection.cursor()
        for sql, values, read in script:
            cursor.execute(sql, values)
            if read:
                cursor.fetchall()
        connection.commit()
