"""What is told in another order than it happened is understood all the same."""

import itertools

import pyarrow as pa
import pytest
from sqlalchemy import text

from decisions.ledger.storage import schema
from features.contracts import EVENT_SCHEMA
from tests.worlds.arrival import events_table
from tests.worlds.ledger import DAY, HOUR, NOW, ada, consent, event, fresh, opened, record, send, state

LATE = NOW + DAY


@pytest.fixture
def ledger(database_url):
    with opened(database_url, key=b"k") as ledger:
        yield ledger


def api(ledger, told):
    return ledger.take_events([told], LATE)


def bulk(ledger, told):
    return ledger.load_events(events_table([told]), LATE)


both_roads = pytest.mark.parametrize("road", [api, bulk])


def consents(ledger, who="ada"):
    return {(each.channel, each.purpose): each.status for each in state(ledger, who).consents}


def messages(ledger, now=NOW + 9 * DAY):
    return [(each.channel, each.purpose, each.at, each.responded) for each in state(ledger, now=now).pressure]


def rows(ledger, table):
    with ledger._database.exporting() as connection:
        return [dict(row) for row in connection.execute(table.select()).mappings()]


# Who leaves


@both_roads
@pytest.mark.parametrize("kind", ["complained", "unsubscribed"])
def test_who_leaves_before_anybody_knows_them_has_left_every_channel_that_becomes_known(ledger, road, kind):
    road(ledger, event(kind, at=NOW))
    ledger.put_customers([ada(contacts={"email": "valid", "sms": "valid"})])
    ledger.append_consents([consent(at=NOW - DAY), consent(channel="push", at=NOW - DAY)], LATE)
    road(ledger, event("bounced", channel="mail"))
    assert consents(ledger) == {
        (channel, "marketing"): "withdrawn" for channel in ("email", "mail", "push", "sms")
    }


def test_a_later_grant_counts_whatever_was_left_before(ledger):
    api(ledger, event("complained", at=NOW - DAY))
    ledger.append_consents([consent(at=NOW)], LATE)
    assert consents(ledger) == {("email", "marketing"): "granted"}


@both_roads
def test_leaving_by_a_message_that_is_not_known_yet_ends_every_channel_until_it_is(ledger, road):
    ledger.put_customers([ada(contacts={"email": "valid", "sms": "valid"})])
    road(ledger, event("unsubscribed", message_id="m1", event_id="left"))
    assert consents(ledger) == {("email", "marketing"): "withdrawn", ("sms", "marketing"): "withdrawn"}
    road(ledger, event("sent", channel="sms", message_id="m1", at=NOW - HOUR, properties={"purpose": "service"}))
    assert consents(ledger) == {("sms", "marketing"): "withdrawn", ("sms", "service"): "withdrawn"}
    assert "consent_narrowed" in [each.what for each in ledger.trail.entries("ada")]


def test_leaving_by_a_decision_that_was_given_back_is_of_its_channel(ledger):
    ledger.put_customers([ada(contacts={"email": "valid", "sms": "valid"})])
    decision = record(ledger, send())
    ledger.release(decision.decision_id, NOW)
    api(ledger, event("unsubscribed", decision_id=decision.decision_id))
    assert consents(ledger) == {("email", "marketing"): "withdrawn"}


# What messages tell of channels


@both_roads
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_bounce_that_names_its_message_alone_is_of_the_channel_of_that_message(ledger, road, order):
    ledger.put_customers([ada()])
    told = (
        event("sent", message_id="m1", channel="email"),
        event("bounced", message_id="m1", properties={"bounce": "hard"}),
    )
    for number in order:
        road(ledger, told[number])
    assert state(ledger).customer.contacts == {"email": "hard_bounced"}


def test_such_a_bounce_outlives_the_message_that_it_was_about(ledger):
    ledger.put_customers([ada()])
    api(ledger, event("sent", message_id="m1", channel="email", at=NOW - 900 * DAY))
    api(ledger, event("bounced", message_id="m1", properties={"bounce": "hard"}, at=NOW - 899 * DAY))
    assert ledger.retaining.forget("foreign_pressure", NOW - 500 * DAY, NOW) == 1
    api(ledger, event("sent", message_id="m2", channel="sms"))
    assert state(ledger).customer.contacts["email"] == "hard_bounced"


@both_roads
def test_a_bounce_from_before_a_declaration_changed_does_not_count_however_late_it_is_told(ledger, road):
    ledger.put_customers([ada()], now=NOW - 9 * DAY)
    ledger.put_customers([ada(contacts={"email": "absent"})], now=NOW - 8 * DAY)
    ledger.put_customers([ada()], now=NOW - 7 * DAY)
    road(ledger, event("bounced", channel="email", at=NOW - 10 * DAY, properties={"bounce": "hard"}))
    assert state(ledger).customer.contacts == {"email": "valid"}
    road(ledger, event("bounced", channel="email", at=NOW, properties={"bounce": "hard"}))
    assert state(ledger).customer.contacts == {"email": "hard_bounced"}


# What a message is


REPORTS = (
    event("sent", message_id="m1", at=NOW + 2 * HOUR, channel="sms", campaign_id="late", event_id="r1"),
    event("sent", message_id="m1", at=NOW + HOUR, channel="email", campaign_id="first", event_id="r3"),
    event("sent", message_id="m1", at=NOW + HOUR, channel="push", campaign_id="tied", event_id="r4"),
    event("sent", message_id="m1", at=NOW, campaign_id="no channel", event_id="r2"),
)


@both_roads
@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_of_several_reports_of_a_message_the_earliest_that_names_its_channel_says_what_it_was(ledger, road, order):
    for number in order:
        road(ledger, REPORTS[number])
    (row,) = rows(ledger, schema.pressure)
    assert (row["channel"], row["campaign_id"], row["told_by"]) == ("email", "first", "r3")
    assert messages(ledger)[0][2] == NOW


@both_roads
@pytest.mark.parametrize("order", list(itertools.permutations(range(4)))[::5])
def test_names_that_reports_link_are_one_message_also_where_the_decision_is_not_known_here(ledger, road, order):
    told = (
        event("sent", decision_id="theirs", channel="email", at=NOW),
        event("sent", decision_id="theirs", message_id="m1", channel="email", at=NOW + HOUR),
        event("sent", message_id="m1", channel="email", at=NOW + 2 * HOUR),
        event("clicked", decision_id="theirs", at=NOW + 3 * HOUR),
    )
    for number in order:
        road(ledger, told[number])
    assert messages(ledger) == [("email", "marketing", NOW, True)]
    assert rows(ledger, schema.reaction) == []


@both_roads
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_message_told_of_two_decisions_has_spent_both_places(ledger, road, order):
    ledger.put_customers([ada()])
    one, other = record(ledger, send()), record(ledger, send())
    told = (
        event("sent", decision_id=one.decision_id, message_id="m1", at=NOW + HOUR),
        event("sent", decision_id=other.decision_id, message_id="m1", at=NOW + 2 * HOUR),
        event("clicked", message_id="m1", at=NOW + 3 * HOUR),
    )
    for number in order:
        road(ledger, told[number])
    assert messages(ledger) == [("email", "marketing", NOW + HOUR, True)] * 2
    assert [ledger.decision(each.decision_id).state for each in (one, other)] == ["confirmed"] * 2


@both_roads
def test_a_second_report_that_says_it_went_earlier_is_believed_of_a_decided_message_too(ledger, road):
    decision = record(ledger, send())
    ledger.confirm(decision.decision_id, decision.send_at)
    road(ledger, event("sent", decision_id=decision.decision_id, at=NOW + 5 * HOUR))
    road(ledger, event("sent", decision_id=decision.decision_id, message_id="m1", at=NOW + 3 * HOUR))
    road(ledger, event("sent", message_id="m1", channel="email", at=NOW))  # a clock behind the permission
    assert [each[2] for each in messages(ledger)] == [decision.send_at]


# What names no message


@both_roads
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_a_reaction_without_a_name_is_of_the_nearest_message_whenever_that_is_told(ledger, road, order):
    told = (
        event("sent", channel="mail", campaign_id="spring", message_id="m1", at=NOW),
        event("sent", channel="mail", campaign_id="spring", message_id="m2", at=NOW + 2 * HOUR),
        event("converted", campaign_id="spring", at=NOW + 3 * HOUR),
    )
    for number in order:
        road(ledger, told[number])
    assert [each[3] for each in messages(ledger)] == [None, True]


def test_a_reaction_without_a_name_spends_no_place(ledger):
    decision = record(ledger, send())
    api(ledger, event("clicked", campaign_id="spring", at=decision.send_at + HOUR))
    assert ledger.decision(decision.decision_id).state == "reserved"


# One id


def test_of_two_contents_under_one_id_the_first_stands_and_the_second_is_told(ledger):
    first, other = event("viewed", event_id="e", value=1.0), event("complained", event_id="e")
    assert api(ledger, first)[0].status == "accepted"
    assert [(each.status, each.conflict) for each in (*api(ledger, first), *api(ledger, other))] == [
        ("duplicate", False),
        ("duplicate", True),
    ]
    assert (bulk(ledger, other).conflicts, bulk(ledger, first).conflicts) == (1, 0)
    assert state(ledger).consents == ()


@pytest.mark.parametrize("first", [event("viewed", event_id="e"), event("clicked", message_id="m", event_id="e")])
def test_an_imported_id_is_known_to_the_api_whether_or_not_it_bore_on_anything(ledger, first):
    ledger.put_customers([ada()])
    bulk(ledger, first)
    (verdict,) = api(ledger, event("complained", event_id="e"))
    assert (verdict.status, verdict.conflict) == ("duplicate", True)
    assert [each.conflict for each in api(ledger, first)] == [False]
    assert state(ledger).consents == ()


def test_in_one_table_the_first_row_of_an_id_stands_also_where_it_happened_later(ledger):
    later = event("sent", event_id="e", channel="email", at=NOW + HOUR)
    earlier = event("sent", event_id="e", channel="sms", at=NOW)
    loaded = ledger.load_events(events_table([later, earlier, later]), LATE)
    assert (loaded.taken, loaded.duplicates, loaded.conflicts) == (1, 2, 1)
    assert [each[0] for each in messages(ledger)] == ["email"]


def test_in_one_request_the_first_of_an_id_stands_also_where_it_happened_later(ledger):
    later = event("sent", event_id="e", channel="email", at=NOW + HOUR)
    verdicts = ledger.take_events([later, event("sent", event_id="e", channel="sms")], LATE)
    assert [(each.status, each.conflict) for each in verdicts] == [("accepted", False), ("duplicate", True)]
    assert [each[0] for each in messages(ledger)] == ["email"]


@pytest.mark.parametrize("kind", ["viewed", "clicked"])
def test_another_spelling_of_the_same_content_is_no_conflict(ledger, kind):
    told = event(kind, event_id="e", value=2, message_id="m", properties={"n": 2, "b": "x", "none": None})
    spelled = {**events_table([told]).to_pylist()[0], "properties": '{ "b":"x", "n":2.0 }'}
    ledger.load_events(pa.Table.from_pylist([spelled], schema=EVENT_SCHEMA), LATE)
    assert [(each.status, each.conflict) for each in api(ledger, told)] == [("duplicate", False)]
    assert bulk(ledger, told).conflicts == 0


@pytest.mark.parametrize("number", [1e308, -1e19, 2.0**64, 1e17, 0.1, -0.0])
def test_a_number_of_any_size_is_digested(ledger, number):
    told = event("clicked", value=number, properties={"n": number})
    assert [(each.status, each.conflict) for _ in range(2) for each in api(ledger, told)][1] == (
        "duplicate",
        False,
    )
    assert bulk(ledger, event("viewed", value=number, properties={"n": number})).conflicts == 0


# Consents


@pytest.mark.parametrize("order", list(itertools.permutations((None, "page 1", "page 2"))))
def test_of_entries_that_are_equal_but_for_their_evidence_the_same_one_stands_in_any_order(ledger, order):
    for evidence in order:
        ledger.append_consents([consent(evidence=evidence)], NOW)
    assert [each.evidence for each in ledger.consents("ada")] == ["page 1"]


# What is forgotten, and what was stored before


def test_the_names_of_a_message_are_forgotten_with_it(ledger):
    old = NOW - 900 * DAY
    api(ledger, event("sent", decision_id="theirs", message_id="m1", channel="email", at=old))
    assert len(rows(ledger, schema.alias)) == 1
    ledger.retaining.forget("foreign_pressure", NOW - 500 * DAY, NOW)
    assert rows(ledger, schema.alias) == []


def test_reactions_without_a_name_are_forgotten_once_no_decision_looks_at_them(ledger):
    api(ledger, event("clicked", campaign_id="spring", at=NOW - 900 * DAY))
    api(ledger, event("clicked", campaign_id="spring", at=NOW - DAY))
    api(ledger, event("bounced", message_id="m1", at=NOW - 900 * DAY))
    assert ledger.retaining.forget("guesses", NOW + 2 * DAY, NOW) == 1
    assert len(rows(ledger, schema.open_event)) == 2


def test_what_was_learned_before_moments_were_kept_is_read(tmp_path):
    fresh(tmp_path).close()
    with fresh(tmp_path) as ledger:
        ledger.put_customers([ada()])
        ledger.take_events([event("bounced", channel="email"), event("clicked", message_id="m1")], NOW)
        record(ledger, send())
        with ledger._database.engine.begin() as connection:
            _back_to_0002(connection)
    with opened(f"sqlite:///{tmp_path}/ledger.db") as ledger:
        assert state(ledger).customer.contacts == {"email": "soft_bounced", "sms": "hard_bounced"}
        ledger.take_events([event("sent", message_id="m1", channel="email")], NOW)
        assert [each.responded for each in state(ledger, now=NOW).pressure if each.decision_id is None] == [True]
        ledger.take_events([event("delivered", channel="email", at=NOW + HOUR)], NOW)
        assert state(ledger).customer.contacts["email"] == "valid"
        ledger.take_events([event("sent", message_id="m9", channel="push")], NOW)
        assert '"proxied":true' in rows(ledger, schema.customer)[0]["contacts"]


def _back_to_0002(connection):
    """The schema and the rows as the version before wrote them."""
    for statement in (
        "DROP TABLE withheld",
        "DROP TABLE alias",
        "DROP TABLE open_event",
        "DROP TABLE passed",
        "ALTER TABLE pressure DROP COLUMN guessed",
        "ALTER TABLE pressure DROP COLUMN told_at",
        "ALTER TABLE pressure DROP COLUMN told_by",
        *(
            f"ALTER TABLE inbox DROP COLUMN {name}"
            for name in ("digest", "decision_id", "message_id", "offer_id", "automated")
        ),
        "ALTER TABLE reaction ADD COLUMN proxied SMALLINT NOT NULL DEFAULT 0",
        "INSERT INTO reaction (customer_id, name, responded, proxied, at) VALUES ('ada', 'message:m9', NULL, 1, 1)",
        "UPDATE alembic_version SET version_num = '0002'",
    ):
        connection.execute(text(statement))
    contacts = '{"email":{"declared":"valid","learned":"soft_bounced","soft":1},"sms":{"learned":"hard_bounced"}}'
    connection.execute(text("UPDATE customer SET contacts = :contacts"), {"contacts": contacts})
