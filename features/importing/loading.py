"""A mapping file into a mapping, with errors that name the key and what would be right."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import ValidationError

from features.importing import mapping, values
from features.importing.mapping import ImportMapping
from features.importing.problems import MappingError, nearest

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

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


class _Loader(yaml.SafeLoader):
    """YAML in which a key given twice is an error: the first would vanish in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML fixes the signature
        """Build a mapping, refusing repeated keys."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        for key in keys:
            if keys.count(key) > 1:
                raise yaml.YAMLError(f"line {node.start_mark.line + 1}: the key {key!r} is given twice")
        return super().construct_mapping(node, deep=deep)


def load_mapping(path: Path) -> ImportMapping:
    """Read and check the mapping at ``path``.

    Raises:
        MappingError: naming every key that is wrong, its value and what would be right.
    """
    path = Path(path)
    try:
        raw = yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader below
    except OSError as error:
        raise MappingError(f"mapping {path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise MappingError(f"mapping {path} is not YAML: {error}") from error
    if not isinstance(raw, dict):
        raise MappingError(f"mapping {path} holds no keys; it needs sources and what becomes of them")
    try:
        return ImportMapping.model_validate({**raw, "base": path.parent.absolute()})
    except ValidationError as error:
        raise MappingError("\n".join([f"mapping {path}:", *map(_line, error.errors())])) from error


def _line(error: ErrorDetails) -> str:
    return f"  {_key(error['loc'])}: {_advice(error)}"


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
