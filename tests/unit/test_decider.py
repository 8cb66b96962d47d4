from __future__ import annotations

import dataclasses
from datetime import timedelta

import pyarrow as pa
import pytest

from decisions.decide import AskError
from decisions.ledger import CustomerErased, LeaseLost, RequestConflict
from decisions.records import Ask
from decisions.replay import replay
from runtime import scored
from runtime.build import build
from runtime.decider import NO_BUDGETS, TRIES
from runtime.online import FeaturesNotBuiltError, OnlineFeatures
from runtime.purse import Purse, Tab
from runtime.scored import FEATURES_AWAY, NO_FEATURES, SCORING_FAILED, Scored
from tests.worlds.service import NOW, settings_in, settle


@pytest.fixture
def kairos(tmp_path, database_url):
    settings = settings_in(tmp_path, ledger_url=database_url)
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


def test_whoever_was_erased_is_left_out_of_a_block_and_refused_alone(kairos):
    kairos.decider.decide([question("bob", "before")])
    kairos.ledger.erase("bob", NOW)
    asks = [question(who, f"p-{who}") for who in ("ada", "bob", "cleo")]
    decided = kairos.decider.decide_block(asks, purse=purse_of(kairos, 9))
    assert [each.customer_id for each in decided] == ["ada", "cleo"]
    for request_id in ("before", "p-bob"):
        assert isinstance(kairos.decider.attempt([question("bob", request_id)])[0], CustomerErased)
    with pytest.raises(CustomerErased):
        kairos.decider.decide([question("bob", "p-bob")])
    assert kairos.ledger.timeline("bob") == ()


def test_a_block_holds_each_customer_once(kairos):
    with pytest.raises(ValueError, match="each customer once"):
        kairos.decider.decide_block([question(), question("ada", "r2")], purse=purse_of(kairos, 9))


@pytest.fixture
def short(tmp_path):
    """One message by e-mail a day, for three customers."""
    settings = settings_in(tmp_path)
    settings.policy.write_text(settings.policy.read_text() + "daily_budget: {email: 1}\n")
    settle(settings, ["ada", "bob", "cleo"])
    with build(settings) as built:
        yield built


def test_single_questions_share_the_policys_daily_budget(short):
    sent, held = short.decider.decide([question(who, f"p-{who}") for who in ("ada", "bob")])
    assert (sent.action, held.action) == ("send", "hold")
    assert "budget_exhausted" in {reason.code for reason in held.reasons}
    assert held.propensity_exact
    assert short.decider.decide([question("ada", "p-ada")]) == [sent]


def test_a_transactional_message_passes_a_spent_budget_and_takes_no_place(short):
    asks = [question(who, f"p-{who}", purpose="transactional") for who in ("ada", "bob")]
    assert [each.action for each in short.decider.decide([*asks, question("cleo", "p-cleo")])] == ["send"] * 3


def test_a_decision_under_a_spent_budget_is_recomputed_from_its_record(short):
    held = short.decider.decide([question(), question("bob", "r2")])[1]
    contents = {
        version: short.ledger.content(kind, version)
        for kind, version in (("policy", short.policy.version), ("catalogue", short.catalogue.version))
    }
    assert replay(short.ledger.record(held.decision_id), short.keys, contents=contents) == held


def test_a_preview_knows_that_a_budget_is_spent(short):
    short.decider.decide([question()])
    assert short.decider.preview([question("bob", "r2")])[0].action == "hold"
    assert short.decider.preview([question("bob", "r2")], budgets=NO_BUDGETS)[0].action == "send"


@pytest.mark.parametrize("losses", [1, TRIES - 1])
def test_a_decision_whose_lease_ran_out_is_made_anew_and_recorded_once(short, monkeypatch, losses):
    settle_of, left = Tab.settle, iter([True] * losses)

    def unlucky(tab, transaction):
        if next(left, False):
            raise LeaseLost("email")
        settle_of(tab, transaction)

    monkeypatch.setattr(Tab, "settle", unlucky)
    assert short.decider.decide([question()])[0].action == "send"
    assert spent(short) == 1 == short.ledger.decisions_table().num_rows


def test_a_worker_that_never_gets_its_lease_says_try_again(short, monkeypatch):
    def unlucky(tab, transaction):
        raise LeaseLost("email")

    monkeypatch.setattr(Tab, "settle", unlucky)
    with pytest.raises(LeaseLost, match="try again"):
        short.decider.decide([question()])
    assert short.ledger.decisions_table().num_rows == 0


def test_closing_gives_back_what_was_leased(short):
    short.decider.decide([question(purpose="transactional")])
    short.close()
    with build(short.settings) as again:
        assert again.decider.decide([question("bob", "r2")])[0].action == "send"


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
