"""A mapping file into a mapping, with errors that name the key and what would be right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from features.documents import YamlError, read_yaml
from features.importing import mapping, values
from features.importing.mapping import ImportMapping
from features.importing.problems import MappingError
from features.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic_core import ErrorDetails

KEYS = sorted(
    {
        field.alias or name
        for module in (mapping, values)
        for part in vars(module).values()
        if isinstance(part, type) and issubclass(part, values.Part)
        for name, field in part.model_fields.items()
        if not field.exclude
    }
)
"""Every key a mapping can have somewhere."""

_INNER = {"Plain", "Product", "Share", "File", "Selection"}


def load_mapping(path: Path) -> ImportMapping:
    """Read and check the mapping at ``path``.

    Raises:
        MappingError: naming every key that is wrong, its value and what would be right.
    """
    path = Path(path)
    try:
        written = read_yaml(path)
    except OSError as error:
        raise MappingError(f"mapping {path} cannot be read: {error.strerror}") from error
    except YamlError as error:
        raise MappingError(f"mapping {path} is not YAML: {error}") from error
    if not isinstance(written.data, dict):
        raise MappingError(f"mapping {path} holds no keys; it needs sources and what becomes of them")
    try:
        return ImportMapping.model_validate({**written.data, "base": path.parent.absolute()})
    except ValidationError as error:
        lines = [
            f"  {_key(each['loc'])}: {_advice(each)} (line {written.line(each['loc'])})" for each in error.errors()
        ]
        raise MappingError("\n".join([f"mapping {path}:", *lines])) from error


def _key(location: Sequence[str | int]) -> str:
    key = ""
    for step in location:
        if isinstance(step, int):
            key += f"[{step}]"
        elif step not in _INNER:
            key += f".{step}"
    return key.lstrip(".") or "mapping"


def _advice(error: ErrorDetails) -> str:
    kind, value = error["type"], error["input"]
    if kind == "missing":
        return "is missing"
    if kind == "extra_forbidden":
        return f"is no key here. {nearest(str(error['loc'][-1]), KEYS)}"
    message = error["msg"].removeprefix("Value error, ")
    if kind == "value_error" or isinstance(value, dict | list):
        return message
    return f"{value!r} is not right: {message[:1].lower()}{message[1:]}"
