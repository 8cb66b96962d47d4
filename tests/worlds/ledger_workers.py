"""What other processes do to a ledger in tests. Imports nothing heavy: it is started very often."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import timedelta
from multiprocessing import get_context

from decisions.ledger import Ledger
from tests.worlds.ledger import DAY, HOUR, NOW, consent, record, send

LIMIT = 3
WEEK = timedelta(days=7)


def processes():
    """Processes forked from one light parent that has imported everything: a start costs milliseconds."""
    context = get_context("forkserver")
    context.set_forkserver_preload(["tests.worlds.ledger_workers"])
    return context


def work_until_killed(url, run, acknowledged):
    """Reserve, confirm, release, withdraw; say each thing done only after it is done."""
    dice = random.Random(run)
    with Ledger.open(url) as ledger:
        for number in range(100_000):
            customer_id = f"c{dice.randrange(20)}"
            decision = send(customer_id, decision_id=f"{run}-{number}", request_id=f"{run}-{number}")
            record(ledger, decision, frozen=b"inputs" * 50)
            acknowledged.send((decision.decision_id, "reserved"))
            deed = dice.choice((_confirm, _release, _withdraw, _nothing))
            for done in deed(ledger, decision):
                acknowledged.send((decision.decision_id, done))


def _confirm(ledger, decision):
    yield ledger.confirm(decision.decision_id, decision.send_at).status


def _release(ledger, decision):
    yield ledger.release(decision.decision_id, NOW).status


def _withdraw(ledger, decision):
    channel = f"x{decision.decision_id.replace('-', '_')}"
    other = send(decision.customer_id, decision_id=f"{decision.decision_id}w", channel=channel, request_id=channel)
    record(ledger, other)
    ledger.append_consents([consent("withdrawn", other.customer_id, channel=channel)], NOW)
    yield "reserved"


def _nothing(ledger, decision):
    return ()


def reserve_under_a_cap(url, seed, customer_ids, attempts):
    """A tiny stand-in for deciding: at most LIMIT places in any seven days, whatever the others do meanwhile."""
    dice = random.Random(seed)
    with Ledger.open(url, synchronous="normal") as ledger:
        for number in range(attempts):
            customer_id = dice.choice(customer_ids)
            at = NOW + dice.randrange(1, 7 * 24) * HOUR
            with ledger.transaction(customer_id) as tx:
                near = [each for each in tx.state(customer_id, NOW).pressure if abs(each.at - at) < WEEK]
                if len(near) < LIMIT:
                    name = f"{seed}-{number}"
                    decision = send(customer_id, at=at, decision_id=name, request_id=name)
                    tx.record(decision, body_hash=name, frozen=b"")


def confirm_all(url, decision_ids, now, verdicts):
    with Ledger.open(url, synchronous="normal") as ledger:
        verdicts.send([ledger.confirm(each, now).status for each in decision_ids])


def ask_the_same(url, seed, answers):
    """Every process asks the same fifty requests, each hoping for a decision of its own."""
    with Ledger.open(url, synchronous="normal") as ledger:
        asked = [send("ada", decision_id=f"{seed}-{n}", request_id=f"q{n}", at=NOW + n * DAY) for n in range(50)]
        answers.send([record(ledger, each).decision_id for each in asked])


def open_and_close(url, opened):
    with suppress(EOFError), Ledger.open(url) as ledger:
        opened.send(ledger.customer_ids())
