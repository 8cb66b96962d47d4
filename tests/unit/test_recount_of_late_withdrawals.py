"""A withdrawal may arrive late: what the journal says is what is newest by its own clock."""

import pytest

from pipelines.recount import Rules, recount
from tests.worlds.ledger import HOUR, NOW, ada, consent, event, fresh, record, send, url_in


@pytest.fixture
def ledger(tmp_path):
    with fresh(tmp_path) as ledger:
        ledger.put_customers([ada()])
        ledger.append_consents([consent()], NOW)
        yield ledger


def found(tmp_path):
    return recount(url_in(tmp_path), Rules.of({})).counts["consent"]


def test_a_withdrawal_older_than_a_grant_given_since_stops_nothing_and_breaks_nothing(ledger, tmp_path):
    first = record(ledger, send(now=NOW))
    ledger.append_consents([consent(at=NOW + HOUR)], NOW + HOUR)
    late = event("unsubscribed", channel="email", at=NOW - HOUR)
    ledger.take_events([late], NOW + 2 * HOUR)
    assert ledger.decision(first.decision_id).state == "reserved"
    assert found(tmp_path) == 0


def test_a_withdrawal_newer_than_every_grant_stops_what_was_decided_before(ledger, tmp_path):
    first = record(ledger, send(now=NOW))
    ledger.append_consents([consent(at=NOW + HOUR)], NOW + HOUR)
    ledger.take_events([event("unsubscribed", channel="email", at=NOW + 2 * HOUR)], NOW + 3 * HOUR)
    assert ledger.decision(first.decision_id).state == "withdrawn"
    assert found(tmp_path) == 0
