"""Who is calling, told from copies of the keys that are seconds old."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from decisions.ledger import LedgerUnavailable
from runtime.access import FIRST, FRESH, Access, Caller
from runtime.clock import FixedClock, SystemClock
from tests.worlds.ledger import DAY, NOW, fresh


class Ticking:
    now = 100.0

    def __call__(self):
        return self.now


class Counted:
    def __init__(self, keyring):
        self.keyring, self.reads, self.away = keyring, 0, False

    def all(self):
        self.reads += 1
        if self.away:
            raise LedgerUnavailable("away")
        return self.keyring.all()


@pytest.fixture
def ticks():
    return Ticking()


@pytest.fixture
def ring(tmp_path):
    with fresh(tmp_path) as ledger:
        yield Counted(ledger.keys)


@pytest.fixture
def access(ring, ticks):
    return Access(ring, first=SecretStr("the first"), clock=FixedClock(NOW), ticks=ticks)


def added(ring, role="sender", **options):
    return ring.keyring.add(role, label="x", now=NOW - DAY, **options)


def test_a_key_says_whose_it_is_and_what_it_may_do(access, ring):
    new = added(ring, "ingest")
    assert access.authenticate(new.secret) == Caller(key_id=new.key.key_id, role="ingest")


def test_the_first_key_is_an_admins_and_needs_no_ledger(access, ring):
    ring.away = True
    assert access.authenticate("the first") == FIRST
    assert FIRST.role == "admin"


@pytest.mark.parametrize("presented", ["", "the firs", "the first ", "kairos_", "kairos_x_y", "\udc80", "ключ"])
def test_a_stranger_is_nobody(access, ring, presented):
    added(ring)
    assert access.authenticate(presented) is None


def test_the_right_id_with_another_secret_is_nobody(access, ring):
    first, second = added(ring), added(ring)
    mixed = f"kairos_{first.key.key_id}_{second.secret.split('_', 2)[2]}"
    assert access.authenticate(mixed) is None


def test_the_ledger_is_read_once_in_five_seconds_however_many_ask(access, ring, ticks):
    secret = added(ring).secret
    for _ in range(50):
        assert access.authenticate(secret)
        access.authenticate("kairos_guess_guess")
    assert ring.reads == 1
    ticks.now += FRESH
    access.authenticate(secret)
    assert ring.reads == 2


def test_what_has_not_the_form_of_a_key_never_reads_the_ledger(access, ring):
    assert access.at_once("a guess")
    access.authenticate("a guess")
    assert ring.reads == 0


def test_it_says_beforehand_whether_it_will_read(access, ring, ticks):
    secret = added(ring).secret
    assert not access.at_once(secret)
    access.authenticate(secret)
    assert access.at_once(secret)
    ticks.now += FRESH
    assert not access.at_once(secret)


def test_a_revoked_key_stops_after_five_seconds_at_the_latest(access, ring, ticks):
    new = added(ring)
    assert access.authenticate(new.secret)
    ring.keyring.revoke(new.key.key_id, NOW)
    ticks.now += FRESH
    assert access.authenticate(new.secret) is None


def test_a_new_key_opens_after_five_seconds_at_the_latest(access, ring, ticks):
    access.authenticate("kairos_guess_guess")
    secret = added(ring).secret
    ticks.now += FRESH
    assert access.authenticate(secret)


def test_a_key_expires_without_being_read_again(ring, ticks):
    new = added(ring, expires=NOW)
    clock = FixedClock(NOW - timedelta(seconds=1))
    assert Access(ring, first=SecretStr("f"), clock=clock, ticks=ticks).authenticate(new.secret)
    assert Access(ring, first=SecretStr("f"), clock=FixedClock(NOW), ticks=ticks).authenticate(new.secret) is None


def test_a_clock_that_stands_still_keeps_no_key_alive(ring):
    now = datetime.now(UTC)
    new = ring.keyring.add("sender", label="x", now=now - DAY, expires=now - timedelta(seconds=1))
    access = Access(ring, first=SecretStr("f"))
    assert isinstance(access._clock, SystemClock)
    assert access.authenticate(new.secret) is None


def test_keys_that_cannot_be_read_again_open_nothing(access, ring, ticks):
    secret = added(ring).secret
    access.authenticate(secret)
    ring.away = True
    assert access.authenticate(secret), "the copies are fresh"
    ticks.now += FRESH
    with pytest.raises(LedgerUnavailable):
        access.authenticate(secret)
    ring.away = False
    assert access.authenticate(secret)


def test_threads_that_ask_together_cause_one_reading(access, ring):
    secret = added(ring).secret
    gate = threading.Barrier(8)
    found = []

    def ask():
        gate.wait()
        found.append(access.authenticate(secret))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(found)
    assert ring.reads == 1
