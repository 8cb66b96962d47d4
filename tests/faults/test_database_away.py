"""PostgreSQL stops, cuts connections and comes back: nothing acknowledged is lost, and the same ledger goes on."""

import threading
import time

import pytest

from decisions.ledger import LedgerUnavailable, UnknownDecision
from pipelines.recount import Rules, recount
from tests.worlds.ledger import HOUR, NOW, consent, event, opened, record, send, state

STOPS = 3


@pytest.fixture
def url(postgres):
    url = postgres.fresh_url()
    yield url
    postgres.drop(url)


class Worker(threading.Thread):
    """Reserves and confirms until told to stop; remembers what was acknowledged, and every way it failed."""

    def __init__(self, ledger, number):
        super().__init__()
        self.ledger, self.number, self.over = ledger, number, False
        self.acknowledged, self.failures = {}, []

    def run(self):
        count = 0
        while not self.over:
            count += 1
            try:
                self._work(f"w{self.number}-{count}")
            except Exception as error:  # noqa: BLE001  # the test asks which they were
                self.failures.append(error)
                time.sleep(0.01)

    def _work(self, name):
        decision = send(f"c{self.number}", decision_id=name, request_id=name)
        record(self.ledger, decision)
        self.acknowledged[name] = {"reserved", "confirmed"}
        if self.ledger.confirm(name, decision.send_at).status == "confirmed":
            self.acknowledged[name] = {"confirmed"}


def wait_for_more(workers):
    reached = [len(each.acknowledged) + 5 for each in workers]
    deadline = time.monotonic() + 30
    while any(len(each.acknowledged) < more for each, more in zip(workers, reached, strict=True)):
        assert time.monotonic() < deadline, "the same ledger does not work again"
        time.sleep(0.01)


def test_a_server_that_dies_and_comes_back_loses_nothing_acknowledged(url, postgres):
    with opened(url, synchronous="full") as ledger:
        ledger.append_consents([consent(customer_id=f"c{number}") for number in range(3)], NOW)
        workers = [Worker(ledger, number) for number in range(3)]
        for each in workers:
            each.start()
        for _ in range(STOPS):
            wait_for_more(workers)
            postgres.stop()
            time.sleep(0.05)
            with pytest.raises(LedgerUnavailable):
                ledger.states(["c0"], NOW)
            postgres.start()
        wait_for_more(workers)
        for each in workers:
            each.over = True
            each.join()
        for worker in workers:
            for name, states in worker.acknowledged.items():
                assert ledger.decision(name).state in states
        failures = [error for each in workers for error in each.failures]
    assert failures
    assert {type(error) for error in failures} == {LedgerUnavailable}
    counts = recount(url, Rules.of({})).counts
    assert (counts["whole"], counts["once"], counts["consent"]) == (0, 0, 0)


def test_a_connection_cut_in_mid_transaction_leaves_no_trace_and_the_next_call_works(url, postgres):
    with opened(url) as ledger:
        decision = send()
        with pytest.raises(LedgerUnavailable):
            record_and_cut(ledger, decision, postgres, url)
        with pytest.raises(UnknownDecision):
            ledger.decision(decision.decision_id)
        assert record(ledger, decision) == decision


def test_a_callers_own_error_is_not_hidden_by_a_connection_that_is_gone(url, postgres):
    with opened(url) as ledger:
        with pytest.raises(ZeroDivisionError):
            cut_and_crash(ledger, postgres, url)
        assert state(ledger).pressure == ()


def test_every_connection_may_be_cut_while_idle(url, postgres):
    with opened(url) as ledger:
        record(ledger, send())
        cut(postgres, url)
        assert ledger.take_events([event("sent", at=NOW + HOUR)], NOW)[0].status == "accepted"


def cut(postgres, url):
    """End every session on the database, as a restarted pooler or an impatient operator does."""
    with postgres.connect(url) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


def record_and_cut(ledger, decision, postgres, url):
    with ledger.transaction("ada") as tx:
        tx.record(decision, body_hash="b", frozen=b"")
        cut(postgres, url)


def cut_and_crash(ledger, postgres, url):
    with ledger.transaction("ada"):
        cut(postgres, url)
        1 / 0  # noqa: B018  # the crash is the point
