"""The rules of deciding as a page: every test in ``tests/spec`` is one sentence of it."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PREFIX = "test_"
_HEAD = """# The rules, one by one

Every sentence is the name of a test that holds it; the file below each heading shows the example. Written by
`make docs`. How the rules are stated in a policy is in [policy.md](policy.md).
"""


def render(folder: Path) -> str:
    """Return the page of the specifications in ``folder``, one section a file."""
    return "\n".join([_HEAD, *(line for file in sorted(folder.glob("test_*.py")) for line in _section(file))])


def _section(file: Path) -> Iterator[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    title, _, more = (ast.get_docstring(tree) or "").partition(": ")
    yield f"## {title}\n"
    yield f"{more[:1].upper()}{more[1:]} [{file.name}](../tests/spec/{file.name})\n"
    names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
    yield from (f"- {_sentence(name)}" for name in names if name.startswith(_PREFIX))
    yield ""


def _sentence(name: str) -> str:
    words = name.removeprefix(_PREFIX).replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}."
