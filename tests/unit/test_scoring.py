from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from decisions.priors import Priors
from decisions.scorers.base import LEVELS, Effect, Scorers, Timing, Weariness
from decisions.scorers.channel import ChannelModel
from decisions.scorers.churn import ChurnModel
from decisions.scorers.worth import WorthScorer
from decisions.scoring import COLD_START, score
from features.contracts import Offer
from tests.worlds.scorers import a_frame, channel_model, churn_model, with_a_stranger

OFFERS = (Offer(offer_id="milk", category="grocery", channels=("mail", "email"), margin=2.0),)


@dataclass
class ATiming:
    """Says the same of everybody on email, and a curve of their own on mail."""

    version: str = "t1"

    def predict(self, batch):
        own = np.arange(batch.size)[:, None] + np.ones((batch.size, 168))
        return Timing(multiplier={"email": np.ones((1, 168)), "mail": own}, notes=("prior:send_time:email:x",))


@dataclass
class AnEffect:
    version: str = "o1"
    calls: int = 0

    def predict(self, batch, engagement):
        self.calls += 1
        tau = {f"milk|{channel}": engagement.probability[channel] * 2.0 for channel in batch.channels}
        return Effect(tau=tau, redeem={"milk": np.array([0.1])}, incremental=True)


@dataclass
class AWeariness:
    version: str = "f1"

    def predict(self, batch, effect):
        flat = {channel: np.full((1, LEVELS), 0.001) for channel in batch.channels}
        loss = {channel: effect.tau[f"milk|{channel}"][:, None] * np.ones(LEVELS) for channel in batch.channels}
        return Weariness(hazard=flat, response_loss=loss)


def scorers(**changes):
    return Scorers(
        **{
            "send_time": ATiming(),
            "channel": channel_model(),
            "churn": churn_model(),
            "offer": AnEffect(),
            "worth": WorthScorer.prior("no_champion"),
            "fatigue": AWeariness(),
            **changes,
        }
    )


def ask(frame, **changes):
    return score(frame, scorers(**changes), priors=Priors(), offers=OFFERS)


def test_every_customer_gets_one_record_in_the_frames_order():
    found = ask(a_frame())
    assert [each.customer_id for each in found] == a_frame()["customer_id"].to_pylist()


def test_each_answer_lands_with_its_own_customer():
    frame = a_frame()
    whole = ask(frame)
    alone = ask(frame.slice(5, 1))[0]
    assert alone.engage == whole[5].engage
    assert alone.tau == whole[5].tau
    assert alone.churn == whole[5].churn
    assert whole[5].multiplier["mail"][0] == 6.0
    assert whole[5].response_loss["mail"] == (whole[5].tau["milk|mail"],) * LEVELS


def test_an_answer_for_everybody_is_one_tuple_shared():
    found = ask(a_frame())
    assert found[0].multiplier["email"] is found[1].multiplier["email"]
    assert found[0].hazard is found[1].hazard


def test_every_record_is_made_of_plain_numbers():
    found = ask(a_frame())[0]
    assert type(found.engage["mail"]) is float
    assert type(found.tau["milk|mail"]) is float
    assert type(found.churn) is float
    assert type(found.multiplier["mail"]) is tuple
    assert type(found.multiplier["mail"][0]) is float


def test_each_model_is_asked_once_for_the_whole_frame():
    offer = AnEffect()
    ask(a_frame(), offer=offer)
    assert offer.calls == 1


def test_notes_name_the_priors_and_the_stranger():
    found = ask(with_a_stranger(a_frame()))
    assert "prior:send_time:email:x" in found[0].notes
    assert "prior:channel:email:no_labels" in found[0].notes
    assert COLD_START not in found[0].notes
    assert found[-1].notes == (*found[0].notes, COLD_START)


def test_a_single_feature_is_history_enough_not_to_be_a_stranger():
    frame = with_a_stranger(a_frame()).append_column("r", pa.array([None] * 60 + [[1.0]], pa.list_(pa.float64())))
    assert COLD_START not in ask(frame)[-1].notes


def test_contact_states_alone_are_no_history():
    frame = with_a_stranger(a_frame()).append_column("mail_contact", pa.array(["valid"] * 61))
    assert COLD_START in ask(frame)[-1].notes


def test_unknown_churn_is_none_and_not_a_number():
    found = ask(a_frame(), churn=ChurnModel.prior("no_labels"), channel=ChannelModel.prior("no_labels"))
    assert found[0].churn is None
    assert found[0].engage == {"email": 0.03, "mail": 0.03}


def test_versions_name_every_model_and_labels_may_rename_them():
    assert ask(a_frame())[0].model_versions["offer"] == "o1"
    assert ask(a_frame(), labels={"churn": "kairos-churn/3"})[0].model_versions["churn"] == "kairos-churn/3"
    assert set(ask(a_frame())[0].model_versions) == {"send_time", "channel", "churn", "offer", "worth", "fatigue"}


def test_attributes_carry_the_columns_that_expressions_name():
    found = score(a_frame(), scorers(), priors=Priors(), offers=OFFERS, attributes=["recency_days"])
    assert found[3].attributes == {"recency_days": a_frame()["recency_days"][3].as_py()}
    with pytest.raises(ValueError, match="nonsense"):
        score(a_frame(), scorers(), priors=Priors(), offers=OFFERS, attributes=["nonsense"])


def test_the_moment_of_the_features_travels_and_may_be_unknown():
    moment = datetime(2024, 3, 1, tzinfo=UTC)
    moments = pa.array([moment, None], pa.timestamp("us", "UTC"))
    for name in ("features_as_of", "event_timestamp"):
        frame = a_frame(rows=2).append_column(name, moments)
        assert [each.features_as_of for each in ask(frame)] == [moment, None]


def test_no_customers_have_no_scores():
    assert ask(a_frame().slice(0, 0)) == []
