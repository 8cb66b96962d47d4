"""A small world for tests of shared budgets: a clock that can be moved, workers that send as long as they may."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from decisions.ledger import Ledger, LeaseLost
from runtime.purse import Purse
from tests.worlds.ledger import NOW, send

TODAY = NOW.date()


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


def take_one(ledger: Ledger, purse: Purse, *, now: datetime = NOW, customer_id="ada", **fields) -> bool:
    """A tiny stand-in for deciding: record a send by e-mail if there is a place for it."""
    decision = send(customer_id, now=now, at=now + timedelta(hours=1), **fields)
    try:
        with purse.open(now) as tab, ledger.transaction(customer_id) as transaction:
            if "email" in tab.state.exhausted:
                return False
            tab.take(decision, transaction.state(customer_id, now))
            tab.settle(transaction)
            transaction.record(decision, body_hash="body", frozen=b"")
            return True
    except LeaseLost:
        return take_one(ledger, purse, now=now, customer_id=customer_id, **fields)


def standing(ledger: Ledger, limit: int, *, now: datetime = NOW, days=(TODAY,)):
    return ledger.budgets.standing(days, {"email": limit}, now)["email"]


def sends(ledger: Ledger) -> int:
    """How many sends stand in the ledger, whatever became of them."""
    return ledger.decisions_table()["action"].to_pylist().count("send")
