"""The tree of an expression: our own small one, so that both evaluations read the same thing and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["number", "string", "boolean"]
Value = float | str | bool | None
"""What a name or a part can be worth. Numbers are 64-bit floats; one that is not finite is null."""

Comparison = Literal["=", "<>", "<", "<=", ">", ">="]
Operator = Literal["+", "-", "*", "/"]
Function = Literal["lower", "abs", "negate", "coalesce", "starts_with", "ends_with", "contains"]


class ExpressionError(ValueError):
    """An expression that is refused: the message names the piece, the rule and the way out."""


@dataclass(frozen=True, slots=True)
class Name:
    """A column, or a key of the row."""

    name: str


@dataclass(frozen=True, slots=True)
class Constant:
    """A number, a string, true or false written in the text."""

    value: float | str | bool


@dataclass(frozen=True, slots=True)
class Compare:
    """``left operator right``; null where a side is null."""

    operator: Comparison
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Between:
    """``low <= part and part <= high``."""

    part: Node
    low: Node
    high: Node


@dataclass(frozen=True, slots=True)
class OneOf:
    """Whether ``part`` equals one of the constants."""

    part: Node
    values: tuple[Constant, ...]


@dataclass(frozen=True, slots=True)
class IsNull:
    """Whether ``part`` is null; never null itself."""

    part: Node


@dataclass(frozen=True, slots=True)
class IsTruth:
    """Whether ``part`` is exactly ``truth``; never null itself."""

    part: Node
    truth: bool


@dataclass(frozen=True, slots=True)
class Logic:
    """All (``and``) or any (``or``) of the parts, by SQL's three-valued logic."""

    operator: Literal["and", "or"]
    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The opposite; null stays null."""

    part: Node


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """``left operator right`` in 64-bit floats; null where the result is not finite, as after division by 0."""

    operator: Operator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the language."""

    function: Function
    arguments: tuple[Node, ...]


Node = Name | Constant | Compare | Between | OneOf | IsNull | IsTruth | Logic | Not | Arithmetic | Call


def children(node: Node) -> tuple[Node, ...]:
    """Return the parts of ``node``, left to right."""
    match node:
        case Name() | Constant():
            return ()
        case Compare(_, left, right) | Arithmetic(_, left, right):
            return (left, right)
        case Between(part, low, high):
            return (part, low, high)
        case OneOf(part, values):
            return (part, *values)
        case IsNull(part) | IsTruth(part, _) | Not(part):
            return (part,)
        case Logic(_, parts) | Call(_, parts):
            return parts


def names(node: Node) -> frozenset[str]:
    """Return every name that ``node`` reads."""
    if isinstance(node, Name):
        return frozenset((node.name,))
    return frozenset().union(*(names(child) for child in children(node)))


def may_overflow(node: Node) -> bool:
    """Whether ``node`` is arithmetic, whose result may be infinite or no number."""
    match node:
        case Arithmetic():
            return True
        case Call("abs" | "negate", (part,)):
            return may_overflow(part)
        case _:
            return False


def size(node: Node) -> int:
    """Return how many parts ``node`` has when written out as columns.

    SQL has to name arithmetic twice to keep it finite (:mod:`features.language.columns`), and a divisor again
    in each division around it, so the size is measured where it could grow.
    """
    inner = sum(size(child) * (2 if _written_twice(node, child) else 1) for child in children(node))
    return 1 + inner


def _written_twice(node: Node, child: Node) -> bool:
    if not may_overflow(child):
        return False
    match node:
        case Arithmetic("/", _, right):
            return child is right
        case Arithmetic() | Call("abs" | "negate", _):
            return False
        case _:
            return True
