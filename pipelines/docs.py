"""The generated pages of ``docs/``: written by ``make docs``, and held fresh by ``make check``.

Links between pages are checked as well: a page that is not there leads nowhere.
"""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING

from pipelines.options import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_LINK = re.compile(r"(?<!!)\[[^\]]+\]\(([^)#\s]+)(?:#[^)]*)?\)")
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def main() -> int:
    """Write the generated pages, or with ``--check`` say which are stale; return the exit code."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail when a page is stale")
    check = parser.parse_args().check
    problems = [*(_stale() if check else _write()), *dead_links(ROOT)]
    for problem in problems:
        print(problem, file=sys.stderr)  # noqa: T201  # a command's output
    return 1 if problems else 0


def _stale() -> Iterator[str]:
    for path, page in pages():
        if not path.exists() or path.read_text(encoding="utf-8") != page:
            yield f"{path.relative_to(ROOT)} is stale; run `make docs`"


def _write() -> Iterator[str]:
    for path, page in pages():
        path.write_text(page, encoding="utf-8")
    yield from ()


def pages() -> Iterator[tuple[Path, str]]:
    """Return each generated page and what it should hold."""
    for name, render in _PAGES.items():
        yield ROOT / name, render()


def _command_reference() -> str:
    from typer.main import get_command

    from pipelines.cli import app
    from pipelines.reference import render

    return render(get_command(app))


def _rules() -> str:
    from pipelines.specification import render

    return render(ROOT / "tests" / "spec")


def _policy_keys() -> str:
    from pipelines.keys import render

    return render()


def _feature_names() -> str:
    from pipelines.feature_names import render

    return render()


_PAGES: dict[str, Callable[[], str]] = {
    "docs/cli.md": _command_reference,
    "docs/features.md": _feature_names,
    "docs/policy-keys.md": _policy_keys,
    "docs/rules.md": _rules,
}


def dead_links(root: Path) -> Iterator[str]:
    """Return a sentence for every relative link in the tree's pages that leads nowhere."""
    for page in (
        *sorted(root.glob("*.md")),
        *sorted(root.glob("docs/**/*.md")),
        *sorted(root.glob("examples/**/*.md")),
    ):
        text = _FENCE.sub("", page.read_text(encoding="utf-8"))
        for target in _LINK.findall(text):
            if "://" not in target and not (page.parent / target).exists():
                yield f"{page.relative_to(root)} links to {target}, which is not there"


if __name__ == "__main__":
    sys.exit(main())
