from datetime import timedelta

import pytest

from tests.worlds.training import BEGIN, world
from training.labels import engagements, silence


def at(day, hours=0):
    return BEGIN + timedelta(days=day, hours=hours)


def sent(day, **changes):
    row = {"customer_id": "c1", "channel": "mail", "campaign_id": "k", "type": "sent", "occurred_at": at(day)}
    return row | changes


def reaction(day, **changes):
    return sent(day) | {"type": "clicked"} | changes


def labels(*rows, now=100, days=14):
    found = engagements(world(list(rows), days=now), days=days)
    return dict(zip(found["event_timestamp"].to_pylist(), found["engaged"].to_pylist(), strict=True))


def test_a_click_within_the_horizon_is_an_engagement():
    assert labels(sent(10), reaction(23)) == {at(10): 1.0}


def test_a_click_after_the_horizon_or_before_the_message_is_none():
    assert labels(sent(10), reaction(24)) == {at(10): 0.0}
    assert labels(sent(10), reaction(9)) == {at(10): 0.0}


def test_a_message_whose_horizon_is_not_over_has_no_label_even_if_it_was_clicked():
    assert labels(sent(90), reaction(91)) == {}


@pytest.mark.parametrize(
    "change",
    [
        {"campaign_id": "another"},
        {"channel": "email"},
        {"customer_id": "c2"},
        {"automated": True},
        {"type": "viewed"},
    ],
)
def test_what_is_not_a_reaction_to_this_message_is_no_engagement(change):
    assert labels(sent(10), reaction(12, **change)) == {at(10): 0.0}


def test_a_reaction_may_be_matched_by_message_or_decision_and_need_not_name_the_channel():
    by_message = {"campaign_id": None, "message_id": "m1"}
    assert labels(sent(10, **by_message), reaction(11, **by_message, channel=None)) == {at(10): 1.0}
    by_decision = {"campaign_id": None, "decision_id": "d1"}
    assert labels(sent(10, **by_decision), reaction(11, **by_decision)) == {at(10): 1.0}


def test_where_a_machine_opened_once_no_message_of_that_person_and_channel_has_a_label():
    machine = reaction(50, type="opened", automated=True, campaign_id="other")
    assert labels(sent(10), reaction(11), sent(30, campaign_id="k2"), machine) == {}
    elsewhere = machine | {"channel": "email"}
    assert labels(sent(10), reaction(11), elsewhere) == {at(10): 1.0}


def test_several_reactions_do_not_double_a_message():
    assert labels(sent(10), reaction(11), reaction(12), reaction(13, type="converted")) == {at(10): 1.0}


def bought(customer, *days):
    return [{"customer_id": customer, "type": "purchased", "occurred_at": at(day), "value": 1.0} for day in days]


def test_silence_asks_only_customers_seen_before_the_cutoff():
    sources = world([*bought("c1", 10, 60), *bought("c2", 10, 120), *bought("c3", 55)], days=130)
    found = silence(sources, [at(50)], days=56, activity=("purchased",))
    assert dict(zip(found["customer_id"].to_pylist(), found["silent"].to_pylist(), strict=True)) == {
        "c1": 0.0,
        "c2": 1.0,
    }


def test_the_window_of_silence_holds_its_first_moment_and_not_its_last():
    sources = world([*bought("c1", 10, 50), *bought("c2", 10, 106)], days=130)
    found = silence(sources, [at(50)], days=56, activity=("purchased",))
    assert found["silent"].to_pylist() == [0.0, 1.0]


def test_a_label_that_is_not_ripe_is_refused():
    with pytest.raises(ValueError, match="not over"):
        silence(world(bought("c1", 10), days=100), [at(50)], days=56, activity=("purchased",))
