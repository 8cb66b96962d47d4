"""A customer's own attributes (plan, region, contract …) as numbers that trees read.

What is a number everywhere it was learned stays one; every other attribute becomes one column a level, 1 where the
customer has it. What is missing, or a level that was never seen, is NaN or all zeros: no split was learned on it.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from features.vocabulary import ATTRIBUTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from decisions.scorers.base import FloatArray

LEVELS = 20
"""Levels of one attribute that get a column, the most frequent first: an id has thousands, and tells nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute: its ``levels``, or none where it is a number."""

    name: str
    levels: tuple[str, ...] = ()

    @property
    def columns(self) -> tuple[str, ...]:
        """What its columns are called for people."""
        return tuple(f"{self.name} = {level}" for level in self.levels) or (self.name,)


@dataclass(frozen=True, slots=True)
class Encoder:
    """How objects of attributes become a matrix."""

    attributes: tuple[Attribute, ...]

    @classmethod
    def learn(cls, objects: Sequence[Mapping[str, Any]]) -> Self:
        """Return the encoder of the attributes in ``objects``; what never varies is left out."""
        names = sorted({name for each in objects for name in each})
        found = (_attribute(name, [each.get(name) for each in objects]) for name in names)
        return cls(tuple(each for each in found if each is not None))

    @classmethod
    def from_json(cls, facts: Iterable[Mapping[str, Any]]) -> Self:
        """Read what :meth:`as_json` wrote."""
        return cls(tuple(Attribute(name=each["name"], levels=tuple(each["levels"])) for each in facts))

    def as_json(self) -> list[dict[str, Any]]:
        """Return the encoder as JSON values."""
        return [asdict(each) | {"levels": list(each.levels)} for each in self.attributes]

    @property
    def columns(self) -> tuple[str, ...]:
        """The matrix's columns, as people read them."""
        return tuple(column for each in self.attributes for column in each.columns)

    def matrix(self, objects: Sequence[Mapping[str, Any]]) -> FloatArray:
        """Return the matrix (n, columns)."""
        parts = [_columns(each, [row.get(each.name) for row in objects]) for each in self.attributes]
        return np.column_stack(parts) if parts else np.empty((len(objects), 0))


def odds_of_line(line: Mapping[str, Any], columns: FloatArray) -> FloatArray:
    """Return the log-odds (n,) of a line: ``weights`` a column, ``fill`` where one is missing, ``intercept``."""
    filled = np.where(np.isnan(columns), np.array(line["fill"]), columns)
    return np.asarray(filled @ np.array(line["weights"]) + line["intercept"])


def objects_of(frame: pa.Table) -> list[dict[str, Any]]:
    """Return each row's attributes; none where the frame has no such column."""
    if ATTRIBUTES not in frame.column_names:
        return [{}] * frame.num_rows
    return [json.loads(text) if text else {} for text in frame[ATTRIBUTES].to_pylist()]


def _attribute(name: str, values: list[Any]) -> Attribute | None:
    present = [value for value in values if value is not None]
    if len({str(value) for value in present}) < 2:  # noqa: PLR2004  # nothing to tell apart
        return None
    if all(_number(value) is not None for value in present):
        return Attribute(name=name)
    counted = Counter(_text(value) for value in present)
    frequent = sorted(counted, key=lambda level: (-counted[level], level))[:LEVELS]
    return Attribute(name=name, levels=tuple(sorted(frequent)))


def _columns(attribute: Attribute, values: list[Any]) -> FloatArray:
    if not attribute.levels:
        numbers = [_number(value) for value in values]
        return np.array([[np.nan if number is None else number] for number in numbers])
    texts = np.array([_text(value) for value in values], dtype=object)
    return np.column_stack([(texts == level).astype(np.float64) for level in attribute.levels])


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, bool):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if np.isfinite(number) else None


def _text(value: Any) -> str:
    return "" if value is None else str(value)
