"""What a figure was measured on, so that a reader can weigh it; no name of a host, no path."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import TypedDict


class Machine(TypedDict):
    """Python's version, the cores there are, and the processor as it calls itself (None: it does not say)."""

    python: str
    cores: int
    cpu: str | None


def machine() -> Machine:
    """Return what this runs on."""
    return Machine(python=platform.python_version(), cores=os.cpu_count() or 1, cpu=_cpu())


def line(found: Machine) -> str:
    """Return it as a sentence's part."""
    return f"Python {found['python']}, {found['cores']} cores, {found['cpu'] or 'processor unknown'}"


def _cpu(about: Path = Path("/proc/cpuinfo")) -> str | None:
    if not about.is_file():
        return platform.processor() or None
    lines = (each.partition(":") for each in about.read_text(encoding="utf-8").splitlines())
    return next((value.strip() for name, _, value in lines if name.strip() == "model name"), None)
