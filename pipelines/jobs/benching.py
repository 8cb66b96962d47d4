"""Find and run benchmarks: each is a module in ``benchmarks/`` that says what it measures, and runs by itself."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
from typing import TYPE_CHECKING

import benchmarks
from pipelines.console import Screen, table
from pipelines.options import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def known() -> dict[str, str]:
    """Return the benchmarks by name, each with the first line of what it says of itself."""
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    return {name: (importlib.import_module(f"benchmarks.{name}").__doc__ or "").splitlines()[0] for name in names}


def run_benchmark(name: str | None, *, data: Path | None, as_json: bool, more: Sequence[str] = ()) -> int:
    """Run one benchmark, or list them all; return the exit code. ``more`` are options of its own.

    Raises:
        ValueError: for a name that is not known.
    """
    if name is None:
        Screen().say(table("Benchmarks", ("name", "what it measures"), list(known().items())))
        return 0
    if name not in known():
        raise ValueError(f"there is no benchmark {name!r}; there are {', '.join(known())}")
    folder = data / name if data and (data / name).is_dir() else data
    words = [*(["--data", str(folder)] if folder else []), *(["--json"] if as_json else []), *more]
    return subprocess.call(  # noqa: S603  # a module of ours, by a name that was looked up
        [sys.executable, "-m", f"benchmarks.{name}", *words], cwd=ROOT
    )
