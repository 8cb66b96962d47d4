"""What an import must say aloud: moments that can hardly be, names that would never be read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import ibis

from features.contracts.words import FIRST_PLAUSIBLE, GRACE
from features.importing.macros import json_structure, json_text
from features.importing.mapping import CustomerBlock
from features.importing.moments import moment_literal
from features.importing.withdrawals import STATED, TAKEN_IN
from features.vocabulary import is_own_name

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from features.importing.mapping import Block

_MOMENTS = ("occurred_at", "registered_at", "at", "pause_until")
_FAR_AHEAD = {"pause_until": timedelta(days=3653)}
"""How far a moment may lie ahead without a word, where it is not of the past."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    """Something odd about ``count`` rows of a block, whether or not they were taken in.

    ``first`` and ``last`` are the moments seen (ISO text), null where it is not about moments; ``hint`` is what it
    may be and what to do.
    """

    block: str
    field: str
    count: int
    first: str | None = None
    last: str | None = None
    hint: str

    @property
    def words(self) -> str:
        """The warning as a sentence."""
        seen = f", from {self.first} to {self.last}" if self.first else ""
        return f"{self.block}.{self.field}: {self.count} rows{seen}; {self.hint}"


def oddities(block: Block, judged: Any, now: datetime) -> Iterator[Oddity]:
    """Yield what is odd about the ``judged`` rows of a block."""
    for field in (each for each in _MOMENTS if each in judged.columns):
        yield from _moments(block, judged, field, now)
    if STATED in judged.columns:
        yield from _taken(block, judged)
    if isinstance(block, CustomerBlock) and block.attributes is not None:
        yield from _unread_names(block, judged)


def _moments(block: Block, judged: Any, field: str, now: datetime) -> Iterator[Oddity]:
    last = now + _FAR_AHEAD.get(field, GRACE)
    unit = getattr(getattr(block, field), "unit", None)
    smaller = unit in {"millis", "micros"}
    early = (
        f"are these seconds read as {unit}? then say unit: seconds"
        if smaller
        else "0 and 1900 are often what an empty date became: leave such rows out with where, or mend them"
    )
    late = (
        "are these milliseconds read as seconds? then say unit: millis"
        if unit == "seconds"
        else "a wrong year or century, or a clock that is ahead?"
    )
    if field == "occurred_at":
        early += "; features leave out what is dated before 1990"
    too_early = judged[field] < moment_literal(FIRST_PLAUSIBLE)
    too_late = judged[field] > moment_literal(last)
    for odd, hint in ((too_early, early), (too_late, late)):
        yield from _seen(block, judged.filter(odd), field, judged[field].get_name(), hint)


def _taken(block: Block, judged: Any) -> Iterator[Oddity]:
    field = "at" if "at" in judged.columns else "occurred_at"
    hint = "a withdrawal counts whatever its date: these were taken as said now, at the moment of import"
    yield from _seen(block, judged.filter(judged[TAKEN_IN]), field, STATED, hint)


def _seen(block: Block, odd: Any, field: str, column: str, hint: str) -> Iterator[Oddity]:
    counted = odd.aggregate(n=odd.count(), first=odd[column].min(), last=odd[column].max()).to_pyarrow()
    seen = counted.to_pylist()[0]
    if seen["n"]:
        first, last = (seen[name] and seen[name].isoformat() for name in ("first", "last"))
        yield Oddity(block=block.name, field=field, count=seen["n"], first=first, last=last, hint=hint)


def _unread_names(block: Block, judged: Any) -> Iterator[Oddity]:
    attributes = judged["attributes"]
    objects = ibis.ifelse(judged["rule?"].isnull(), attributes, ibis.null("string")).cast("json")
    keys = json.loads(judged.aggregate(keys=json_structure(objects)).to_pyarrow()["keys"][0].as_py() or "{}")
    for name in (each for each in keys if is_own_name(each)):
        there = json_text(attributes, ibis.literal(f"/{name}")).notnull()
        yield Oddity(
            block=block.name,
            field=f"attributes.{name}",
            count=judged.filter(there).count().to_pyarrow().as_py(),
            hint=f"{name!r} is what Kairos itself computes: conditions read that, never this attribute; "
            f"give it another name, like own_{name}",
        )
