"""An order at noon changes the answer at one: from features up to midnight and from the ledger after it."""

from __future__ import annotations

import json
from datetime import timedelta

import numpy as np
import pytest

from decisions.ledger import CustomerErased
from decisions.records import Ask
from decisions.scorers.worth import WorthScorer
from decisions.worth.beliefs import Beliefs
from decisions.worth.life import Life
from decisions.worth.model import WorthModel
from decisions.worth.tally import Tally
from features.contracts import Event
from pipelines.jobs.building import build_tables, materialize
from pipelines.jobs.deciding import replay_decision
from pipelines.jobs.erasing import erase_customers
from runtime.build import build
from runtime.champions import Champion
from runtime.exporting import export_customer, written
from tests.worlds.privacy import traces
from tests.worlds.service import NOW, settings_in, settle

ADA, BOB = "ada-of-noon", "bob-of-noon"
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOON = NOW.replace(hour=12)


def learned() -> WorthScorer:
    """A model of a thousand people, some of whom see most of their mail and some none of it."""
    size = 1000
    counted = {name: np.zeros((size, 1, 3)) for name in Tally.__dataclass_fields__}
    counted["exposed"][:, 0], counted["opened"][::3, 0], counted["seen"][::3, 0] = 10, 6, 6
    counted["ordered"][::6, 0] = 1
    life = Life(
        orders=np.full(size, 3.0),
        revenue=np.full(size, 60.0),
        days=np.full(size, 365.0),
        signs=np.full(size, 9.0),
        silent_days=np.full(size, 9.0),
    )
    beliefs = Beliefs(attention=(0.2,), loss=(0.002,))
    model = WorthModel.learn(Tally(**counted), life, beliefs, lost=np.ones(1), sent=np.full(1, 5000.0))
    return WorthScorer.of(model, ("email",), ("coffee", "tea"))


def past(who: str) -> list[Event]:
    """A message a week, the last five days ago."""
    return [
        Event(
            event_id=f"{who}-{number}",
            customer_id=who,
            type="sent",
            occurred_at=NOW - timedelta(days=5 + 7 * number),
            channel="email",
            offer_id="tea",
            message_id=f"{who}-m{number}",
        )
        for number in range(6)
    ]


@pytest.fixture(scope="module")
def settings(tmp_path_factory):
    return settings_in(tmp_path_factory.mktemp("noon"), buckets=2, threads=1)


@pytest.fixture(scope="module")
def kairos(settings, tmp_path_factory):
    settle(settings, [ADA, BOB])
    with build(settings) as kairos:
        for each in (ADA, BOB):
            kairos.ledger.take_events(past(each), NOW)
        build_tables(kairos)
        materialize(kairos)
        scorer, artefact = learned(), tmp_path_factory.mktemp("artefact")
        scorer.save(artefact)
        champion = Champion(kind="worth", name="kairos-worth", version="1", content=scorer.version)
        kairos.champions.keep(champion, artefact)
        kairos.champions.choose([champion])
        yield kairos


def tell(kairos, decision, *kinds, at):
    kairos.ledger.take_events(
        [
            Event(
                event_id=f"{decision.decision_id}-{kind}",
                customer_id=decision.customer_id,
                type=kind,
                occurred_at=at + timedelta(minutes=10 * place),
                channel="email",
                offer_id=decision.offer_id,
                decision_id=decision.decision_id,
            )
            for place, kind in enumerate(kinds)
        ],
        at + HOUR / 2,
    )


def sent_at_noon(kairos, who):
    """Decide for the customer until something is to be sent: some of the draws are holds."""
    for number in range(20):
        ask = Ask(request_id=f"{who}-{number}", customer_id=who, purpose="marketing")
        (decision,) = kairos.decider.decide([ask], now=NOON)
        if decision.action == "send":
            return decision
    raise AssertionError("twenty draws, and no message")


def tau(kairos, who, now, offer="coffee"):
    return kairos.decider.scores([who], now=now)[who].tau[f"{offer}|email"]


@pytest.fixture(scope="module")
def told(kairos):
    """What the offer that went at noon was worth before, right after it went, and after it led to an order."""
    decision = sent_at_noon(kairos, ADA)
    before = tau(kairos, ADA, NOON, decision.offer_id)
    tell(kairos, decision, "sent", at=NOON)
    unanswered = tau(kairos, ADA, NOON + HOUR, decision.offer_id)
    tell(kairos, decision, "opened", "converted", at=NOON)
    answered = tau(kairos, ADA, NOON + HOUR, decision.offer_id)
    return decision, before, unanswered, answered


def test_a_message_without_an_answer_takes_a_little_off_and_an_order_adds(told):
    _, before, unanswered, answered = told
    assert unanswered < before < answered


def test_what_features_know_already_counts_no_second_time(kairos, told):
    """Of the other customer nothing is new, but that the last message is riper by half a day."""
    midnight = NOW.replace(hour=0)  # nothing was told by then: features alone
    assert tau(kairos, BOB, NOON) == pytest.approx(tau(kairos, BOB, midnight), rel=2e-3)


def test_the_decision_at_one_goes_by_it_and_both_are_replayed(kairos, told):
    first, before, _, answered = told
    ask = Ask(request_id="at-one", customer_id=ADA, purpose="marketing")
    (second,) = kairos.decider.decide([ask], now=NOON + HOUR)
    assert first.expected_value.tau == before
    assert second.history_hash != first.history_hash
    inputs = {
        each["decision_id"]: each["inputs"]["scores"]["tau"][f"{first.offer_id}|email"]
        for each in export_customer(kairos, ADA)["decisions"]
    }
    assert (inputs[first.decision_id], inputs[second.decision_id]) == (before, answered)
    for each in (first, second):
        assert replay_decision(kairos, each.decision_id).same


def test_the_next_build_knows_it_itself_and_it_counts_once(kairos, settings, told):
    decision, _, _, answered = told
    tomorrow = (NOW + DAY).replace(hour=1)
    alone = tau(kairos, ADA, tomorrow, decision.offer_id)
    with build(settings.model_copy(update={"now": tomorrow})) as later:
        build_tables(later)
        materialize(later)
        built = tau(later, ADA, tomorrow, decision.offer_id)
    # Only how the customer lives is known anew: the conversion is no purchase.
    assert built == pytest.approx(alone, rel=1e-3)
    assert built > answered * 0.9


def test_after_an_erasure_nothing_is_left_to_count(kairos, settings, told):
    assert written(export_customer(kairos, ADA))
    erase_customers(kairos, [ADA])
    assert kairos.ledger.told([ADA], since=NOW - 90 * DAY, now=NOW + 9 * DAY) == []
    assert traces(settings.home, ADA) == []
    with pytest.raises(CustomerErased):
        json.dumps(export_customer(kairos, ADA))
