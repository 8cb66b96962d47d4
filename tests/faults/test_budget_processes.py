"""Many processes and one budget: racing for its last places, killed with places in hand."""

from __future__ import annotations

import random
import time

import pytest

from decisions.ledger import Ledger
from runtime.purse import LASTS
from tests.worlds import budget_workers, ledger_workers
from tests.worlds.budgets import Watch, purse_of, sends, standing, take_all
from tests.worlds.ledger import NOW

PROCESSES = 4
KILLS = 6
LIMIT = 100


@pytest.fixture(scope="module")
def context():
    context = ledger_workers.processes()
    context.set_forkserver_preload(["tests.worlds.budget_workers"])
    return context


def start(context, target, *arguments):
    listening, speaking = context.Pipe(duplex=False)
    worker = context.Process(target=target, args=(*arguments, speaking))
    worker.start()
    speaking.close()
    return worker, listening


def test_four_processes_give_a_hundred_places_and_not_one_more(database_url, context):
    together = context.Barrier(PROCESSES)
    workers = [
        start(context, budget_workers.send_all, database_url, LIMIT, each, together) for each in range(PROCESSES)
    ]
    taken = [listening.recv() for _, listening in workers]
    for worker, _ in workers:
        worker.join()
    with Ledger.open(database_url) as ledger:
        assert sends(ledger) == sum(taken) == standing(ledger, LIMIT).spent
        left = take_all(ledger, purse_of(ledger, LIMIT), who="heir")
        assert sum(taken) + left == LIMIT
    assert sum(map(bool, taken)) > 1  # they did race


def test_workers_killed_at_any_moment_neither_lose_nor_double_a_place(database_url, context):
    for number in range(KILLS):
        worker, listening = start(context, budget_workers.send_until_killed, database_url, LIMIT, number)
        listening.recv()
        time.sleep(random.Random(number).uniform(0, 0.02))
        worker.kill()
        worker.join()
    with Ledger.open(database_url) as ledger:
        found = standing(ledger, LIMIT)
        assert found.spent == sends(ledger) < LIMIT
        assert found.leased > 0  # what the dead had in hand
        later = NOW + LASTS
        take_all(ledger, purse_of(ledger, LIMIT, clock=Watch(later)), who="heir")
        assert sends(ledger) == LIMIT == standing(ledger, LIMIT, now=later).spent
