"""Hours by the answers messages got: exposure is sends, days of sending are what is counted by."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worlds.training import BEGIN, DAYS, world
from training.models import NoLabels
from training.models.send_time.answered import ALIKE, Answers, Own, learn_week
from training.models.send_time.by_answers import fit_by_answers

BERLIN = ZoneInfo("Europe/Berlin")


def letters(hours, *, people=120, weeks=30, good=1.5, seed=3):
    """Return a letter a week at one of ``hours`` (None: a date); the last of them is answered ``good`` times as often."""
    rng = np.random.default_rng(seed)
    rate = rng.beta(2, 6, people)
    rows = []
    for week in range(weeks):
        hour = hours[int(rng.integers(len(hours)))]
        day = datetime(2024, 1, 2, tzinfo=BERLIN) + timedelta(days=7 * week)
        at = day if hour is None else day.replace(hour=hour, minute=int(rng.integers(60)))
        chance = rate * (good if hour == hours[-1] else 1.0)
        for number in range(people):
            sent = {"customer_id": f"c{number}", "channel": "email", "message_id": f"m{week}-{number}"}
            rows.append({**sent, "type": "sent", "occurred_at": at})
            if rng.random() < chance[number]:
                rows.append({**sent, "type": "opened", "occurred_at": at + timedelta(hours=1)})
    return rows


def fit(rows):
    return fit_by_answers(world(rows, days=DAYS), seed=1)


def test_an_hour_that_is_answered_more_often_is_found_and_multiplies():
    fitted = fit(letters([8, 20]))
    assert not isinstance(fitted, NoLabels)
    curve = fitted.scorer.rhythm.everybody.reshape(7, 24).mean(axis=0)
    assert 1.25 < curve[20] / curve[8] < 1.7
    scores = fitted.backtest
    assert scores.statistic(scores.truth, scores.scores["send_time"]) < scores.statistic(
        scores.truth, scores.scores["all_hours_alike"]
    )
    assert np.array_equal(fitted.rescore(fitted.scorer), scores.scores["send_time"])


def test_days_of_sending_are_resampled_and_not_people():
    backtest = fit(letters([8, 20])).backtest
    assert backtest.drawn_by == "days of sending"
    assert len(np.unique(backtest.clusters)) < 15


def test_where_hours_are_alike_the_curve_stays_flat():
    curve = fit(letters([8, 20], good=1.0)).scorer.rhythm.everybody
    assert curve.max() / curve.min() < 1.25


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ([None], "dates without a time of day: weekdays only, no hour was learned"),
        ([9], "all messages were sent at 9:00 local time: no hour can be told from another"),
        ([8, 20], "at 2 different local hours"),
    ],
)
def test_what_the_hours_are_worth_is_said(hours, said):
    caveat = fit(letters(hours)).caveat
    assert "hours were chosen by the sender, not drawn" in caveat
    assert said in caveat


def test_dates_never_train_an_hour():
    curve = fit(letters([None])).scorer.rhythm.everybody.reshape(7, 24)
    assert np.ptp(curve, axis=1).max() == 0


def test_too_few_answers_say_how_many_there_are():
    few = fit(letters([8, 20], people=3, weeks=6))
    assert isinstance(few, NoLabels)
    assert "answers on 5 days of sending are needed on each side" in few.reason
    none = fit([{"customer_id": "c1", "type": "purchased", "occurred_at": BEGIN, "value": 1.0}])
    assert "time zone" in none.reason


def _answers(who, hour, answered):
    size = len(who)
    return Answers(
        who=np.array(who),
        day=np.arange(size) % 7,
        weekday=np.arange(size) % 7,
        hour=np.array(hour),
        answered=np.array(answered, dtype=float),
        channel=np.array(["email"] * size),
    )


ROWS = st.lists(st.tuples(st.integers(0, 40), st.integers(-1, 23), st.booleans()), min_size=8, max_size=60)


@settings(max_examples=40, deadline=None)
@given(ROWS)
def test_the_rate_of_a_message_by_the_others_is_that_of_counting_them_one_by_one(rows):
    sent = _answers(*zip(*rows, strict=True))
    own = Own(base=0.2, strength=5.0)
    plain = [
        (sum(a for j, (w, _, a) in enumerate(rows) if w == who and j != i) + 1.0)
        / (sum(w == who for j, (w, *_) in enumerate(rows) if j != i) + 5.0)
        for i, (who, _, _) in enumerate(rows)
    ]
    np.testing.assert_allclose(own.left_out(sent), plain)


@settings(max_examples=25, deadline=None)
@given(ROWS)
def test_whatever_was_sent_the_week_is_positive_and_chances_are_chances(rows):
    sent = _answers(*zip(*rows, strict=True))
    week = learn_week(sent, np.full(len(rows), 0.2), seed=1)
    assert (week.curve > 0).all()
    assert week.curve.sum() == pytest.approx(1.0)
    chances = week.chances(sent, np.full(len(rows), 0.2))
    assert ((chances > 0) & (chances < 1)).all()
    assert (ALIKE.chances(sent, np.full(len(rows), 0.2)) == 0.2).all()
