"""Off-policy estimates and uplift measures: a known truth, brute force, and how often intervals hold it."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from measures import offpolicy, uplift
from measures.offpolicy import Log
from measures.outcome import Interval, NotComputable, NotComputableError

LOGGED = np.array([0.5, 0.3, 0.2])
WANTED = np.array([0.1, 0.2, 0.7])
REWARD = np.array([0.1, 0.2, 0.4])
TRUTH = float(WANTED @ REWARD)


def logged(rng, n, *, model_error=0.0, logged=LOGGED, clusters=None):
    action = rng.choice(3, n, p=logged)
    reward = (rng.random(n) < REWARD[action]).astype(float)
    predicted = REWARD + model_error
    return Log(
        reward=reward,
        propensity=logged[action],
        target=WANTED[action],
        clusters=clusters,
        predicted=predicted[action],
        predicted_policy=np.full(n, float(WANTED @ predicted)),
    )


@pytest.mark.parametrize("name", ["IPS", "SNIPS", "DR", "DR shrunk"])
def test_intervals_hold_the_true_value_as_often_as_they_say(name):
    rng = np.random.default_rng(1)
    hits = []
    for _ in range(250):
        found = {value.estimator: value.value for value in offpolicy.evaluate(logged(rng, 600))}[name]
        hits.append(found.low <= TRUTH <= found.high)
    assert np.mean(hits) >= stats.binom.ppf(0.001, 250, 0.94) / 250


def test_dr_is_right_with_a_wrong_reward_model_and_narrower_with_a_right_one():
    rng = np.random.default_rng(2)
    wrong = [offpolicy.dr(logged(rng, 2000, model_error=0.3)).value.estimate for _ in range(200)]
    assert np.mean(wrong) == pytest.approx(TRUTH, abs=0.005)
    log = logged(rng, 2000)
    assert width(offpolicy.dr(log)) < width(offpolicy.ips(log))


def width(value):
    return value.value.high - value.value.low


def test_evaluating_the_policy_that_ran_gives_the_plain_mean():
    rng = np.random.default_rng(3)
    reward = rng.random(50)
    log = Log(reward=reward, propensity=np.full(50, 0.4), target=np.full(50, 0.4))
    for value in offpolicy.evaluate(log):
        assert value.value.estimate == pytest.approx(reward.mean())
        assert value.overlap.effective_sample == pytest.approx(50)
        assert value.overlap.warnings == ()


def test_snips_does_not_move_with_a_constant_added_to_every_reward():
    log = logged(np.random.default_rng(4), 300)
    moved = Log(reward=log.reward + 5, propensity=log.propensity, target=log.target)
    assert offpolicy.snips(moved).value.estimate == pytest.approx(offpolicy.snips(log).value.estimate + 5)


def test_shrinking_helps_where_weights_explode():
    rng = np.random.default_rng(5)
    thin = np.array([0.598, 0.4, 0.002])
    logs = [logged(rng, 500, logged=thin, model_error=0.02) for _ in range(200)]
    error = {
        estimator.__name__: np.mean([(estimator(log).value.estimate - TRUTH) ** 2 for log in logs])
        for estimator in (offpolicy.dr, offpolicy.dr_shrunk)
    }
    assert error["dr_shrunk"] < error["dr"]


def test_thin_overlap_is_said_in_words():
    rng = np.random.default_rng(6)
    propensity = np.where(rng.random(2000) < 0.002, 0.001, 0.9)
    log = Log(reward=rng.random(2000), propensity=propensity, target=np.full(2000, 0.9))
    assert any("thin overlap" in warning for warning in offpolicy.ips(log).overlap.warnings)


def test_an_action_that_was_never_tried_shows_in_the_mean_weight():
    rng = np.random.default_rng(7)
    action = rng.choice(2, 3000, p=[0.6, 0.4])
    log = Log(reward=np.ones(3000), propensity=np.array([0.6, 0.4])[action], target=np.array([0.3, 0.2])[action])
    assert any("not 1" in warning for warning in offpolicy.ips(log).overlap.warnings)


def test_clusters_widen_the_interval():
    rng = np.random.default_rng(8)
    person = np.repeat(np.arange(200), 5)
    reward = (rng.random(200)[person] < 0.5).astype(float)
    plain = Log(reward=reward, propensity=np.full(1000, 0.5), target=np.full(1000, 0.5))
    grouped = Log(reward=reward, propensity=np.full(1000, 0.5), target=np.full(1000, 0.5), clusters=person)
    assert width(offpolicy.ips(grouped)) == pytest.approx(width(offpolicy.ips(plain)) * np.sqrt(5), rel=0.02)
    assert offpolicy.ips(grouped).value.n == 200


def test_a_logged_action_without_a_chance_is_refused():
    with pytest.raises(NotComputableError, match="1 zeros"):
        offpolicy.ips(Log(reward=[1, 0], propensity=[0.0, 0.5], target=[0.5, 0.5]))
    with pytest.raises(NotComputableError, match="reward model"):
        offpolicy.dr(Log(reward=[1, 0], propensity=[0.5, 0.5], target=[0.5, 0.5]))


def test_a_policy_that_shares_nothing_with_the_log_has_no_snips():
    value = offpolicy.snips(Log(reward=[1, 0], propensity=[0.5, 0.5], target=[0.0, 0.0]))
    assert isinstance(value.value, NotComputable)


# --- uplift -------------------------------------------------------------------------------------------------

people = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 5), st.integers(0, 1)), min_size=4, max_size=40
).filter(lambda rows: len({t for _, _, t in rows}) == 2)


def brute_curve(y, score, treated):
    points = [(0, 0.0)]
    for threshold in sorted(set(score), reverse=True):
        inside = [i for i in range(len(y)) if score[i] >= threshold]
        t = [y[i] for i in inside if treated[i]]
        c = [y[i] for i in inside if not treated[i]]
        points.append((len(inside), sum(t) - (sum(c) * len(t) / len(c) if c else 0)))
    return points


@settings(deadline=None)
@given(people)
def test_the_qini_curve_is_the_one_counted_by_hand(rows):
    y, score, treated = zip(*rows, strict=True)
    x, curve = uplift.qini_curve(y, score, treated)
    assert list(zip(x, curve, strict=True)) == [(a, pytest.approx(b)) for a, b in brute_curve(y, score, treated)]


@settings(deadline=None)
@given(people)
def test_a_perfect_ranking_has_qini_one(rows):
    y, _, treated = map(np.array, zip(*rows, strict=True))
    best = y * treated - y * (1 - treated)
    try:
        assert uplift.qini(y, best, treated) == pytest.approx(1)
    except NotComputableError as error:
        assert "no ranking" in str(error)  # noqa: PT017 - the other right answer


def test_a_random_ranking_has_qini_about_zero_and_a_true_one_more():
    rng = np.random.default_rng(9)
    effect = rng.choice([0.0, 0.3], 20_000)
    treated = rng.integers(0, 2, 20_000)
    y = (rng.random(20_000) < 0.1 + effect * treated).astype(float)
    assert abs(uplift.qini(y, rng.random(20_000), treated)) < 0.05
    assert uplift.qini(y, effect, treated) > 0.15
    assert uplift.uplift_at(y, effect, treated, share=0.4).low > 0.25


@settings(deadline=None)
@given(people)
def test_uplift_at_everybody_is_the_difference_of_means(rows):
    y, score, treated = map(np.array, zip(*rows, strict=True))
    found = uplift.uplift_at(y, score, treated, share=1.0)
    assert found.estimate == pytest.approx(y[treated == 1].mean() - y[treated == 0].mean())


def test_uplift_without_an_arm_says_so():
    assert isinstance(uplift.uplift_at([1, 0], [1, 2], [1, 1], share=0.5), NotComputable)
    assert isinstance(uplift.uplift_at([1, 0, 1], [3, 2, 1], [1, 1, 0], share=0.5), NotComputable)
    assert isinstance(uplift.uplift_at([1.5, 0, 1, 2], [3, 2, 1, 0], [1, 1, 0, 0], share=1), Interval)
    with pytest.raises(NotComputableError, match="arm"):
        uplift.qini([1, 0], [1, 2], [1, 1])
    with pytest.raises(ValueError, match="share 30"):
        uplift.uplift_at([1, 0], [1, 2], [1, 0], share=30)


def test_policy_value_is_recovered_from_a_randomised_test():
    rng = np.random.default_rng(10)
    hits = []
    for _ in range(300):
        taken = rng.choice(3, 600)
        reward = REWARD[taken] + rng.normal(0, 0.1, 600)
        found = uplift.policy_value(reward, taken, np.full(600, 2), np.full(600, 1 / 3))
        hits.append(found.low <= 0.4 <= found.high)
    assert 0.91 <= np.mean(hits) <= 0.98
    assert isinstance(uplift.policy_value([1.0], [1], [1], [0.0]), NotComputable)
