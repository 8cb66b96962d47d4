"""What a value stands on, and how it is said to people."""

from __future__ import annotations

from dataclasses import replace

import pytest

from decisions.because import because
from decisions.grounds import grounds_of
from decisions.records import Evidence, ValueParts
from tests.worlds.deciding import answer, catalogue, offer, policy, scores

STOCK = catalogue(offer("tea", channels=("email", "sms")), offer("green|tea", channels=("email",)))
EVIDENCE = {"tea|email": (10.2, 4.0, 2.0), "tea|sms": (5.0, 1.0, 1.0), "green|tea|email": (20.0, 2.0, 0.0)}


def worth(*notes, **more):
    plain = {"cadence": {"email": (7.0, 0.1)}, "evidence": EVIDENCE, "tau": {"tea|email": 2.0}}
    return scores(STOCK, notes=notes, **plain | more)


def decided(*notes, rules=None, **more):
    return answer(rules or policy(frequency={"explore_share": 0}), STOCK, worth=worth(*notes, **more))


def test_evidence_is_summed_over_the_offer_and_over_the_channel():
    found = grounds_of(worth(), "tea", "email")
    assert found.offer == Evidence(messages=15.2, seen=5.0, orders=3.0)
    assert found.channel == Evidence(messages=30.2, seen=6.0, orders=2.0)
    assert grounds_of(worth(), "green|tea", "email").offer == Evidence(messages=20.0, seen=2.0, orders=0.0)
    assert grounds_of(worth(evidence={}), "tea", "email").offer == Evidence(messages=0.0, seen=0.0, orders=0.0)


@pytest.mark.parametrize(
    ("notes", "grade"),
    [
        ((), "counted"),
        (("worth:tea|email:ratio",), "ratio"),
        (("worth:tea|sms:ratio",), "counted"),
        (("offer:tea|email:measured",), "measured"),
        (("prior:offer:tea|email:no_randomised_sends",), "declared"),
        (("prior:worth:no_orders",), "declared"),
    ],
)
def test_the_grade_of_an_effect_says_how_it_is_known(notes, grade):
    assert grounds_of(worth(*notes), "tea", "email").grades["effect"] == grade


def test_other_parts_are_declared_where_a_note_says_so():
    known = grounds_of(worth(), "tea", "email").grades
    assert set(known.values()) == {"counted", "measured"}
    notes = ("prior:send_time:email:no_randomised_slots", "prior:fatigue:email:no_labels", "prior:churn:no_labels")
    declared = grounds_of(worth(*notes), "tea", "email").grades
    assert {part for part, grade in declared.items() if grade == "declared"} == {
        "timing",
        "fatigue",
        "remaining_value",
    }
    assert grounds_of(worth("prior:send_time:no_champion"), "tea", "email").grades["timing"] == "declared"
    assert grounds_of(worth("prior:send_time:sms:x"), "tea", "email").grades["timing"] == "measured"


def test_a_decision_says_what_its_value_stands_on_and_one_that_holds_says_nothing():
    sent = decided()
    assert (sent.offer_id, sent.channel) == ("tea", "email")
    assert sent.grounds == grounds_of(worth(), "tea", "email")
    poor = decided(tau={"tea|email": -1.0, "tea|sms": -1.0, "green|tea|email": -1.0})
    assert (poor.action, poor.grounds, because(poor)) == ("hold", None, ())


def test_what_was_never_counted_has_no_grounds():
    assert decided(cadence={}).grounds is None
    assert because(decided(cadence={})) == ()


def test_a_message_that_was_held_back_says_why_it_would_have_gone():
    held = decided(rules=policy(frequency={"explore_share": 0}, holdback={"share": 0.999999}))
    assert held.held_back
    assert because(held)[0] == "Saw 6 of 30 messages by email, as far as it shows."


def test_a_value_is_said_in_sentences_the_strongest_first():
    known = replace(
        decided("worth:tea|email:ratio", "prior:churn:no_labels"),
        expected_value=ValueParts(tau=2.0, multiplier=1.1, send_cost=0.1, incentive=0.34, ltv_loss=0.22),
    )
    assert because(known) == (
        "Saw 6 of 30 messages by email, as far as it shows.",
        "Ordered after 3 of 15 messages with tea.",
        "At this hour a message does 1.10 times as much as at the mean one.",
        "Of what it brings, 10% is lost later: people tire, and some leave.",
        "Another 20% pays for sending it and for what is redeemed.",
        "A message every 7 days by email (1 a week) earns most.",
        "The effect of a message is counted, and corrected by what messages withheld at random showed.",
        "Declared, not learned: the remaining value.",
    )


def test_who_was_never_written_to_is_told_by_others():
    sentences = because(decided(evidence={}))
    assert sentences[0].startswith("No message by email has had time to be answered")
    assert sentences[1] == "Was never sent tea: what it does to others says what it may do."


def test_a_pace_that_was_drawn_and_one_that_earns_nothing_are_said():
    drawn = decided(rules=policy(frequency={"explore_share": 1.0, "factor": 2.0}))
    assert any("times the best interval was drawn, to learn" in each for each in because(drawn))
    nothing = decided(cadence={"email": (90.0, -0.1)})
    assert "No number of messages a week earns anything with this customer." in because(nothing)


def test_notes_of_what_was_learned_are_no_assumptions():
    reasons = [each.detail for each in decided("worth:tea|email:ratio", "prior:churn:no_labels").reasons]
    assert "prior:churn:no_labels" in reasons
    assert "worth:tea|email:ratio" not in reasons
