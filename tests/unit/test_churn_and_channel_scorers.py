import numpy as np
import pyarrow as pa
import pytest

from decisions.scorers.artefact import Artefact
from decisions.scorers.base import matrix
from decisions.scorers.calibration import probability_of
from decisions.scorers.channel import ChannelModel, own_counts, own_rate
from decisions.scorers.churn import ChurnModel
from decisions.scorers.lifetime import HORIZON_YEARS, discounted_years, yearly_spend
from tests.worlds.scorers import (
    NAMES,
    STRAIGHT,
    a_booster,
    a_frame,
    ask,
    channel_model,
    churn_model,
    with_a_stranger,
)


@pytest.mark.parametrize("model", [churn_model, channel_model])
def test_a_loaded_scorer_answers_as_the_saved_one(model, tmp_path):
    scorer = model()
    scorer.save(tmp_path)
    again = type(scorer).load(tmp_path)
    assert again.version == scorer.version
    for field in ("churn", "reachable", "probability"):
        first, second = (getattr(ask(each, a_frame()), field, None) for each in (scorer, again))
        assert str(first) == str(second)


@pytest.mark.parametrize("kind", [ChurnModel, ChannelModel])
def test_a_prior_survives_being_saved_and_calls_itself_one(kind, tmp_path):
    kind.prior("no_labels").save(tmp_path)
    again = kind.load(tmp_path)
    assert again.version == "prior"
    assert again.is_prior
    assert all(note.startswith("prior:") for note in ask(again, a_frame()).notes)


def test_the_prior_of_channels_is_what_was_declared_and_says_so():
    answer = ask(ChannelModel.prior("no_champion"), a_frame())
    assert answer.probability["email"].tolist() == [0.07]
    assert answer.notes == ("prior:channel:email:no_champion", "prior:channel:mail:no_champion")


def test_the_prior_of_churn_knows_no_churn_and_one_declared_year():
    answer = ask(ChurnModel.prior("no_labels"), a_frame())
    assert np.isnan(answer.churn).all()
    assert answer.reachable["email"].tolist() == [80.0 * 0.2]


def test_a_channel_that_was_not_learned_is_left_to_the_prior_beside_one_that_was():
    answer = ask(channel_model(), a_frame())
    assert answer.probability["email"].shape == (1,)
    assert answer.probability["mail"].shape == (60,)
    assert answer.notes == ("prior:channel:email:no_labels",)


def test_who_has_no_features_gets_the_peers_answer():
    frame = with_a_stranger(a_frame())
    assert ask(churn_model(), frame).churn[-1] == 0.11
    assert ask(channel_model(), frame).probability["mail"][-1] == 0.08
    assert np.isfinite(ask(churn_model(), frame).reachable["mail"]).all()


def test_a_customer_answers_alike_alone_and_in_a_crowd():
    frame = a_frame()
    crowd, alone = ask(churn_model(), frame).churn, ask(churn_model(), frame.slice(7, 1)).churn
    assert alone[0] == crowd[7]


def test_an_empty_frame_has_no_answers():
    assert ask(churn_model(), a_frame().slice(0, 0)).churn.shape == (0,)


@pytest.mark.parametrize("names", [("orders_90d", "recency_days"), ("recency_days",), ("recency_days", "other")])
def test_a_booster_of_other_columns_is_refused(names):
    with pytest.raises(ValueError, match="mixes two models"):
        ChurnModel(
            Artefact(
                kind="churn", facts={"knots": STRAIGHT}, features=names, boosters={"booster": a_booster(a_frame())}
            )
        )


def test_a_frame_without_a_column_is_refused_by_name():
    with pytest.raises(ValueError, match="orders_90d"):
        ask(churn_model(), a_frame().drop_columns(["orders_90d"]))


def test_reactions_to_one_message_count_once_and_never_exceed_the_messages():
    frame = pa.table(
        {
            "mail_sent_90d": [4.0, 1.0, None],
            "mail_opened_90d": [2.0, 0.0, None],
            "mail_clicked_90d": [1.0, 5.0, None],
            "mail_converted_90d": [1.0, 0.0, 3.0],
        }
    )
    sent, engaged = own_counts(frame, "mail")
    assert sent.tolist() == [4.0, 1.0, 0.0]
    assert engaged.tolist() == [2.0, 1.0, 0.0]


def test_the_own_rate_moves_from_the_base_to_the_customers_own():
    rate = own_rate(np.array([0.0, 10.0, 1e9]), np.array([0.0, 5.0, 5e8]), base=0.1, strength=10.0)
    assert rate == pytest.approx([0.1, 0.3, 0.5])


def test_remaining_years_fall_with_churn_and_rest_within_their_horizon():
    years = discounted_years(np.array([0.0, 0.1, 0.9, 1.0]), days=56, discount=0.1)
    assert np.all(np.diff(years) < 0)
    assert 0 < years[-1] < 0.01
    assert years[0] < HORIZON_YEARS
    assert discounted_years(np.array([0.0]), days=56, discount=0.0) == pytest.approx([HORIZON_YEARS])


def test_remaining_years_are_the_integral_they_claim_to_be():
    churn, days, discount = 0.3, 56, 0.1
    at = np.linspace(0, HORIZON_YEARS, 200_001)
    rate = -np.log(1 - churn) * 365 / days + np.log(1 + discount)
    assert discounted_years(np.array([churn]), days=days, discount=discount)[0] == pytest.approx(
        np.trapezoid(np.exp(-rate * at), at), rel=1e-6
    )


def test_a_week_of_history_is_no_year_of_spending():
    rate = yearly_spend(np.array([70.0, 365.0, 0.0]), np.array([7.0, 365.0, np.nan]), peers=300.0)
    assert 300.0 < rate[0] < 70 * 52
    assert rate[1] == pytest.approx((365 + 75) / 1.25)
    assert rate[2] == 300.0


def test_the_answer_is_the_calibrated_odds_of_rate_and_trees():
    scorer, frame = channel_model(), a_frame()
    learned = scorer.artefact.facts["channels"]["mail"]
    from decisions.scorers.calibration import log_odds
    from decisions.scorers.trees import raw_scores

    own = own_rate(*own_counts(frame, "mail"), base=learned["base"], strength=learned["strength"])
    odds = log_odds(own) + raw_scores(scorer.artefact.boosters["mail"], matrix(frame, NAMES))
    assert scorer.engage(frame, "mail") == pytest.approx(probability_of(odds))
