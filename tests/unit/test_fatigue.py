"""What one more message costs, where the truth is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from decisions.priors import ChannelPriors, Priors
from decisions.scorers.base import LEVELS, Effect
from decisions.scorers.fatigue import FatigueModel, declared_hazard
from decisions.scoring import batch_of
from features.contracts import EVENT_SCHEMA, Offer
from training.models import NoLabels
from training.models.fatigue import RandomisedPressure, TrainFatigue, randomised_drop, randomised_hazard
from training.models.fatigue.hazard import observed_hazard
from training.models.fatigue.sends import labelled

NOW = datetime(2024, 7, 1, tzinfo=UTC)
OFFERS = (Offer(offer_id="o", category="c", channels=("email",), margin=1.0),)
TRUTH = 0.002 * 1.5 ** np.arange(LEVELS)


def drawn(rows: int = 120_000, *, drop: float = 0.2, seed: int = 0) -> RandomisedPressure:
    """Sends held back at random, with people of different staying power meeting different pressure."""
    rng = np.random.default_rng(seed)
    level = rng.integers(0, LEVELS, rows)
    propensity = np.where(level % 2, 0.5, 0.7)
    sent = rng.random(rows) < propensity
    anyway = 0.004 * (1 - level / 10)  # who bears much mail leaves less: confounding between levels
    lost = rng.random(rows) < anyway + sent * TRUTH[level]
    response = (rng.random(rows) < 0.1 * (1 - drop * sent)).astype(float)
    return RandomisedPressure(level=level, sent=sent, propensity=propensity, lost=lost, response=response)


def batch(customers: int = 3):
    frame = pa.table({"customer_id": [f"c{i}" for i in range(customers)], "orders_7d": np.ones(customers)})
    return batch_of(frame, priors=Priors(), offers=OFFERS)


def test_the_hazard_by_pressure_is_recovered_from_holdbacks():
    found = randomised_hazard(drawn(), declared=np.full(LEVELS, 0.01))
    assert (np.abs(found.mean - TRUTH) < 3.5 * found.error).all()
    assert found.mean[-1] > 4 * found.mean[0]


@given(st.integers(0, 1000), st.integers(2, 400))
def test_the_hazard_never_falls_with_pressure_and_is_never_negative(seed, rows):
    found = randomised_hazard(drawn(rows, seed=seed), declared=declared_hazard("email", Priors()))
    assert (np.diff(found.mean) >= -1e-12).all()
    assert found.mean.min() >= 0
    assert found.mean.max() <= 1


def test_without_rows_the_hazard_is_the_declared_one():
    declared = declared_hazard("email", Priors())
    np.testing.assert_allclose(randomised_hazard(drawn(0), declared=declared).mean, declared)
    none = np.empty(0, np.int64)
    np.testing.assert_allclose(observed_hazard(none, none.astype(bool), declared=declared).mean, declared)


def test_the_drop_in_response_is_recovered_and_declared_where_unknown():
    assert randomised_drop(drawn(), declared=0.1) == pytest.approx(0.2, abs=0.05)
    assert randomised_drop(drawn(0), declared=0.1) == 0.1


def test_declared_hazards_grow_by_their_factor_and_stay_probabilities():
    priors = Priors(default=ChannelPriors(hazard=0.01, hazard_growth=3.0))
    hazard = declared_hazard("email", priors)
    assert hazard[1] == pytest.approx(0.03)
    assert hazard.max() == 0.5


def test_with_no_labels_the_answer_is_the_declared_one_and_says_so():
    weariness = FatigueModel.prior("no_labels").predict(
        batch(), Effect(tau={"o|email": np.array([0.4])}, redeem={})
    )
    assert weariness.notes == ("prior:fatigue:email:no_labels",)
    assert weariness.hazard["email"].shape == (1, LEVELS)
    assert weariness.response_loss["email"].shape == (1, LEVELS)


def test_response_lost_is_a_share_of_what_the_next_messages_would_bring():
    tau = {"o|email": np.array([1.0, 2.0, -5.0])}
    loss = FatigueModel.prior("x").predict(batch(), Effect(tau=tau, redeem={})).response_loss["email"]
    np.testing.assert_allclose(loss[1], 2 * loss[0])
    np.testing.assert_array_equal(loss[2], 0.0)  # a message that loses money will not follow
    assert (np.diff(loss[0]) >= 0).all()
    assert loss[0, 0] == pytest.approx(0.1 / 7 * 7 / np.log(2))


def test_what_was_only_seen_is_labelled_as_a_prior():
    model = FatigueModel.of({"email": {"source": "observational", "hazard": TRUTH.tolist()}}, why="no_labels")
    effect = Effect(tau={"o|email": np.array([0.4])}, redeem={})
    assert model.predict(batch(), effect).notes == ("prior:fatigue:email:observational_pressure",)


def test_a_saved_scorer_answers_as_before(tmp_path):
    before = FatigueModel.of({"email": {"source": "randomised", "hazard": TRUTH.tolist()}}, why="no_labels")
    before.save(tmp_path)
    after = FatigueModel.load(tmp_path)
    assert after.version == before.version != "prior"
    np.testing.assert_array_equal(after.hazard("email", Priors()), TRUTH)


def table(rows: list[tuple[str, float]]) -> pa.Table:
    moments = [NOW - timedelta(days=30) + timedelta(days=day) for _, day in rows]
    return pa.table(
        {
            "customer_id": pa.array([name for name, _ in rows], pa.string()),
            "channel": pa.array(["email"] * len(rows), pa.string()),
            "occurred_at": pa.array(moments, pa.timestamp("us", "UTC")),
        }
    )


def test_pressure_counts_seven_days_back_and_losses_fall_on_the_last_message():
    sent = table([("a", 0), ("a", 1), ("a", 7), ("a", 8.5), ("b", 8)])
    sends = labelled(sent, table([("a", 9), ("b", 7.9)]), days=7, now=NOW)
    assert sends.level.tolist() == [0, 1, 1, 1, 0]  # the message of day 0 is just out of the window of day 7
    assert sends.lost.tolist() == [False, False, False, True, False]


def test_messages_that_are_not_ripe_are_left_out():
    sends = labelled(table([("a", 0), ("a", 25)]), table([]), days=7, now=NOW)
    assert len(sends.at) == 1


def test_no_message_to_learn_from_knows_of_a_loss_after_the_cut():
    daily = table([("a", day) for day in range(20)] + [("b", 12.5)])
    lost_later = table([("b", 14.5)])  # laid to a message before the cut, and known only after it
    train, test = TrainFatigue(days=3).split(labelled(daily, lost_later, days=3, now=NOW))
    assert train.at.max() + timedelta(days=3) / timedelta(microseconds=1) <= test.at.min()
    assert not train.lost.any()


def test_a_loss_long_after_is_not_laid_to_the_message():
    assert not labelled(table([("a", 0)]), table([("a", 9)]), days=7, now=NOW).lost.any()


class MessageWorld:
    """Messages and losses, all in one bucket."""

    buckets = 1

    def __init__(self, rows: list[dict]) -> None:
        every = [
            {"event_id": f"e{i}", "automated": False, "properties": "{}", **row} for i, row in enumerate(rows)
        ]
        filled = [{name: row.get(name) for name in EVENT_SCHEMA.names} for row in every]
        self.table = pa.Table.from_pylist(filled, schema=EVENT_SCHEMA)

    def events(self, connection, _bucket):
        return connection.create_table("events", self.table, overwrite=True)


def sources(rows: list[dict]):
    from training.sources import TrainingSources

    return TrainingSources(
        lake=MessageWorld(rows), store=None, vocabulary=None, priors=Priors(), offers=OFFERS, now=NOW
    )


def messages(customers: int = 400, *, seed: int = 1) -> list[dict]:
    """Send ten messages within two weeks to each; the hazard grows strongly with pressure."""
    rng, rows = np.random.default_rng(seed), []
    for number in range(customers):
        about = {"customer_id": f"c{number}", "channel": "email"}
        at = NOW - timedelta(days=float(rng.uniform(25, 150)))
        for day in np.sort(rng.uniform(0, 14, 10)):
            pressure = sum(row["customer_id"] == about["customer_id"] for row in rows[-7:])
            rows.append({**about, "type": "sent", "occurred_at": at + timedelta(days=float(day))})
            if rng.random() < 0.01 * 1.6**pressure:
                lost = at + timedelta(days=float(day), minutes=5)
                rows.append({**about, "type": "unsubscribed", "occurred_at": lost})
                break
    return rows


def test_seen_losses_beat_a_constant_hazard_on_later_messages_and_carry_their_caveat():
    fitted = TrainFatigue().fit(sources(messages()), seed=0)
    scores = fitted.backtest.scores
    assert scores["fatigue"].mean() < scores["constant"].mean()
    assert "prediction gate only" in fitted.caveat
    np.testing.assert_array_equal(fitted.rescore(fitted.scorer), scores["fatigue"])


def test_holdbacks_replace_what_was_only_seen():
    fitted = TrainFatigue(drawn={"email": drawn(5000)}).fit(sources(messages()), seed=0)
    assert fitted.scorer.artefact.facts["channels"]["email"]["source"] == "randomised"
    assert fitted.caveat is None


@pytest.mark.parametrize("kept", [lambda row: row["type"] == "sent", lambda _row: False])
def test_without_losses_there_are_no_labels_and_the_reason_counts_them(kept):
    answer = TrainFatigue().fit(sources([row for row in messages(20) if kept(row)]), seed=0)
    assert isinstance(answer, NoLabels)
    assert answer.reason.startswith("0 of ")
