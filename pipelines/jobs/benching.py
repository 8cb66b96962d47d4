"""Find and run benchmarks: each is a module in ``benchmarks/`` that says what it measures and against what.

A module is a benchmark where its docstring has a line that begins with ``Yardstick:``; one that reads public data
names its files in a line that begins with ``Data:``. Docstrings are read without importing anything.
"""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from pipelines.console import Screen, answer, table, tell
from pipelines.options import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from rich.console import RenderableType

FOLDER = ROOT / "benchmarks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """What a benchmark says of itself. ``files`` are what it reads of a data set of its own.

    ``about`` are the paragraphs of its docstring that explain the figures; commands are left out.
    """

    name: str
    says: str
    yardstick: str
    files: tuple[str, ...] = ()
    about: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        """Return the module that runs it."""
        return f"benchmarks.{self.name.replace('-', '_')}"

    def folder(self, data: Path) -> Path:
        """Return where its files are: in a folder of its name, or in ``data`` itself."""
        own = data / self.name.replace("-", "_")
        return own if own.is_dir() else data

    def missing(self, data: Path | None) -> str | None:
        """Return what is not there, in a sentence, or None where nothing is missing."""
        if not self.files:
            return None
        if data is None:
            return (
                f"{self.name} reads {', '.join(self.files)}: give --data DIR, the folder with the public data sets"
            )
        absent = [name for name in self.files if not (self.folder(data) / name).is_file()]
        where = f"neither in {data} nor in its folder {self.name.replace('-', '_')}"
        return f"{self.name} reads {', '.join(absent)}, which is {where}: the set is missing" if absent else None


def known(folder: Path = FOLDER) -> dict[str, Benchmark]:
    """Return the benchmarks by name."""
    modules = sorted({*folder.glob("*.py"), *folder.glob("*/__init__.py")})
    found = [_described(path, path.parent.name if path.stem == "__init__" else path.stem) for path in modules]
    return {each.name: each for each in found if each}


def run_benchmark(
    name: str | None, *, data: Path | None, as_json: bool, every: bool = False, more: Sequence[str] = ()
) -> int:
    """Run one benchmark, or ``every`` one that reads a data set, or list them all; return the exit code.

    ``more`` are options of its own. With ``every``, a set that is missing is said, and the others are run.

    Raises:
        ValueError: for a name that is not known, or a set that was asked for by name and is missing.
    """
    if every:
        return _run_all(data, as_json=as_json, more=more)
    if name is None:
        answer([_table()], {"benchmarks": [asdict(each) for each in known().values()]}, as_json=as_json)
        return 0
    if (name := name.replace("_", "-")) not in known():
        raise ValueError(f"there is no benchmark {name!r}; there are {', '.join(known())}")
    chosen = known()[name]
    if missing := chosen.missing(data):
        raise ValueError(missing)
    code, told = _run(chosen, data, as_json=as_json, more=more)
    if as_json:
        tell(told)
    return code


def _run_all(data: Path | None, *, as_json: bool, more: Sequence[str]) -> int:
    """Run all benchmarks of data sets; the ones of worlds and promises take long and are asked for by name."""
    screen, answers, worst = Screen(), dict[str, Any](), 0
    for benchmark in known().values():
        if not benchmark.files:
            continue
        if missing := benchmark.missing(data):
            screen.say(missing)
            answers[benchmark.name] = {"missing": missing}
            continue
        code, answers[benchmark.name] = _run(benchmark, data, as_json=as_json, more=more)
        worst = max(worst, code)
    if as_json:
        tell(answers)
    return worst


def _run(
    benchmark: Benchmark, data: Path | None, *, as_json: bool, more: Sequence[str]
) -> tuple[int, dict[str, Any]]:
    """Run it in a process of its own; return its exit code and, with ``as_json``, the object it told."""
    words = _words(benchmark, data, as_json=as_json, more=more)
    done = subprocess.run(words, stdout=subprocess.PIPE if as_json else None, check=False)  # noqa: S603  # a module of ours
    return done.returncode, _last_object(done.stdout, done.returncode) if as_json else {}


def _last_object(out: bytes, code: int) -> dict[str, Any]:
    lines = out.splitlines()
    try:
        return dict(json.loads(lines[-1] if lines else b""))
    except (ValueError, TypeError):
        return {"error": f"the benchmark ended with exit code {code}; standard error says why"}


def _words(benchmark: Benchmark, data: Path | None, *, as_json: bool, more: Sequence[str]) -> list[str]:
    where = ["--data", str(benchmark.folder(data).resolve())] if data and benchmark.files else []
    return [sys.executable, "-m", benchmark.module, *where, *(["--json"] if as_json else []), *more]


def _table() -> RenderableType:
    rows = [(each.name, each.says, each.yardstick) for each in known().values()]
    return table("Benchmarks", ("name", "what it measures", "yardstick"), rows)


def _described(path: Path, stem: str) -> Benchmark | None:
    about = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    yardstick = _line(about, "Yardstick:")
    if yardstick is None:
        return None
    files = tuple((_line(about, "Data:") or "").replace(",", " ").split())
    name = stem.replace("_", "-")
    return Benchmark(
        name=name, says=about.splitlines()[0], yardstick=yardstick, files=files, about=tuple(_explained(about))
    )


def _explained(about: str) -> Iterator[str]:
    """Give each paragraph after the first as one line, but for lists, commands and what is told elsewhere."""
    for part in about.split("\n\n")[1:]:
        if not part.startswith((" ", "Yardstick:", "Data:")):
            yield " ".join(part.split())


def _line(about: str, begins: str) -> str | None:
    """Return the paragraph that begins so, as one line, without its beginning."""
    found = next(
        (part for part in about.split("\n\n") for part in [part.strip()] if part.startswith(begins)), None
    )
    return " ".join(found.removeprefix(begins).split()) if found else None
