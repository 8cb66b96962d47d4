"""Many processes and one ledger: killed, racing, opening it at once."""

import random
import sqlite3
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import make_url

from decisions.ledger import Ledger
from pipelines.recount import Rules, recount
from tests.worlds import ledger_workers
from tests.worlds.ledger import NOW, ada, consent, opened, record, send

KILLS = 10
PROCESSES = 4
AFTER = {
    "reserved": {"reserved", "confirmed", "released", "withdrawn"},
    "confirmed": {"confirmed"},
    "released": {"released"},
}


@pytest.fixture(scope="module")
def context():
    return ledger_workers.processes()


def run_together(context, target, arguments):
    """Start one process for each tuple of arguments; return what each of them sends, then wait for all."""
    pipes = [context.Pipe(duplex=False) for _ in arguments]
    workers = [
        context.Process(target=target, args=(*each, pipe[1])) for each, pipe in zip(arguments, pipes, strict=True)
    ]
    for worker in workers:
        worker.start()
    sent = [pipe[0].recv() for pipe in pipes]
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    return sent


def kill_while_working(context, url, run):
    """Kill a worker at a random moment of its work; return what it had acknowledged."""
    listening, speaking = context.Pipe(duplex=False)
    worker = context.Process(target=ledger_workers.work_until_killed, args=(url, run, speaking))
    worker.start()
    speaking.close()
    acknowledged = [listening.recv()]
    time.sleep(random.Random(run).uniform(0, 0.1))
    worker.kill()
    worker.join()
    try:
        while True:
            acknowledged.append(listening.recv())
    except EOFError:
        return acknowledged


def test_a_kill_at_any_moment_loses_nothing_acknowledged_and_leaks_no_place(database_url, context):
    url = database_url
    with opened(url) as ledger:
        ledger.append_consents([consent(customer_id=f"c{number}") for number in range(20)], NOW)
    acknowledged = dict(pair for run in range(KILLS) for pair in kill_while_working(context, url, run))
    with Ledger.open(url) as ledger:
        for decision_id, said in acknowledged.items():
            assert ledger.decision(decision_id).state in AFTER[said]
            assert ledger.record(decision_id) == b"inputs" * 50
    counts = recount(url, Rules.of({"opt_in_purposes": ()})).counts
    assert (counts["whole"], counts["once"], counts["consent"]) == (0, 0, 0)
    if url.startswith("sqlite"):
        with sqlite3.connect(make_url(url).database) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert len(acknowledged) > KILLS


def test_no_cap_is_overrun_by_processes_that_reserve_at_once(database_url, context):
    people = ["ada", "bob", "eve"]
    with opened(database_url) as ledger:
        ledger.append_consents([consent(customer_id=each) for each in people], NOW)
    workers = [
        context.Process(target=ledger_workers.reserve_under_a_cap, args=(database_url, seed, people, 60))
        for seed in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    report = recount(database_url, Rules.of({"caps": [{"limit": ledger_workers.LIMIT, "window": "7d"}]}))
    assert report.violations == ()
    assert report.sends == len(people) * ledger_workers.LIMIT


def test_processes_that_confirm_the_same_decisions_are_given_each_permission_once(database_url, context):
    with opened(database_url) as ledger:
        decisions = [record(ledger, send(f"c{number}")) for number in range(30)]
    ids, now = [each.decision_id for each in decisions], decisions[0].send_at
    verdicts = run_together(context, ledger_workers.confirm_all, [(database_url, ids, now)] * PROCESSES)
    assert Counter(status for each in verdicts for status in each) == {"confirmed": 30, "refused": 90}
    assert all(
        sorted(each) == ["confirmed", "refused", "refused", "refused"] for each in zip(*verdicts, strict=True)
    )


def test_processes_that_ask_the_same_are_given_the_same_decision(database_url, context):
    with opened(database_url) as ledger:
        ledger.put_customers([ada()])
    answers = run_together(context, ledger_workers.ask_the_same, [(database_url, n) for n in range(PROCESSES)])
    assert all(each == answers[0] for each in answers)
    assert recount(database_url, Rules.of({})).sends == 50


def test_processes_may_open_a_new_ledger_at_the_same_moment(blank_database_url, context):
    answers = run_together(context, ledger_workers.open_and_close, [(blank_database_url,)] * PROCESSES)
    assert answers == [[]] * PROCESSES


def test_threads_share_one_ledger(database_url):
    with opened(database_url) as ledger, ThreadPoolExecutor(8) as pool:
        decisions = list(pool.map(lambda number: record(ledger, send(f"c{number % 3}")), range(80)))
        verdicts = list(pool.map(lambda each: ledger.confirm(each.decision_id, each.send_at).status, decisions))
    assert verdicts == ["confirmed"] * 80
