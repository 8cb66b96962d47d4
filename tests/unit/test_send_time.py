"""The rhythm of a week and what it does to a message, where the truth is known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pytest

from decisions.priors import ChannelPriors, Priors
from decisions.scorers.rhythm import Rhythm, Weights, shifted
from decisions.scorers.send_time import UNIFORM, SendTimeModel
from decisions.scoring import batch_of
from features.contracts import EVENT_SCHEMA, Offer
from training.models import NoLabels
from training.models.send_time import History, Slots, TrainSendTime, learn_beta, learn_rhythm
from training.models.send_time.delays import delay_hours
from training.models.send_time.effect import Beta
from training.models.send_time.observed import NOTHING, in_words, pays
from training.models.send_time.rhythm import everybodys_curve, losses, share_in_best

HOURS = np.arange(168) % 24
OFFERS = (Offer(offer_id="o", category="c", channels=("email", "push"), margin=1.0),)


def bump(hour: float, width: float = 2.0) -> np.ndarray:
    """Return a week that peaks daily at ``hour``."""
    distance = np.minimum(np.abs(HOURS - hour), 24 - np.abs(HOURS - hour))
    curve = np.exp(-0.5 * (distance / width) ** 2) + 0.02
    return curve / curve.sum()


def people(count: int, events: float, *, seed: int = 0) -> tuple[History, np.ndarray]:
    """Two kinds of people, morning and evening, with few and many events."""
    rng = np.random.default_rng(seed)
    truth = np.array([bump(8.0), bump(20.0)])[np.arange(count) % 2]
    sizes = rng.poisson(events, count)
    earlier = np.array([rng.multinomial(n, p) for n, p in zip(sizes, truth, strict=True)], float)
    later = np.array([rng.multinomial(max(n, 1), p) for n, p in zip(sizes, truth, strict=True)], float)
    return History(earlier=earlier, later=later), truth


def frame(counts: np.ndarray) -> pa.Table:
    rhythm = pa.array(counts.tolist(), pa.list_(pa.float64()))
    return pa.table({"customer_id": [f"c{i}" for i in range(len(counts))], "rhythm": rhythm})


def scorer(history: History, **channels) -> SendTimeModel:
    return SendTimeModel.of(
        learn_rhythm(history, seed=1),
        sends=UNIFORM,
        sends_from="all hours alike",
        half_life_days=90.0,
        channels=channels,
        why="no_randomised_slots",
    )


def test_the_blend_finds_morning_and_evening_people_and_beats_everybody_by_nearly_all_there_is():
    history, truth = people(400, 12)
    fresh, _ = people(400, 12, seed=9)
    rhythm = learn_rhythm(history, seed=1)
    blend = losses(rhythm.curves(fresh.earlier), fresh.later).mean()
    everybody = losses(rhythm.everybody[None], fresh.later).mean()
    ideal = losses(truth, fresh.later).mean()
    assert len(rhythm.mixing) > 1
    assert (everybody - blend) > 0.85 * (everybody - ideal)


def test_where_all_are_alike_the_blend_loses_next_to_nothing_to_everybodys_curve():
    rng = np.random.default_rng(3)
    draw = lambda: np.array([rng.multinomial(4, bump(12.0)) for _ in range(300)], float)  # noqa: E731
    rhythm = learn_rhythm(History(earlier=draw(), later=draw()), seed=1)
    test = History(earlier=draw(), later=draw())
    everybody = losses(rhythm.everybody[None], test.later).mean()
    assert losses(rhythm.curves(test.earlier), test.later).mean() < everybody + 0.01


def test_a_history_that_drifted_away_is_not_trusted():
    rng = np.random.default_rng(4)
    kinds = np.array([bump(6.0), bump(12.0), bump(20.0)])
    draw = lambda kind: np.array([rng.multinomial(8, kinds[k]) for k in kind], float)  # noqa: E731
    drifting = lambda: History(earlier=draw(rng.integers(0, 3, 300)), later=draw(rng.integers(0, 3, 300)))  # noqa: E731
    rhythm, test = learn_rhythm(drifting(), seed=1), drifting()
    everybody = losses(rhythm.everybody[None], test.later).mean()
    assert losses(rhythm.curves(test.earlier), test.later).mean() < everybody + 0.02


def test_who_is_unknown_has_everybodys_curve_and_no_evidence():
    model = scorer(people(100, 10)[0])
    unknown = frame(np.zeros((1, 168))).set_column(1, "rhythm", pa.array([None], pa.list_(pa.float64())))
    np.testing.assert_allclose(model.curves(unknown)[0], model.rhythm.everybody, rtol=1e-9)
    assert model.evidence(unknown).count[0] == 0


def test_more_evidence_narrows_the_spread():
    model = scorer(people(100, 10)[0])
    counts = np.outer([1.0, 20.0], bump(8.0)) * 10
    few, many = model.evidence(frame(counts)).spread.mean(axis=1)
    assert many < few


def test_hours_are_a_circle_so_the_hour_before_midnight_is_next_to_the_one_after():
    late = np.zeros((1, 168))
    late[0, [23, 47, 71, 95, 119, 143, 167]] = 5.0
    flat = np.full(168, 1 / 168)
    rhythm = Rhythm(everybody=flat, centroids=flat[None], mixing=np.ones(1), weights=Weights(drift=1e-5))
    curve = rhythm.curves(late)[0]
    np.testing.assert_allclose(curve[0], curve[166], rtol=1e-6)  # an hour after Sunday 23:00, an hour before


def test_a_delay_of_an_hour_and_a_half_reads_between_two_hours():
    curve = np.arange(168.0)
    np.testing.assert_allclose(shifted(curve, 1.5)[:3], [1.5, 2.5, 3.5])
    assert shifted(curve, 30.25).sum() == pytest.approx(curve.sum())


def test_the_multiplier_averages_one_over_the_sends_so_far_for_everybody():
    model = scorer(people(100, 10)[0])
    timing = model.predict(batch_of(frame(people(5, 10)[0].earlier), priors=Priors(), offers=OFFERS))
    for multiplier in timing.multiplier.values():
        np.testing.assert_allclose(multiplier @ model.artefact.arrays["sends"], 1.0, atol=1e-6)
        assert (multiplier > 0).all()


def test_the_best_moment_to_send_lies_a_delay_before_the_best_moment_to_open():
    history, _ = people(200, 30)
    priors = Priors(default=ChannelPriors(open_delay_hours=3.0))
    timing = scorer(history).predict(batch_of(frame(history.earlier[:2]), priors=priors, offers=OFFERS))
    morning, evening = timing.multiplier["email"].reshape(2, 7, 24).mean(axis=1).argmax(axis=1)
    assert abs(morning - 5) <= 1
    assert abs(evening - 17) <= 1


def test_a_learned_beta_replaces_the_declared_one_and_its_note():
    history, _ = people(100, 10)
    batch = batch_of(frame(history.earlier), priors=Priors(), offers=OFFERS)
    timing = scorer(history, email={"beta": 0.5, "delay_hours": 0.0}).predict(batch)
    assert timing.notes == ("prior:send_time:push:no_randomised_slots",)
    assert np.ptp(timing.multiplier["email"]) > np.ptp(timing.multiplier["push"])


def test_without_data_every_hour_is_alike_and_the_note_says_why():
    timing = SendTimeModel.prior("no_champion").predict(
        batch_of(frame(np.zeros((3, 168))), priors=Priors(), offers=OFFERS)
    )
    assert timing.notes == ("prior:send_time:no_champion",)
    np.testing.assert_array_equal(timing.multiplier["email"], np.ones((1, 168)))


def test_a_saved_scorer_answers_as_before(tmp_path):
    history, _ = people(100, 10)
    before = scorer(history, email={"beta": 0.2})
    before.save(tmp_path)
    after = SendTimeModel.load(tmp_path)
    assert after.version == before.version
    batch = batch_of(frame(history.earlier), priors=Priors(), offers=OFFERS)
    np.testing.assert_array_equal(
        after.predict(batch).multiplier["email"], before.predict(batch).multiplier["email"]
    )


def slots(beta: float, *, sends: int, seed: int, prior_spread: float = 0.8) -> Slots:
    rng = np.random.default_rng(seed)
    log_rhythm, base = rng.normal(0, prior_spread, sends), rng.uniform(0.03, 0.15, sends)
    engaged = rng.random(sends) < np.clip(base * np.exp(beta * log_rhythm), 0, 1)
    return Slots(log_rhythm=log_rhythm, engaged=engaged, offset=np.log(base / (1 - base)), weight=np.ones(sends))


def test_beta_is_recovered_and_its_interval_covers_the_truth_as_often_as_it_says():
    inside = 0
    for seed in range(60):
        low, high = learn_beta(slots(0.25, sends=4000, seed=seed), prior=0.1, prior_sd=1.0).interval
        inside += low <= 0.25 <= high
    assert inside >= 52  # of 57 expected; P(fewer) is under 1%


def test_no_slots_leave_beta_where_it_was_declared():
    none = Slots(log_rhythm=np.empty(0), engaged=np.empty(0, bool), offset=np.empty(0), weight=np.empty(0))
    found = learn_beta(none, prior=0.1, prior_sd=0.05)
    assert (found.mean, found.sd, found.sends) == (0.1, 0.05, 0)


def test_few_slots_move_beta_little():
    assert learn_beta(slots(0.9, sends=50, seed=1), prior=0.1, prior_sd=0.05).mean == pytest.approx(0.1, abs=0.03)


def test_unequal_propensities_widen_the_interval():
    even = slots(0.2, sends=3000, seed=2)
    weight = np.where(np.random.default_rng(0).random(3000) < 0.05, 20.0, 1.0)
    uneven = Slots(log_rhythm=even.log_rhythm, engaged=even.engaged, offset=even.offset, weight=weight)
    one, other = (learn_beta(given, prior=0.1, prior_sd=1.0) for given in (even, uneven))
    assert other.sd > one.sd


def test_the_delay_is_the_median_reaction_drawn_to_what_is_declared():
    assert delay_hours(8.0, 0, declared=2.0) == pytest.approx(2.0)
    assert delay_hours(8.0, 20, declared=2.0) == pytest.approx(4.0)  # half way, in logs
    assert delay_hours(8.0, 10_000, declared=2.0) == pytest.approx(8.0, rel=0.01)


def test_share_in_the_best_hours_counts_what_lies_inside():
    later = np.zeros((1, 168))
    later[0, [5, 6, 100]] = [2.0, 1.0, 1.0]
    curve = np.zeros((1, 168))
    curve[0, [5, 6]] = 1.0
    assert share_in_best(curve, later, hours=2)[0] == 0.75


def test_everybodys_curve_is_positive_where_nobody_ever_was():
    assert everybodys_curve(np.zeros((3, 168))).min() > 0


def test_nobody_active_before_and_after_is_an_error_that_says_so():
    with pytest.raises(ValueError, match="no person has events both before and after"):
        learn_rhythm(History(earlier=np.zeros((3, 168)), later=np.zeros((3, 168))), seed=0)


class RhythmWorld:
    """A lake of purchases and a store that counts them with a half-life; enough of both for the model."""

    buckets = 1

    def __init__(self, rows: list[tuple[str, datetime]], messages: list[dict] = ()) -> None:
        bought = [{"customer_id": name, "type": "purchased", "occurred_at": at} for name, at in rows]
        every = [
            {"event_id": f"e{i}", "automated": False, "properties": "{}", **row}
            for i, row in enumerate([*bought, *messages])
        ]
        filled = [{name: row.get(name) for name in EVENT_SCHEMA.names} for row in every]
        self.table = pa.Table.from_pylist(filled, schema=EVENT_SCHEMA)
        self.rows = rows
        self.asked = set[datetime]()

    def events(self, connection, _bucket):
        return connection.create_table("events", self.table, overwrite=True)

    def customers(self, connection, _bucket):
        names = sorted({name for name, _ in self.rows})
        columns = {"customer_id": names, "time_zone": ["Europe/Berlin"] * len(names)}
        zones = pa.table({name: pa.array(values, pa.string()) for name, values in columns.items()})
        return connection.create_table("customers", zones, overwrite=True)

    def rhythm_at(self, spine):
        out = np.zeros((spine.num_rows, 168))
        asked = zip(spine["customer_id"].to_pylist(), spine["event_timestamp"].to_pylist(), strict=True)
        self.asked.update(spine["event_timestamp"].to_pylist())
        for number, (name, moment) in enumerate(asked):
            for at in (at for who, at in self.rows if who == name and at < moment):
                out[number, at.weekday() * 24 + at.hour] += 0.5 ** ((moment - at) / timedelta(days=90))
        return pa.array(out.tolist(), pa.list_(pa.float64()))


NOW = datetime(2024, 7, 1, tzinfo=UTC)


def sources(world: RhythmWorld):
    from training.sources import TrainingSources

    return TrainingSources(
        lake=world,
        store=world,
        vocabulary=SimpleNamespace(),
        priors=Priors(),
        offers=OFFERS,
        now=NOW,
    )


def shoppers(count: int = 60, days: int = 180) -> list[tuple[str, datetime]]:
    rng = np.random.default_rng(5)
    return [
        (f"c{number}", NOW - timedelta(days=float(day), hours=-float((number % 2) * 10)))
        for number in range(count)
        for day in np.floor(rng.uniform(1, days, 25)) + 0.6
    ]


def test_the_model_is_measured_on_later_behaviour_and_beats_everybodys_curve():
    fitted = TrainSendTime().fit(sources(RhythmWorld(shoppers())), seed=1)
    test = fitted.backtest
    assert test.scores["send_time"].mean() < test.scores["everybody"].mean()
    np.testing.assert_array_equal(fitted.rescore(fitted.scorer), test.scores["send_time"])
    assert len(test.clusters) == len(test.truth) <= 60


def test_the_same_data_and_seed_give_the_same_model():
    world = sources(RhythmWorld(shoppers(30)))
    assert TrainSendTime().fit(world, seed=1).scorer.version == TrainSendTime().fit(world, seed=1).scorer.version


def test_send_times_count_in_local_hours_and_dates_without_a_time_do_not_count():
    rows = shoppers(20)
    noon = {
        "customer_id": "c0",
        "type": "sent",
        "occurred_at": datetime(2024, 3, 4, 11, tzinfo=UTC),
    }  # 12:00 in Berlin
    dates = {
        "customer_id": "c1",
        "type": "sent",
        "occurred_at": datetime(2024, 5, 5, 22, tzinfo=UTC),
    }  # midnight there
    model = TrainSendTime().fit(sources(RhythmWorld(rows, [noon] * 150 + [dates] * 500)), seed=1).scorer
    assert model.artefact.arrays["sends"][12] == 1.0
    assert model.artefact.facts["sends_from"] == "the sends so far"


def test_the_delay_comes_from_first_reactions_that_no_machine_made():
    at = datetime(2024, 3, 4, 11, tzinfo=UTC)
    messages = []
    for number in range(400):
        about = {"customer_id": "c0", "channel": "email", "message_id": f"m{number}"}
        messages += [
            {**about, "type": "sent", "occurred_at": at},
            {**about, "type": "opened", "occurred_at": at + timedelta(seconds=1), "automated": True},
            {**about, "type": "opened", "occurred_at": at + timedelta(hours=6)},
            {**about, "type": "clicked", "occurred_at": at + timedelta(hours=9)},
        ]
    model = TrainSendTime().fit(sources(RhythmWorld(shoppers(20), messages)), seed=1).scorer
    assert model.artefact.facts["channels"]["email"]["delay_hours"] == pytest.approx(6.0, rel=0.1)


def answered_sends(lift: float, *, each: int = 40, days: int = 50) -> list[dict]:
    """Sends to the shoppers at any hour, answered more often by ``lift`` where they meet their own hour.

    Berlin is two hours ahead of the hours that this world counts rhythms in, and a message is met two hours later.
    """
    rng, rows = np.random.default_rng(11), []
    for number in range(60):
        own = 9 if number % 2 == 0 else 19
        for which in range(each):
            at = NOW - timedelta(days=days) + timedelta(hours=int(rng.integers(0, 24 * days)), minutes=30)
            message = {"customer_id": f"c{number}", "channel": "email", "message_id": f"m{number}-{which}"}
            near = min((at.hour + 4 - own) % 24, (own - at.hour - 4) % 24) <= 2
            rows.append({**message, "type": "sent", "occurred_at": at})
            if rng.random() < 0.2 + lift * near:
                rows.append({**message, "type": "opened", "occurred_at": at + timedelta(hours=2)})
    return rows


def said_of(messages: list[dict]) -> str:
    fitted = TrainSendTime().fit(sources(RhythmWorld(shoppers(), messages)), seed=1)
    return fitted.caveat or ""


@pytest.mark.parametrize(("lift", "word"), [(0.5, "answered more"), (0.0, "nothing to gain by the hour")])
def test_the_outcome_says_whether_the_sends_so_far_show_that_the_hour_matters(lift, word):
    said = said_of(answered_sends(lift))
    assert word in said
    assert "2400 sends, not randomised" in said


@pytest.mark.parametrize(
    ("mean", "sd", "word"),
    [
        (0.3, 0.1, "sends that met a livelier hour were answered more (+0.300"),
        (0.0, 0.04, "nothing to gain by the hour of a send (+0.000"),
        (-0.5, 0.1, "nothing to gain by the hour of a send (-0.500"),
        (0.0, 0.06, "whether the hour of a send matters cannot be told (+0.000"),
        (0.08, 0.05, "whether the hour of a send matters cannot be told (+0.080"),
    ],
)
def test_nothing_is_to_be_gained_only_where_the_whole_interval_is_small(mean, sd, word):
    assert in_words(Beta(mean=mean, sd=sd, sends=900)).startswith(word)
    assert (NOTHING in in_words(Beta(mean=mean, sd=sd, sends=900))) == word.startswith(NOTHING)


@pytest.mark.parametrize(("lift", "moves"), [(0.5, True), (0.0, False)])
def test_a_rhythm_moves_messages_only_where_sends_that_met_livelier_hours_were_answered_more(lift, moves):
    found = TrainSendTime().fit(sources(RhythmWorld(shoppers(), answered_sends(lift))), seed=1).scorer
    assert found.pays == moves
    asked = found.multiplier(np.full((3, 168), 1 / 168) * np.linspace(0.5, 1.5, 168), "email", Priors())
    assert (np.ptp(asked) > 0) == moves


def test_where_no_send_tells_of_hours_what_is_declared_moves_messages():
    assert pays(None)
    assert not pays(Beta(mean=0.1, sd=0.3, sends=900))
    assert pays(Beta(mean=0.3, sd=0.1, sends=900))


def test_a_rhythm_that_moves_nothing_says_so_and_keeps_saying_so_with_another_rhythm(tmp_path):
    still = scorer(people(40, 12)[0]).unmoved()
    still.save(tmp_path)
    for each in (still, SendTimeModel.load(tmp_path), still.with_rhythm(still.rhythm)):
        assert each.multiplier(np.ones((2, 168)), "email", Priors()).tolist() == [[1.0] * 168]
        assert not each.pays


def test_sends_that_met_no_other_hour_than_the_rest_of_the_persons_do_not_count():
    at = NOW - timedelta(days=20, hours=3, minutes=-30)
    about = {"customer_id": "c0", "channel": "push", "type": "sent"}
    weekly = [{**about, "message_id": f"w{n}", "occurred_at": at - timedelta(weeks=n)} for n in range(4)]
    once = [{**about, "customer_id": "c1", "message_id": "o", "occurred_at": at}]
    opened = [{**row, "type": "opened"} for row in [*weekly, *once]]
    assert said_of([*answered_sends(0.0), *weekly, *once, *opened]) == said_of(answered_sends(0.0))


def test_a_thousand_answers_at_always_the_same_hour_are_too_few():
    at = NOW - timedelta(days=20, hours=3, minutes=-30)
    about = {"customer_id": "c0", "channel": "email", "occurred_at": at}
    sent = [{**about, "type": "sent", "message_id": f"s{number}"} for number in range(2000)]
    opened = [{**row, "type": "opened"} for row in sent[::2]]
    assert said_of([*sent, *opened]) == "the sends so far are too few to say whether the hour matters"


def test_sends_of_both_windows_count_and_meet_the_rhythm_that_was_known_when_theirs_began():
    world = RhythmWorld(shoppers(), answered_sends(0.5, each=60, days=112))
    found = TrainSendTime().fit(sources(world), seed=1).caveat or ""
    assert "answered more" in found
    assert "3600 sends" in found
    before = NOW - timedelta(days=112)
    assert {at for at in world.asked if at < NOW} == {before, NOW - timedelta(days=56)}


def test_people_who_answer_more_do_not_pass_for_hours_that_are_better():
    rows = [row for row in answered_sends(0.0) if row["type"] == "sent"]
    for row in rows:  # the morning people answer everything, and are written to at their own hour
        if int(row["customer_id"][1:]) % 2 == 0:
            row["occurred_at"] = row["occurred_at"].replace(hour=5)
    opened = [{**row, "type": "opened"} for row in rows if int(row["customer_id"][1:]) % 2 == 0][::2]
    assert "answered more" not in said_of([*rows, *opened])


def test_few_answers_say_nothing_about_the_hour():
    fitted = TrainSendTime().fit(sources(RhythmWorld(shoppers(20), answered_sends(0.0)[:60])), seed=1)
    assert fitted.caveat == "the sends so far are too few to say whether the hour matters"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "there is no session"),
        ([("c0", NOW - timedelta(days=3))], "history spans 3 days: two windows of 7 days"),
    ],
)
def test_too_short_a_history_is_no_labels_with_the_reason(rows, said):
    answer = TrainSendTime().fit(sources(RhythmWorld(rows)), seed=1)
    assert isinstance(answer, NoLabels)
    assert said in answer.reason


def test_days_that_are_asked_for_are_not_shortened():
    asked = TrainSendTime(days=56, exact=True).fit(
        sources(RhythmWorld([("c0", NOW - timedelta(days=90))])), seed=1
    )
    assert isinstance(asked, NoLabels)
    assert "two windows of 56 days" in asked.reason


def test_dates_to_which_one_time_of_day_was_given_teach_no_hour():
    noon = [(who, at.replace(hour=12, minute=0, second=0, microsecond=0)) for who, at in shoppers()]
    answer = TrainSendTime().fit(sources(RhythmWorld(noon)), seed=1)
    assert isinstance(answer, NoLabels)
    assert "carry the same time of day (12:00 UTC)" in answer.reason


def test_a_foreign_half_life_is_found_out():
    with pytest.raises(ValueError, match="half-life"):
        TrainSendTime(half_life_days=900.0).fit(sources(RhythmWorld(shoppers(20))), seed=1)
