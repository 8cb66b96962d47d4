"""Reading the files people write: YAML into a frozen contract, with errors that name key, value and rule."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

import orjson
import yaml
from pydantic import ValidationError

from features.contracts.words import Contract

if TYPE_CHECKING:
    from collections.abc import Hashable
    from pathlib import Path

C = TypeVar("C", bound=Contract)


class DocumentError(ValueError):
    """A policy or catalogue that cannot be used; the message has one line for each thing to mend."""


_MERGE = "tag:yaml.org,2002:merge"
"""``<<: *other``: what an entry has in common with another is written once."""


class _Strict(yaml.SafeLoader):
    """YAML in which a key may be written once: by default the last one would win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:  # noqa: FBT001, FBT002 - PyYAML's signature
        keys = [self.construct_object(key, deep=True) for key, _ in node.value if key.tag != _MERGE]
        twice = next((key for key in keys if keys.count(key) > 1), None)
        if twice is not None:
            raise DocumentError(f"line {node.start_mark.line + 1}: key {twice!r} is written more than once")
        return super().construct_mapping(node, deep=deep)


def load(kind: type[C], path: Path) -> C:
    """Return the ``kind`` written in the YAML file at ``path``.

    Raises:
        DocumentError: naming the file and each key, value and rule that do not fit.
    """
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), Loader=_Strict)  # noqa: S506 - a SafeLoader
    except FileNotFoundError as error:
        example = f"examples/complete_journey/{kind.__name__.lower()}.yaml"
        raise DocumentError(
            f"{path}: there is no such file; write one ({example} shows how) or name it"
        ) from error
    except (OSError, yaml.YAMLError, DocumentError) as error:
        raise DocumentError(f"{path}: {error}") from error
    return read(kind, data, source=str(path))


def read(kind: type[C], data: object, *, source: str) -> C:
    """Return ``data`` as a ``kind``.

    Raises:
        DocumentError: naming ``source`` and each key, value and rule that do not fit.
    """
    if not isinstance(data, dict):
        raise DocumentError(f"{source}: expected keys and values, got {type(data).__name__}")
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise DocumentError("\n".join(_lines(error, source))) from error


def _lines(error: ValidationError, source: str) -> list[str]:
    lines = []
    for item in error.errors(include_url=False):
        key = ".".join(str(part) for part in item["loc"])
        value = "" if item["type"] in {"missing", "value_error"} and not key else f" = {item['input']!r:.80}"
        lines.append(f"{source}: {key or 'as a whole'}{value if key else ''}: {item['msg']}")
    return lines


def fingerprint(contract: Contract) -> str:
    """Return a short hash of the content: equal for equal content, whatever the order or comments of the file."""
    content = orjson.dumps(contract.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    return blake2b(content, digest_size=6).hexdigest()
