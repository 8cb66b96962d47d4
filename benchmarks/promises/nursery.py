"""Workers of the real service, born in a fraction of a second: forked from a parent that has imported everything.

Each is BentoML's own worker process (``_bentoml_impl.worker.service``) serving ``serving.service`` over HTTP with
the settings it is told; only the imports, five seconds of them, are done once. As a program this module is that
parent: it reads an environment a line and answers with the process id of a worker born into it.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import httpx
import psutil

from runtime.quiet import USAGE_STATISTICS_OFF
from runtime.serve_command import SERVICE, serve_command
from runtime.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

_READY_SECONDS = 60.0
_OK = 200


class Nursery:
    """The parent of workers. As a context manager it ends with everyone it gave birth to."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._born: list[Worker] = []
        self._parent: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        """Do nothing yet: the parent starts with the first birth, whose settings it rehearses."""
        (self._folder / "prometheus").mkdir(parents=True, exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        """End whoever is left."""
        for each in self._born:
            each.kill()
        if self._parent:
            self._parent.kill()
            self._parent.communicate()

    def start(self, settings: Settings) -> Worker:
        """Return a worker that serves ``settings`` and is ready."""
        command = serve_command(settings, environment={})
        places = {name: value for name, value in command.environment.items() if name.startswith("KAIROS_")}
        parent = self._parent = self._parent or self._begin(places)
        assert parent.stdin is not None
        assert parent.stdout is not None
        parent.stdin.write(json.dumps(places) + "\n")
        parent.stdin.flush()
        worker = Worker(int(parent.stdout.readline()), command.url)
        self._born.append(worker)
        worker.wait_until_ready()
        return worker

    def _begin(self, places: dict[str, str]) -> subprocess.Popen[str]:
        own = {
            "BENTOML_HOME": str(self._folder),
            "PROMETHEUS_MULTIPROC_DIR": str(self._folder / "prometheus"),
            "KAIROS_HOME": str(self._folder / "home"),
            "KAIROS_LEDGER_URL": f"sqlite:///{self._folder / 'rehearsal.db'}",
        }
        with (self._folder / "output.log").open("wb") as log:
            return subprocess.Popen(  # the command is ours, not a caller's
                [sys.executable, "-m", "benchmarks.promises.nursery"],
                env={**os.environ, **places, **USAGE_STATISTICS_OFF, **own},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )


class Worker:
    """One process that serves HTTP."""

    def __init__(self, pid: int, url: str) -> None:
        self._process = psutil.Process(pid)
        self.url = url

    def wait_until_ready(self) -> None:
        """Return once it can decide.

        Raises:
            RuntimeError: where it ended, or is not ready in a minute.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_ready():
            if time.monotonic() > deadline or not self._process.is_running():
                raise RuntimeError("the service's worker did not become ready; its output.log says why")
            time.sleep(0.02)

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == _OK
        except httpx.TransportError:
            return False

    def kill(self) -> None:
        """``kill -9``, and wait until it is gone."""
        with suppress(psutil.NoSuchProcess):
            self._process.kill()
            self._process.wait(10)


def main() -> None:
    """Import everything, then give birth for every line read."""
    from _bentoml_impl.worker import service  # type: ignore[import-untyped]  # noqa: PLC0415

    _rehearse()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead leave no zombie
    for line in sys.stdin:
        born = os.fork()
        if born == 0:
            _live(service.main, json.loads(line))
        sys.stdout.write(f"{born}\n")
        sys.stdout.flush()


def _rehearse() -> None:
    """Go through all that a worker does at its start, so that each finds it imported; forget the service."""
    import uvicorn  # noqa: F401, PLC0415  # imported for its children

    service = importlib.import_module("serving.service")
    with service.build(Settings()) as kairos:
        kairos.warm_up()
    del sys.modules["serving.service"]  # it read its settings when it was imported: each worker has its own


def _live(worker: object, environment: dict[str, str]) -> None:
    """Be a worker: what BentoML's supervisor passes to one, on a socket that is already listened to."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.dup2(2, 1)  # what it prints is not the parent's answer
    os.environ.update(environment)
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind((environment["KAIROS_HOST"], int(environment["KAIROS_PORT"])))
    worker(args=[SERVICE, "--fd", str(listening.detach()), "--service-name", "kairos", "--worker-id", "1"])  # type: ignore[operator]  # a click command


if __name__ == "__main__":
    main()
