"""The command reference: docs/cli.md, rendered from the commands' own help."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from runtime.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

_HEAD = """\
# The `kairos` command

Written by `make docs` from the commands' own help. What a command has to say goes to standard output, progress
and warnings to standard error; without a terminal tables are plain text, as wide as they must be. Every command
but `serve` takes `--json`: then standard output ends with one JSON object on its last line, `{"error": …}` where
it could not be done, and what people would read goes to standard error. Exit codes: 0 done; 1 failed, or the
answer is no (`monitor --strict` that found something, a replay that differs, a person who was erased); 2 asked
wrongly. `kairos --version` says which version this is.
"""

_SETTINGS = """\
## Settings

Keys of `kairos.toml` in the present folder, or of the file that `--config` names. `KAIROS_` and the name in
capitals, as in `KAIROS_PORT=3100`, lies above the file; two underscores stand for a point, as in
`KAIROS_RETENTION__INBOX=60`. Paths are relative to the present folder.
"""


def render(root: Any) -> str:
    """Return the page for the click command tree under ``root``."""
    return "\n".join([_HEAD, *_sections(root, "kairos"), *_settings()]).rstrip() + "\n"


def _settings() -> Iterator[str]:
    yield _SETTINGS
    yield "| setting | default | meaning |\n|---|---|---|"
    yield from _rows(Settings)


def _rows(model: type[BaseModel], within: str = "") -> Iterator[str]:
    """Yield a row for each field; a model within is a table of its own in ``kairos.toml``."""
    for name, field in model.model_fields.items():
        if isinstance(field.default, BaseModel):
            yield from _rows(type(field.default), f"{within}{name}.")
            continue
        default = "" if field.default in (None, PydanticUndefined) else f"`{field.default}`"
        said = (field.description or "").replace("`" * 2, "`").replace(chr(10), " ")
        yield f"| `{within}{name}` | {default} | {said} |"


def _sections(command: Any, name: str) -> Iterator[str]:
    children = getattr(command, "commands", None)
    if children is None:
        yield from _section(command, name)
        return
    for child in sorted(children):
        yield from _sections(children[child], f"{name} {child}")


def _section(command: Any, name: str) -> Iterator[str]:
    yield f"## `{name}`\n"
    yield inspect.cleandoc(command.help or "").replace("\b\n", "").strip() + "\n"
    rows = [_row(parameter) for parameter in command.params if parameter.name != "help"]
    if rows:
        yield "| option | meaning |\n|---|---|\n" + "\n".join(rows) + "\n"


def _row(parameter: Any) -> str:
    if parameter.param_type_name == "option":
        spelled = ", ".join(f"`{name}`" for name in (*parameter.opts, *parameter.secondary_opts))
    else:
        spelled = f"`{parameter.metavar or parameter.name.upper()}`"
    return f"| {spelled} | {(parameter.help or '').replace('|', '/')} |"
