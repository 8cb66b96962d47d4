"""What events change, once, whenever they come."""

import orjson
import pyarrow as pa
import pytest

from features.contracts import EVENT_SCHEMA
from tests.worlds.ledger import DAY, HOUR, NOW, ada, consent, event, opened, record, send, state


@pytest.fixture
def ledger(database_url):
    with opened(database_url) as ledger:
        ledger.put_customers([ada()])
        ledger.append_consents([consent()], NOW)
        yield ledger


def take(ledger, *events, now=NOW):
    return [each.status for each in ledger.take_events(events, now)]


def table(*events):
    rows = [{**each.model_dump(), "properties": orjson.dumps(each.properties).decode()} for each in events]
    return pa.Table.from_pylist(rows, schema=EVENT_SCHEMA)


def bulk(ledger, *events, now=NOW):
    return ledger.load_events(table(*events), now)


def api(ledger, *events, now=NOW):
    return ledger.take_events(events, now)


both_roads = pytest.mark.parametrize("road", [api, bulk])


def test_a_duplicate_event_changes_nothing(ledger):
    sent = event("sent", channel="email")
    assert take(ledger, sent, sent) == ["accepted", "duplicate"]
    assert take(ledger, sent) == ["duplicate"]
    assert len(state(ledger).pressure) == 1


@both_roads
def test_a_foreign_send_becomes_pressure_once(ledger, road):
    road(ledger, event("sent", channel="sms", message_id="m1"), event("sent", channel="sms", message_id="m1"))
    road(ledger, event("sent", channel="sms", message_id="m1"))
    (place,) = state(ledger).pressure
    assert (place.channel, place.purpose, place.at) == ("sms", "marketing", NOW)


@both_roads
def test_a_foreign_send_may_say_its_purpose_and_category(ledger, road):
    road(ledger, event("sent", channel="sms", properties={"purpose": "service", "category": "care"}))
    (place,) = state(ledger).pressure
    assert (place.purpose, place.category) == ("service", "care")


@both_roads
def test_the_send_of_a_confirmed_decision_is_the_same_message(ledger, road):
    decision = record(ledger, send())
    ledger.confirm(decision.decision_id, decision.send_at)
    later = decision.send_at + HOUR
    road(ledger, event("sent", at=later, decision_id=decision.decision_id, message_id="m1"), now=later)
    (place,) = state(ledger).pressure
    assert (place.decision_id, place.at) == (decision.decision_id, later)


@both_roads
@pytest.mark.parametrize("kind", ["sent", "delivered", "clicked", "bounced"])
@pytest.mark.parametrize("ended", [False, True])
def test_no_message_is_dated_before_its_decision_whatever_the_clock_of_its_sender_says(ledger, road, kind, ended):
    decision = record(ledger, send())
    if ended:
        ledger.release(decision.decision_id, NOW)
    epoch = NOW - 1000 * DAY
    road(ledger, event(kind, at=epoch, channel="email", decision_id=decision.decision_id))
    expected = [] if ended and kind != "sent" else [NOW]
    assert [each.at for each in state(ledger).pressure] == expected


@both_roads
def test_a_send_that_first_came_under_its_message_id_alone_is_merged(ledger, road):
    decision = record(ledger, send())
    ledger.confirm(decision.decision_id, decision.send_at)
    road(ledger, event("sent", channel="email", message_id="m1"))
    road(ledger, event("sent", decision_id=decision.decision_id, message_id="m1"))
    assert [each.decision_id for each in state(ledger).pressure] == [decision.decision_id]


@both_roads
def test_a_message_sent_without_permission_has_used_its_place(ledger, road):
    decision = record(ledger, send())
    road(ledger, event("sent", at=NOW, decision_id=decision.decision_id))
    assert ledger.confirm(decision.decision_id, decision.send_at).code == "already_confirmed"
    assert ledger.expire(NOW + 9 * DAY) == 0


@both_roads
def test_a_message_sent_after_its_place_was_given_back_is_pressure_all_the_same(ledger, road):
    decision = record(ledger, send())
    ledger.release(decision.decision_id, NOW)
    road(ledger, event("sent", decision_id=decision.decision_id), event("sent", decision_id=decision.decision_id))
    (place,) = state(ledger).pressure
    assert (place.channel, place.offer_id) == ("email", "coffee")
    assert ledger.decision(decision.decision_id).state == "released"


@both_roads
def test_a_decision_of_somebody_else_is_not_touched(ledger, road):
    decision = record(ledger, send("bob"))
    road(ledger, event("sent", "ada", channel="email", decision_id=decision.decision_id))
    assert ledger.decision(decision.decision_id).state == "reserved"
    assert len(state(ledger, "ada").pressure) == len(state(ledger, "bob").pressure) == 1


@both_roads
@pytest.mark.parametrize("kind", ["opened", "clicked", "converted", "purchased"])
def test_a_reaction_marks_its_message(ledger, road, kind):
    road(ledger, event("sent", channel="email", message_id="m1"), event("sent", channel="email", message_id="m2"))
    road(ledger, event(kind, message_id="m1", at=NOW + HOUR))
    assert [each.responded for each in state(ledger).pressure] == [True, None]


@both_roads
def test_a_reaction_to_a_campaign_marks_its_latest_message_before_it(ledger, road):
    sends = [event("sent", channel="mail", campaign_id="spring", at=NOW + days * DAY) for days in (0, 1, 3)]
    road(ledger, *sends)
    road(ledger, event("converted", campaign_id="spring", at=NOW + 2 * DAY), now=NOW + 2 * DAY)
    assert [each.responded for each in state(ledger, now=NOW + 4 * DAY).pressure] == [None, True, None]


@both_roads
def test_silence_is_an_answer_only_for_a_message_that_arrived_a_week_ago(ledger, road):
    road(ledger, event("sent", channel="email", message_id="m1"), event("sent", channel="mail", message_id="m2"))
    road(ledger, event("delivered", channel="email", message_id="m1"))
    assert [each.responded for each in state(ledger, now=NOW + 6 * DAY).pressure] == [None, None]
    assert {each.channel: each.responded for each in state(ledger, now=NOW + 7 * DAY).pressure} == {
        "email": False,
        "mail": None,
    }


@both_roads
def test_where_a_machine_opens_the_mail_silence_says_nothing(ledger, road):
    road(ledger, event("sent", channel="email", message_id="m1"))
    road(ledger, event("delivered", channel="email", message_id="m1"))
    road(ledger, event("opened", channel="email", message_id="m1", automated=True))
    assert [each.responded for each in state(ledger, now=NOW + 9 * DAY).pressure] == [None]


@both_roads
def test_a_conversion_is_remembered_by_offer_and_an_older_one_does_not_replace_it(ledger, road):
    road(ledger, event("converted", offer_id="coffee", at=NOW))
    road(ledger, event("purchased", offer_id="coffee", at=NOW - DAY))
    (exposure,) = state(ledger).exposures
    assert (exposure.offer_id, exposure.last_converted) == ("coffee", NOW)


@both_roads
@pytest.mark.parametrize("kind", ["unsubscribed", "complained"])
def test_leaving_withdraws_consent_and_stops_the_channel_at_once(ledger, road, kind):
    decision = record(ledger, send())
    road(ledger, event(kind, channel="email"))
    assert [each.status for each in state(ledger).consents] == ["withdrawn"]
    assert ledger.decision(decision.decision_id).state == "withdrawn"


def test_leaving_without_a_channel_leaves_every_channel(ledger):
    ledger.append_consents([consent(channel="sms")], NOW)
    take(ledger, event("unsubscribed"))
    assert {each.status for each in state(ledger).consents} == {"withdrawn"}


@both_roads
def test_a_grant_that_is_told_after_leaving_every_channel_does_not_undo_it(ledger, road):
    ledger.put_customers([ada(customer_id="eve")])
    road(ledger, event("unsubscribed", "eve"))
    ledger.append_consents([consent(customer_id="eve", at=NOW - DAY)], NOW)
    assert [each.status for each in state(ledger, "eve").consents] == ["withdrawn"]


def test_an_old_unsubscription_that_arrives_late_does_not_undo_a_newer_grant(ledger):
    decision = record(ledger, send())
    take(ledger, event("unsubscribed", channel="email", at=NOW - 2 * DAY))
    assert [each.status for each in state(ledger).consents] == ["granted"]
    assert ledger.decision(decision.decision_id).state == "reserved"


@both_roads
@pytest.mark.parametrize("sign", ["delivered", "opened", "clicked"])
def test_a_soft_bounce_stands_until_a_later_sign_of_life_in_whatever_order_they_are_told(ledger, road, sign):
    def contact():
        return state(ledger).customer.contacts["email"]

    road(ledger, event(sign, channel="email", at=NOW + HOUR))
    road(ledger, event("bounced", channel="email"))
    assert contact() == "valid"
    road(ledger, event("bounced", channel="email", at=NOW + HOUR))
    assert contact() == "soft_bounced"
    road(ledger, event(sign, channel="email", at=NOW + 2 * HOUR))
    assert contact() == "valid"


@both_roads
def test_a_hard_bounce_survives_importing_the_same_customers_again(ledger, road):
    road(ledger, event("bounced", channel="email", properties={"bounce": "hard"}))
    ledger.put_customers([ada()])
    assert state(ledger).customer.contacts == {"email": "hard_bounced"}
    ledger.put_customers([ada(contacts={"email": "absent"})])
    ledger.put_customers([ada()])
    assert state(ledger).customer.contacts == {"email": "valid"}


@both_roads
def test_a_hard_bounce_told_before_the_customer_is_known_is_not_forgotten(ledger, road):
    road(ledger, event("bounced", "eve", channel="email", properties={"bounce": "hard"}))
    ledger.put_customers([ada(customer_id="eve")])
    ledger.put_customers([ada(customer_id="eve")])
    assert state(ledger, "eve").customer.contacts == {"email": "hard_bounced"}


def test_loading_history_twice_changes_nothing(ledger):
    history = table(
        *(event("sent", f"c{number}", channel="email", message_id=f"m{number}") for number in range(200)),
        *(event("clicked", f"c{number}", message_id=f"m{number}", at=NOW + HOUR) for number in range(100)),
        *(event("purchased", f"c{number}") for number in range(50)),
    )
    first = ledger.load_events(history, NOW + DAY)
    before = ledger.states([f"c{number}" for number in range(200)], NOW + DAY)
    second = ledger.load_events(history, NOW + DAY)
    assert (first.taken, first.duplicates, first.skipped) == (300, 0, 50)
    assert (second.taken, second.duplicates, second.skipped) == (0, 300, 50)
    assert ledger.states(list(before), NOW + DAY) == before
    assert sum(each.pressure[0].responded is True for each in before.values()) == 100


def test_imported_history_does_not_come_back_to_the_lake_and_is_known_to_the_api(ledger):
    sent = event("sent", channel="email")
    bulk(ledger, sent)
    assert len(ledger.drain_inbox(9)) == 0
    assert take(ledger, sent) == ["duplicate"]


def test_the_inbox_gives_every_event_to_the_lake_once(ledger):
    events = [event("viewed", properties={"category": "tea"}), event("x_own", value=1.5, at=NOW + HOUR)]
    take(ledger, *events)
    waiting = ledger.drain_inbox(9)
    assert waiting.schema == EVENT_SCHEMA
    assert waiting.equals(table(*events))
    assert len(ledger.drain_inbox(1)) == 1
    assert ledger.mark_drained(waiting.column("event_id").to_pylist()) == 2
    assert len(ledger.drain_inbox(9)) == 0
    assert take(ledger, events[0]) == ["duplicate"]


def test_a_send_and_its_reaction_may_come_in_one_batch_in_any_order(ledger):
    clicked, sent = event("clicked", message_id="m1"), event("sent", channel="email", message_id="m1")
    verdicts = ledger.take_events([clicked, sent], NOW)
    assert [each.event_id for each in verdicts] == [clicked.event_id, sent.event_id]
    assert [each.responded for each in state(ledger).pressure] == [True]


@pytest.mark.parametrize(
    ("purpose", "ended"),
    [("marketing", ["marketing"]), ("service", ["marketing", "service"]), ("transactional", ["marketing"])],
)
def test_leaving_by_a_message_ends_its_purpose_and_marketing(database_url, purpose, ended):
    with opened(database_url) as ledger:
        decision = record(ledger, send(purpose=purpose))
        ledger.take_events([event("unsubscribed", decision_id=decision.decision_id, channel="email")], NOW)
        assert sorted(each.purpose for each in ledger.consents("ada")) == ended
