"""A small world for tests of shared budgets: a clock that can be moved, workers that send as long as they may."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

from decisions.ledger import LeaseLost, Ledger
from runtime.purse import Purse
from tests.worlds.ledger import HOUR, NOW, send

TODAY = NOW.date()
_customers = itertools.count()


@dataclass
class Watch:
    """A clock that tests move."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def turn(self, by: timedelta) -> None:
        self.moment += by


def purse_of(ledger: Ledger, limit: int, *, clock: Watch | None = None, **options) -> Purse:
    """A purse with so many e-mails a day."""
    return Purse(ledger.budgets, {"email": limit}, clock=clock or Watch(), **options)


def take_one(ledger: Ledger, purse: Purse, *, now=NOW, who="", meanwhile=None, then=None) -> bool:
    """A tiny stand-in for deciding: record a send by e-mail to a new customer if there is a place for it.

    ``meanwhile`` happens once between draw and spending, ``then`` between the record and its commit. ``who``
    keeps the ids of several processes apart. Where a lease is lost, all is done anew.
    """
    customer_id = f"{who}-{next(_customers)}"
    decision = send(customer_id, decision_id=customer_id, request_id=customer_id, now=now, at=now + HOUR)
    try:
        with purse.open(now) as tab, ledger.transaction(customer_id) as transaction:
            if "email" in tab.state.exhausted:
                return False
            tab.take(decision, transaction.state(customer_id, now))
            _happen(meanwhile)
            tab.settle(transaction)
            transaction.record(decision, body_hash="body", frozen=b"")
            _happen(then)
            return True
    except LeaseLost:
        return take_one(ledger, purse, now=now, who=who, then=then)


def _happen(what):
    if what:
        what()


def take_all(ledger: Ledger, purse: Purse, **options) -> int:
    """Take places until there are none; return how many there were."""
    taken = 0
    while take_one(ledger, purse, **options):
        taken += 1
    return taken


def standing(ledger: Ledger, limit: int, *, now: datetime = NOW, days=(TODAY,)):
    return ledger.budgets.standing(days, {"email": limit}, now)["email"]


def sends(ledger: Ledger) -> int:
    """How many sends stand in the ledger, whatever became of them."""
    return ledger.decisions_table()["action"].to_pylist().count("send")
