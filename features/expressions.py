"""The one language of eligibility and audiences: a SQL condition, read once, evaluated two ways that agree.

An expression is never run as SQL text. It is parsed, checked against a whitelist and kept as a small tree, from
which come a function of one row (decisions) and an Ibis column (audiences, backtests). See docs/expressions.md.

>>> rule = parse("tier in ('gold', 'silver') and spend_90d / orders_90d > 20")
>>> rule.row({"tier": "gold", "spend_90d": 90.0, "orders_90d": 3})
True
>>> rule.row({"tier": "gold", "spend_90d": 90.0, "orders_90d": 0}) is None
True
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from features.language.kinds import Checker
from features.language.nodes import ExpressionError, Node, names
from features.language.rows import Evaluate, compiled

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Expression", "ExpressionError", "parse"]


@dataclass(frozen=True, slots=True)
class Expression:
    """A condition on one customer. Made by :func:`parse`; equal where the texts are equal."""

    text: str
    names: frozenset[str] = field(compare=False)
    """The names the condition reads."""
    _node: Node = field(compare=False, repr=False)
    _evaluate: Evaluate = field(compare=False, repr=False)

    def row(self, values: Mapping[str, object]) -> bool | None:
        """Return what the condition says of one row: true, false, or None where it cannot be said.

        A name that is missing, a number that is not finite and a value of the wrong kind count as null. Never
        raises for a value.
        """
        answer = self._evaluate(values)
        return answer if isinstance(answer, bool) else None

    def ibis(self, table: Any) -> Any:
        """Return the condition as a boolean column of an Ibis table; each row as :meth:`row` would have it.

        Raises:
            ExpressionError: for a name the table does not have, or whose type does not fit.
        """
        from features.language.columns import as_column  # noqa: PLC0415 - decisions never load Ibis

        return as_column(self._node, table)

    def check(self, types: Mapping[str, str]) -> None:
        """Refuse the condition unless it fits ``types``: name → type, in the words of Arrow, Ibis or DuckDB.

        Raises:
            ExpressionError: naming the name or the part that does not fit.
        """
        Checker(types).predicate(self._node)

    def __reduce__(self) -> tuple[object, tuple[str]]:
        """Travel between processes as text."""
        return parse, (self.text,)


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Return the expression written in ``text``. The same text gives the same object.

    Raises:
        ExpressionError: naming the piece, the rule it breaks and the way out.
    """
    from features.language.reading import read  # noqa: PLC0415 - sqlglot is slow to import, and read rarely

    node = read(text)
    Checker().predicate(node)
    return Expression(text, names(node), node, compiled(node))
