"""What other processes do to a shared budget in tests. Imports nothing heavy: it is started very often."""

from __future__ import annotations

from decisions.ledger import Ledger
from tests.worlds.budgets import purse_of, take_all, take_one


def send_all(url, limit, worker, together, taken):
    """Begin together with the others and send as long as there is a place; say how many, and stop in order."""
    with Ledger.open(url, synchronous="normal") as ledger:
        purse = purse_of(ledger, limit)
        together.wait()
        taken.send(take_all(ledger, purse, who=f"w{worker}"))
        purse.close()


def send_until_killed(url, limit, worker, begun):
    """Send as long as there is a place, and then wait to be killed with whatever is in hand."""
    with Ledger.open(url, synchronous="normal") as ledger:
        purse, number = purse_of(ledger, limit), 0
        while True:
            took = take_one(ledger, purse, who=f"w{worker}")
            number += took
            begun.send(number)
