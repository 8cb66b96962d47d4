"""What is wrong with a value of a file, in the words of the people who write the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from features.contracts.words import Contract
from features.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic_core import ErrorDetails


def advice(item: ErrorDetails, kind: type[Contract]) -> str:
    """Return the rule of ``kind`` that ``item`` breaks, in YAML's words: Python's say little to its writer."""
    match item["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            *above, key = item["loc"]
            return f"is no key here; {nearest(str(key), list(_around(kind, above).model_fields))}"
        case "tuple_type" | "list_type" | "frozen_set_type" | "set_type":
            return "must be a list: [one, another], or lines that begin with '- '"
        case "dict_type" | "mapping_type" | "model_type" | "model_attributes_type":
            return "must be keys and values: {key: value}, or lines of key: value"
        case _:
            return item["msg"].removeprefix("Value error, ")


def _around(kind: type[Contract], place: Sequence[str | int]) -> type[Contract]:
    """Return the contract that ``place`` is in; positions and names of one's own lead to none further in."""
    for step in place:
        if isinstance(step, str) and (field := kind.model_fields.get(step)):
            kind = next(_contracts(field.annotation), kind)
    return kind


def _contracts(annotation: object) -> Iterator[type[Contract]]:
    if isinstance(annotation, type) and issubclass(annotation, Contract):
        yield annotation
    for part in get_args(annotation):
        yield from _contracts(part)
