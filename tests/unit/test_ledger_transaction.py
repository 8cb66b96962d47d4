"""Deciding against the ledger: state, record, idempotency."""

from dataclasses import replace
from datetime import timedelta

import pytest

from decisions.ledger import DuplicateDecision, ImpossibleRow, RequestConflict, UnknownDecision, UnlockedCustomer
from decisions.records import Alternative, Assignment, Pressure, Reason, Stage, ValueParts
from features.contracts import Preference
from tests.worlds.ledger import DAY, HOUR, NOW, ada, consent, event, hold, opened, record, recording, send, state


@pytest.fixture
def ledger(database_url):
    with opened(database_url) as ledger:
        yield ledger


def record_and_crash(ledger, decision):
    with ledger.transaction("ada") as tx:
        tx.record(decision, body_hash="b", frozen=b"")
        1 / 0  # noqa: B018  # the crash is the point


def test_a_customer_never_heard_of_has_an_empty_state(ledger):
    found = state(ledger, "nobody")
    assert not found.known
    assert (found.consents, found.pressure, found.exposures, found.held_back) == ((), (), (), {})


def test_the_state_holds_what_bears_on_a_decision(ledger):
    ledger.put_customers([ada()])
    ledger.append_consents([consent()], NOW)
    ledger.put_preference(Preference(customer_id="ada", max_per_week=2))
    found = state(ledger)
    assert found.known
    assert found.customer == ada()
    assert [(each.channel, each.status, each.evidence) for each in found.consents] == [("email", "granted", None)]
    assert found.preference == Preference(customer_id="ada", max_per_week=2)


def test_a_recorded_send_is_pressure_at_once(ledger):
    decision = record(ledger, send())
    expected = Pressure(
        at=decision.send_at,
        channel="email",
        category="drinks",
        offer_id="coffee",
        campaign_id="spring",
        decision_id=decision.decision_id,
        until=decision.expires_at,
    )
    assert state(ledger).pressure == (expected,)
    assert state(ledger).exposures[0].last_sent == decision.send_at


def test_a_decision_comes_back_as_it_was_recorded(ledger):
    value = ValueParts(tau=1.5, multiplier=1.1, send_cost=0.01, incentive=0.2, ltv_loss=0.3)
    decision = send(
        stages=(
            Stage(
                name="send_or_hold",
                options=("send", "hold"),
                values=(1.0, 0.0),
                probabilities=(0.9, 0.1),
                chosen="send",
            ),
        ),
        expected_value=value,
        reasons=(Reason(code="cap", until=NOW + DAY),),
        alternatives=(
            Alternative(offer_id="tea", channel="sms", send_at=NOW + timedelta(microseconds=1), value=value),
        ),
        experiments=(Assignment(experiment_id="x", arm="a"),),
        model_versions={"offer": "3"},
        variables={"name": "Ada"},
    )
    record(ledger, decision, frozen=b"\x00 all of it")
    assert ledger.decision(decision.decision_id) == decision
    assert ledger.record(decision.decision_id) == b"\x00 all of it"


def test_the_same_request_returns_the_same_decision_in_its_present_state(ledger):
    first = record(ledger, send(request_id="once"))
    ledger.release(first.decision_id, NOW)
    with ledger.transaction("ada") as tx:
        assert tx.find_request("once") == (replace(first, state="released"), "body")
        assert tx.record(send(request_id="once"), body_hash="body", frozen=b"") == replace(first, state="released")
    assert state(ledger).pressure == ()


def test_the_same_request_with_another_body_is_a_conflict_that_leaves_no_trace(ledger):
    record(ledger, send(request_id="once"))
    before = state(ledger)
    with pytest.raises(RequestConflict, match="'once'"):
        record(ledger, send(request_id="once"), body_hash="another")
    assert state(ledger) == before


def test_a_decision_id_is_used_once(ledger):
    first = record(ledger, send())
    with pytest.raises(DuplicateDecision):
        record(ledger, send(decision_id=first.decision_id))


def test_a_send_without_a_moment_is_refused_whole(ledger):
    broken = send(send_at=None)
    with pytest.raises(ImpossibleRow):
        record(ledger, broken)
    with pytest.raises(UnknownDecision):
        ledger.decision(broken.decision_id)


def test_a_transaction_writes_only_about_those_it_locked(ledger):
    with pytest.raises(UnlockedCustomer), ledger.transaction("ada") as tx:
        tx.record(send("bob"), body_hash="b", frozen=b"")


def test_an_error_inside_a_transaction_leaves_no_trace(ledger):
    decision = send()
    with pytest.raises(ZeroDivisionError):
        record_and_crash(ledger, decision)
    assert state(ledger).pressure == ()
    assert len(ledger.decisions_table()) == 0


def test_a_lapsed_place_is_freed_by_reading_the_state(ledger):
    decision = record(ledger, send())
    assert len(state(ledger, now=decision.expires_at - timedelta(microseconds=1)).pressure) == 1
    assert state(ledger, now=decision.expires_at).pressure == ()
    assert ledger.decision(decision.decision_id).state == "expired"


def test_looking_without_locking_does_not_show_lapsed_places_and_frees_none(ledger):
    decision = record(ledger, send())
    assert ledger.states(["ada"], decision.expires_at)["ada"].pressure == ()
    assert ledger.decision(decision.decision_id).state == "reserved"


def test_a_future_reservation_is_seen_and_a_message_beyond_the_look_back_is_not(ledger):
    record(ledger, send(at=NOW + 300 * DAY))
    ledger.take_events([event("sent", at=NOW - 401 * DAY), event("sent", at=NOW - 399 * DAY, channel="sms")], NOW)
    assert [each.channel for each in state(ledger).pressure] == ["sms", "email"]


def test_a_hold_reserves_nothing(ledger):
    decision = record(ledger, hold())
    assert state(ledger).pressure == ()
    assert ledger.lease(9, NOW + DAY, HOUR) == []
    assert ledger.confirm(decision.decision_id, NOW).code == "held"


def test_a_holdback_sticks_until_its_window_ends(ledger):
    record(ledger, hold(held_back=True, held_back_until=NOW + DAY, offer_id="coffee"))
    assert state(ledger).held_back == {"coffee": NOW + DAY}
    assert state(ledger, now=NOW + DAY).held_back == {}


def test_a_holdback_without_an_offer_takes_it_from_the_stage_that_chose_it(ledger):
    stage = Stage(
        name="offer_channel", options=("tea|sms",), values=(1.0,), probabilities=(1.0,), chosen="tea|sms"
    )
    record(ledger, hold(held_back=True, held_back_until=NOW + DAY, stages=(stage,)))
    assert state(ledger).held_back == {"tea": NOW + DAY}


def test_a_block_is_decided_in_one_transaction(ledger):
    people = [f"c{number}" for number in range(50)]
    ledger.put_customers([ada(customer_id=each) for each in people])
    with ledger.transaction_many(people) as tx:
        assert list(tx.states(people, NOW)) == people
        tx.record_many(
            [recording(send(each)) for each in people[:30]] + [recording(hold(each)) for each in people[30:]]
        )
    states = ledger.states(people, NOW)
    assert [len(states[each].pressure) for each in people] == [1] * 30 + [0] * 20
    assert states["c1"] == state(ledger, "c1")


def test_a_block_with_a_taken_request_is_refused_whole_and_names_it(ledger):
    record(ledger, send("ada", request_id="once"))
    block = [recording(send("bob")), recording(send("bob", request_id="once"))]
    with pytest.raises(RequestConflict, match="'once'"), ledger.transaction_many(["bob"]) as tx:
        tx.record_many(block)
    assert state(ledger, "bob").pressure == ()


def test_a_block_can_ask_which_requests_were_answered(ledger):
    first = record(ledger, send(request_id="once"))
    with ledger.transaction("ada") as tx:
        assert tx.find_requests(["once", "never"]) == {"once": (first, "body")}


def test_decisions_come_as_a_table_for_analysis(ledger):
    record(ledger, send(now=NOW - DAY))
    later = record(ledger, hold(experiments=(Assignment(experiment_id="x", arm="a"),)))
    table = ledger.decisions_table(since=NOW)
    assert table.column("decision_id").to_pylist() == [later.decision_id]
    assert table.column("experiments").to_pylist() == ['{"x":"a"}']
    assert table.column("decided_at").to_pylist() == [NOW]
    assert len(ledger.decisions_table(until=NOW)) == 1
    assert ledger.decisions_table(since=NOW + DAY).schema == table.schema


def test_a_version_of_the_policy_is_kept_once(ledger):
    ledger.keep("policy", "p1", b"caps: []")
    ledger.keep("policy", "p1", b"ignored: the version names the content")
    assert ledger.content("policy", "p1") == b"caps: []"
    assert ledger.content("policy", "p2") is None
