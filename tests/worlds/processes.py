"""Runs that are stopped from outside while a process they began is at work."""

import os
import subprocess
import sys
import time
from pathlib import Path

from pipelines.options import ROOT

MARK = "KAIROS_TEST_MARK"
AS_FROM_A_TERMINAL = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""A shell lets what it begins in the background ignore Ctrl-C, and so would all that a suite begun there begins."""


def work_for_long():
    """Say which process works, and work on."""
    Path(os.environ[MARK]).write_text(str(os.getpid()))
    time.sleep(120)


def stop_and_expect_nobody_left(script, folder, how):
    """Run ``script``, send it the signal ``how`` while a child works for long: both end, and no other begins."""
    (path := folder / "run.py").write_text(AS_FROM_A_TERMINAL + script)
    mark = folder / "child"
    run = subprocess.Popen(
        [sys.executable, str(path)], env={**os.environ, "PYTHONPATH": str(ROOT), MARK: str(mark)}, cwd=ROOT
    )
    try:
        child = int(_eventually(lambda: mark.exists() and mark.read_text()))
        run.send_signal(how)
        assert run.wait(timeout=20) == -how
    finally:
        run.kill()
    assert _eventually(lambda: not _alive(child))
    assert int(mark.read_text()) == child


def _alive(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def _eventually(question, patience=40.0):
    end = time.monotonic() + patience
    while time.monotonic() < end:
        if found := question():
            return found
        time.sleep(0.05)
    raise AssertionError("it never came true")
