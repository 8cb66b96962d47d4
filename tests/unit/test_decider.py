from __future__ import annotations

import dataclasses
from datetime import timedelta

import pyarrow as pa
import pytest

from decisions.decide import AskError
from decisions.ledger import RequestConflict
from decisions.records import Ask
from decisions.replay import replay
from runtime import scored
from runtime.build import build
from runtime.online import FeaturesNotBuiltError, OnlineFeatures
from runtime.purse import Purse
from runtime.scored import FEATURES_AWAY, NO_FEATURES, SCORING_FAILED, Scored
from tests.worlds.service import NOW, settings_in, settle


@pytest.fixture
def kairos(tmp_path):
    settings = settings_in(tmp_path)
    settle(settings, ["ada", "bob", "cleo"])
    with build(settings) as built:
        yield built


def question(customer_id="ada", request_id="r1", **fields) -> Ask:
    return Ask(**{"purpose": "service", **fields}, request_id=request_id, customer_id=customer_id)


def details(decision) -> set[str]:
    return {reason.detail for reason in decision.reasons if reason.code == "prior"}


def test_one_question_gives_one_recorded_decision(kairos):
    (decision,) = kairos.decider.decide([question()])
    assert decision.action == "send"
    assert kairos.ledger.decision(decision.decision_id) == decision


def test_the_record_alone_recomputes_the_decision(kairos):
    (decision,) = kairos.decider.decide([question()])
    contents = {
        version: kairos.ledger.content(kind, version)
        for kind, version in (("policy", kairos.policy.version), ("catalogue", kairos.catalogue.version))
    }
    assert replay(kairos.ledger.record(decision.decision_id), kairos.keys, contents=contents) == decision


def test_the_clock_of_the_settings_is_the_decisions_moment(kairos):
    assert kairos.decider.decide([question()])[0].now == NOW
    later = NOW + timedelta(hours=5)
    assert kairos.decider.decide([question("bob", "r2")], now=later)[0].now == later


def test_a_question_that_cannot_be_answered_leaves_the_others_standing(kairos):
    first, taken, wrong, other = kairos.decider.attempt(
        [question(), question("bob"), question("bob", "r3", offers=("cocoa",)), question("cleo", "r4")]
    )
    assert (first.action, other.action) == ("send", "send")
    assert isinstance(taken, RequestConflict)
    assert isinstance(wrong, AskError)


def test_decide_raises_what_attempt_returns(kairos):
    with pytest.raises(AskError):
        kairos.decider.decide([question(offers=("cocoa",))])


def test_no_questions_are_no_work(kairos):
    assert kairos.decider.decide([]) == []


def purse_of(kairos, messages) -> Purse:
    """So many messages by e-mail, the only channel these customers can be reached on."""
    return Purse(kairos.ledger.budgets, {"email": messages}, clock=kairos.clock)


def spent(kairos) -> int:
    return kairos.ledger.budgets.standing([NOW.date()], {"email": 9}, NOW)["email"].spent


def test_a_block_spends_its_purse_and_no_more(kairos):
    asks = [question(who, f"p-{who}") for who in ("ada", "bob", "cleo")]
    decisions = kairos.decider.decide_block(asks, purse=purse_of(kairos, 2))
    assert [decision.action for decision in decisions] == ["send", "send", "hold"]
    assert [kairos.ledger.decision(each.decision_id) for each in decisions] == decisions


def test_a_block_decides_as_single_questions_would(tmp_path):
    asks = [question(who, f"p-{who}") for who in ("ada", "bob", "zoe")]
    answers = []
    ways = (lambda k: k.decider.decide_block(asks, purse=purse_of(k, 9)), lambda k: k.decider.decide(asks))
    for name, way in zip("ab", ways, strict=True):
        settings = settings_in(tmp_path / name)
        settle(settings, ["ada", "bob"])
        with build(settings) as kairos:
            answers.append(way(kairos))
    assert answers[0] == answers[1]


def test_a_block_run_again_gives_the_same_and_spends_nothing(kairos):
    asks = [question(who, f"p-{who}") for who in ("ada", "bob")]
    first = kairos.decider.decide_block(asks, purse=purse_of(kairos, 9))
    assert kairos.decider.decide_block(asks, purse=purse_of(kairos, 9)) == first
    assert spent(kairos) == 2


def test_a_block_holds_each_customer_once(kairos):
    with pytest.raises(ValueError, match="each customer once"):
        kairos.decider.decide_block([question(), question("ada", "r2")], purse=purse_of(kairos, 9))


def test_a_preview_says_what_would_be_and_reserves_nothing(kairos):
    (previewed,) = kairos.decider.preview([question()])
    assert kairos.ledger.decisions_table().num_rows == 0
    assert kairos.decider.decide([question()]) == [previewed]


def test_rehearsing_records_nothing(kairos):
    kairos.decider.rehearse()
    assert kairos.ledger.decisions_table().num_rows == 0


class Away:
    def online(self, customer_ids, *, now):
        raise ConnectionError("no store")


def with_features(kairos, features):
    made = Scored(
        scorers=kairos.champions.current, features=features, policy=kairos.policy, catalogue=kairos.catalogue
    )
    return made.of(["ada", "ada", "bob"], now=NOW)


def test_features_that_are_away_give_priors_and_a_note(kairos):
    scores = with_features(kairos, Away())
    assert set(scores) == {"ada", "bob"}
    assert any(note.endswith(FEATURES_AWAY) for note in scores["ada"].notes)


def test_features_that_were_never_built_are_not_a_failure(kairos):
    assert any(note.endswith(NO_FEATURES) for note in with_features(kairos, kairos.features)["ada"].notes)


def test_a_model_that_fails_gives_priors_and_a_note(kairos, monkeypatch):
    honest = scored.score

    def failing(frame, scorers, **options):
        if frame.num_columns > 2:
            raise ValueError("the feature frame lacks a column")
        return honest(frame, scorers, **options)

    monkeypatch.setattr(scored, "score", failing)
    scores = with_features(kairos, Frame())
    assert any(note.endswith(SCORING_FAILED) for note in scores["bob"].notes)


class Frame:
    def online(self, customer_ids, *, now):
        return pa.table(
            {"customer_id": list(customer_ids), "event_timestamp": [now] * 2, "recency_days": [1.0, 2.0]}
        )


def test_only_features_that_expressions_name_travel_as_attributes(kairos):
    offers = (kairos.catalogue.offers[0].model_copy(update={"eligibility": "recency_days < 5 and tier = 'gold'"}),)
    catalogue = kairos.catalogue.model_copy(update={"offers": offers, "campaigns": ()})
    scores = with_features(dataclasses.replace(kairos, catalogue=catalogue), Frame())
    assert scores["bob"].attributes == {"recency_days": 2.0}


def test_reading_features_before_any_build_names_the_folder(tmp_path):
    with pytest.raises(FeaturesNotBuiltError, match=str(tmp_path)):
        OnlineFeatures(tmp_path).online(["ada"], now=NOW)
