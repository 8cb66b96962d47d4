"""Run the service as a process: pipelines and serving are strangers."""

from __future__ import annotations

import ipaddress
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from decisions.catalogue import load_catalogue
from decisions.policy import load_policy
from runtime.build import API_KEY_FILE
from runtime.checking import refuse_unsound
from runtime.serve_command import serve_command

if TYPE_CHECKING:
    from runtime.settings import Settings


_EXPOSED = (
    "warning: listening on {host}, so whoever reaches this machine may knock, and keys travel unencrypted; "
    "put a reverse proxy with TLS in front (docs/security.md), or listen on 127.0.0.1"
)


def serve_until_stopped(settings: Settings) -> int:
    """Serve ``settings`` until the service ends or the terminal interrupts; return its exit code.

    Raises:
        DocumentError: policy or catalogue cannot be read, or hold what cannot be meant.
    """
    for warning in refuse_unsound(settings, load_policy(settings.policy), load_catalogue(settings.catalogue)):
        print(warning, file=sys.stderr)  # noqa: T201  # a command's word
    command = serve_command(settings, environment=os.environ)
    key = settings.home / API_KEY_FILE
    print(f"Kairos at {command.url} (pages at {command.url}/docs); callers' key: {key}", file=sys.stderr)  # noqa: T201  # a command's word
    if not _is_loopback(settings.host):
        print(_EXPOSED.format(host=settings.host), file=sys.stderr)  # noqa: T201  # likewise
    process = subprocess.Popen(  # noqa: S603  # our own command, as a list
        command.argv, env=dict(command.environment)
    )
    # SIGTERM to this process alone would leave the service listening: pass it on.
    signal.signal(signal.SIGTERM, lambda _number, _frame: process.terminate())
    try:
        return process.wait()
    except KeyboardInterrupt:
        process.terminate()  # the terminal told the whole group; this waits for workers to end their requests
        process.wait()
        return 0


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
