"""The service as a process of its own: started, waited for, stopped, or killed with all its workers."""

from __future__ import annotations

import contextlib
import subprocess
import time
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Self

import httpx
import psutil

from runtime.serve_command import ServeCommand

if TYPE_CHECKING:
    from types import TracebackType

_POLL_SECONDS = 0.1
_PROBE_SECONDS = 2.0
_GONE_SECONDS = 5.0
_OK = 200


class ServiceNotReadyError(RuntimeError):
    """The service ended, or did not become ready in time. The message says which, and where its output is."""


@dataclass(slots=True, kw_only=True)
class ServiceProcess:
    """One running service. As a context manager it is stopped at the end, whatever happened.

    Its workers are ended with it: BentoML's supervisor starts each in a session of its own, where no signal to
    its group reaches them, and leaves them behind when it is killed.
    """

    command: ServeCommand
    output: IO[bytes] | int = subprocess.DEVNULL
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def __enter__(self) -> Self:
        """Start it; it is not ready yet."""
        self._process = subprocess.Popen(  # noqa: S603  # the command is ours, not a caller's
            self.command.argv,
            env=dict(self.command.environment),
            stdin=subprocess.DEVNULL,
            stdout=self.output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # an interrupt from the keyboard is its starter's to pass on
        )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it."""
        self.stop()

    @property
    def pid(self) -> int:
        """The supervisor's process id."""
        return self._running.pid

    @property
    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise RuntimeError("the service was not started; use it in a with block")
        return self._process

    def wait_until_ready(self, *, seconds: float = 60.0) -> None:
        """Return once the service answers that it is ready.

        Raises:
            ServiceNotReadyError: when it ended by itself, or is not ready after ``seconds``.
        """
        deadline = time.monotonic() + seconds
        while not self._is_ready():
            self._refuse_to_wait_longer(deadline, seconds)
            time.sleep(_POLL_SECONDS)

    def _refuse_to_wait_longer(self, deadline: float, seconds: float) -> None:
        where = getattr(self.output, "name", "nowhere: pass output=")
        if (code := self._running.poll()) is not None:
            raise ServiceNotReadyError(f"the service ended with exit code {code}; its output went to {where}")
        if time.monotonic() > deadline:
            raise ServiceNotReadyError(
                f"{self.command.ready_url} was not ready after {seconds:.0f} s; its output went to {where}"
            )

    def _is_ready(self) -> bool:
        try:
            answer = httpx.get(self.command.ready_url, timeout=_PROBE_SECONDS, trust_env=False)
        except httpx.TransportError:
            return False
        return answer.status_code == _OK

    def stop(self, *, seconds: float = 10.0) -> None:
        """Ask it to end, wait up to ``seconds``, then kill what is left."""
        family = self._family()
        if self._running.poll() is None:
            self._running.terminate()
        try:
            self._running.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
        _kill(family)

    def kill(self) -> None:
        """``kill -9`` the supervisor and every worker at once: the crash that P5 speaks of."""
        _kill(self._family())
        self._running.wait()

    def _family(self) -> list[psutil.Process]:
        """Return the supervisor and its workers, which lead sessions of their own and would outlive it."""
        try:
            supervisor = psutil.Process(self._running.pid)
            return [supervisor, *supervisor.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []


def _kill(processes: list[psutil.Process]) -> None:
    """Kill the supervisor first, so that it starts no worker anew."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=_GONE_SECONDS)
