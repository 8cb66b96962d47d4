"""Judge each grant and each confirm by what the ledger knew when it was made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipelines.recount.clocks import clocks
from pipelines.recount.crowding import crowding
from pipelines.recount.protocol import channel_wish, consent, displacement, life
from pipelines.recount.rows import histories
from pipelines.recount.rulebook import Rulebook
from pipelines.recount.rules import PROMISES, Promise
from pipelines.recount.shared import Spent, doubled
from pipelines.recount.snapshot import snapshot
from pipelines.recount.views import confirmed, granted, standing

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from pipelines.recount.history import History, Send
    from pipelines.recount.rules import Rules
    from pipelines.recount.views import View

Broken = tuple[Promise, str]
"""A promise and the rule of it that does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken promise. ``decision_id`` is empty where many decisions broke it together."""

    promise: Promise
    decision_id: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was judged, and every violation found.

    ``overruns`` are no violations: places that break a rule by what became known only after their grant and their
    confirm, such as a message another system sent, or a zone changed.
    """

    customers: int
    sends: int
    confirms: int
    violations: tuple[Violation, ...]
    overruns: tuple[Violation, ...]

    @property
    def counts(self) -> dict[Promise, int]:
        """Violations by promise; a promise that was kept counts 0."""
        found = Counter(each.promise for each in self.violations)
        return {promise: found[promise] for promise in PROMISES}


def recount(url: str, rules: Rules) -> Report:
    """Judge every decision to send in the ledger at ``url`` (a SQLAlchemy URL).

    Each is judged by the policy version, catalogue version and arms it was made under, as the ledger keeps them;
    ``rules`` are those in force now, and stand in for a version that was never kept.
    """
    with snapshot(url) as connection:
        tally = _Tally(Rulebook(connection, rules))
        for history in histories(connection):
            tally.add(history)
        tally.close(connection)
    return tally.report()


@dataclass
class _Tally:
    """What is found while customer after customer is judged."""

    book: Rulebook
    customers: int = 0
    sends: int = 0
    confirms: int = 0
    violations: list[Violation] = field(default_factory=list)
    overruns: list[Violation] = field(default_factory=list)
    spent: Spent = field(init=False)

    def __post_init__(self) -> None:
        self.spent = Spent(self.book)

    def add(self, history: History) -> None:
        self.customers += 1
        self.sends += len(history.sends)
        self.spent.add(history)
        for send in history.sends:
            looks = confirmed(send, history, self.book)
            self.confirms += bool(looks)
            found = dict.fromkeys([*_at_grant(send, history, self.book), *_at_confirm(looks)])
            self.violations += _named(send, found)
            now = standing(send, history, self.book)
            self.overruns += _named(send, [each for each in _broken(now) if each not in found] if now else [])

    def close(self, connection: Connection) -> None:
        """Add what only all customers together show."""
        self.violations += [
            Violation(promise="once", decision_id=key, rule=rule) for key, rule in doubled(connection)
        ]
        self.violations += [
            Violation(promise="budgets", decision_id="", rule=rule) for rule in self.spent.too_much()
        ]

    def report(self) -> Report:
        return Report(
            customers=self.customers,
            sends=self.sends,
            confirms=self.confirms,
            violations=tuple(self.violations),
            overruns=tuple(self.overruns),
        )


def _named(send: Send, found: dict[Broken, None] | list[Broken]) -> list[Violation]:
    return [Violation(promise=what, decision_id=send.decision_id, rule=rule) for what, rule in found]


def _at_grant(send: Send, history: History, book: Rulebook) -> Iterator[Broken]:
    yield from _broken(granted(send, history, book))
    yield from consent(send, history, book.then(send))
    yield from channel_wish(send)
    yield from life(send)
    yield from displacement(send, history)


def _at_confirm(looks: list[View]) -> Iterator[Broken]:
    """Yield what breaks in every state of things that the confirm may have met."""
    found = [list(_broken(each)) for each in looks]
    for promise, rule in found[0] if found else ():
        if all(any(promise == other for other, _ in each) for each in found[1:]):
            yield promise, rule


def _broken(view: View) -> Iterator[Broken]:
    yield from crowding(view)
    yield from clocks(view)
