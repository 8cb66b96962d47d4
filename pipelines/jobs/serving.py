"""Run the service as a process: pipelines and serving are strangers."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from runtime.build import API_KEY_FILE
from runtime.serve_command import serve_command

if TYPE_CHECKING:
    from runtime.settings import Settings


def serve_until_stopped(settings: Settings) -> int:
    """Serve ``settings`` until the service ends or the terminal interrupts; return its exit code."""
    command = serve_command(settings, environment=os.environ)
    key = settings.home / API_KEY_FILE
    print(f"Kairos at {command.url} (pages at {command.url}/docs); callers' key: {key}", file=sys.stderr)  # noqa: T201  # a command's word
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
