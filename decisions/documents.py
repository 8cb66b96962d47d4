"""Reading the files people write: YAML into a frozen contract, with errors that name key, value and rule."""

from __future__ import annotations

from hashlib import blake2b
from typing import TYPE_CHECKING, TypeVar

import orjson
from pydantic import ValidationError

from features.advice import advice
from features.contracts.words import Contract
from features.documents import YamlError, read_yaml, shown

if TYPE_CHECKING:
    from pathlib import Path

    from features.documents import Written

C = TypeVar("C", bound=Contract)


class DocumentError(ValueError):
    """A policy or catalogue that cannot be used; the message has one line for each thing to mend."""


def load(kind: type[C], path: Path) -> C:
    """Return the ``kind`` written in the YAML file at ``path``.

    Raises:
        DocumentError: naming the file and each key, value and rule that do not fit.
    """
    try:
        written = read_yaml(path)
    except FileNotFoundError as error:
        example = f"examples/complete_journey/{kind.__name__.lower()}.yaml"
        raise DocumentError(
            f"{path}: there is no such file; write one ({example} shows how) or name it"
        ) from error
    except (OSError, YamlError) as error:
        raise DocumentError(f"{path}: {error}") from error
    if not isinstance(written.data, dict):
        raise DocumentError(f"{path}: expected keys and values, got {type(written.data).__name__}")
    try:
        return kind.model_validate(written.data)
    except ValidationError as error:
        raise DocumentError("\n".join(_lines(error, kind, path, written))) from error


def _lines(error: ValidationError, kind: type[Contract], path: Path, written: Written) -> list[str]:
    lines = []
    for item in error.errors(include_url=False):
        key = ".".join(str(part) for part in item["loc"])
        value = "" if item["type"] == "missing" or not key else f" = {shown(item['input'])}"
        where = f"{path}: {key}{value}" if key else f"{path}: as a whole"
        lines.append(f"{where}: {advice(item, kind)} (line {written.line(item['loc'])})")
    return lines


def fingerprint(contract: Contract) -> str:
    """Return a short hash of the content: equal for equal content, whatever the order or comments of the file."""
    content = orjson.dumps(contract.model_dump(mode="json"), option=orjson.OPT_SORT_KEYS)
    return blake2b(content, digest_size=6).hexdigest()
