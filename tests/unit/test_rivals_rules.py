"""Each rival's rule, on logs written by hand."""

import numpy as np
import pytest

from benchmarks.world.rivals.channel import MostUsed, OpenRatio
from benchmarks.world.rivals.frequency import Above, Capped, FirstCome
from benchmarks.world.rivals.mautic import Mautic, median_window, windows
from benchmarks.world.rivals.offer import BestSingle, Thompson
from benchmarks.world.rivals.scene import best_channel, best_hour
from benchmarks.world.rivals.timing import BestGlobalHour, RandomHour, RawBestHour, adobe, airship
from simulation.shop import CHANNELS
from tests.worlds.rivals import awake, event, facts, message, scene

EMAIL, PUSH, SMS = range(len(CHANNELS))
MONDAY, TUESDAY, THURSDAY = 0, 1, 3
ANY = np.zeros(3, dtype=np.int64)


def visits(who, *hours, day=-1):
    """One visit a day at each of ``hours``, backwards from ``day``."""
    return [event("session", who, day - back, hour) for back, hour in enumerate(hours)]


def hour_of(timing, seen):
    return best_hour(seen, timing.prefer(seen, ANY))


def test_the_best_global_hour_is_everybodys():
    seen = scene(visits(0, 9, 9, 9), visits(1, 18, 18, 18, 18), visits(2, 9, 9))
    assert hour_of(BestGlobalHour(), seen).tolist() == [9, 9, 9]


def test_a_person_without_a_past_has_everybodys_hour_as_raw_best_hour():
    seen = scene(visits(0, 9, 9, 9), visits(1, 18))
    assert hour_of(RawBestHour(), seen).tolist() == [9, 18, 9]


def test_a_random_hour_is_the_same_whenever_it_is_asked_for_and_another_on_another_day():
    today, tomorrow = scene(), scene(day=1)
    drawn = RandomHour(5).prefer(today, ANY)
    assert (drawn == RandomHour(5).prefer(today, ANY)).all()
    assert (drawn != RandomHour(5).prefer(tomorrow, ANY)).all()
    assert (drawn != RandomHour(6).prefer(today, ANY)).all()


def test_mautic_takes_the_lower_median_of_the_hours_and_one_hour_around_it():
    window = windows(scene(visits(0, 9, 10, 14, 15, 20, 20)))
    assert (window.start[0], window.end[0]) == (13, 15)


def test_mautic_says_tuesday_monday_and_thursday_from_nine_to_twelve_below_five_interactions():
    window = windows(scene(visits(0, 20, 20, 20, 20)))
    assert (window.start[0], window.end[0]) == (9, 12)
    assert np.flatnonzero(window.days[0]).tolist() == [MONDAY, TUESDAY, THURSDAY]


def test_mautic_counts_one_visit_an_hour_and_none_older_than_sixty_days():
    within_an_hour = [event("session", 0, -1, 20 + minute / 60) for minute in range(0, 50, 10)]
    window = windows(scene(within_an_hour, visits(1, 20, 20, 20, 20, 20, day=-61)))
    assert window.start[:2].tolist() == [9, 9]


def test_mautic_prefers_the_three_weekdays_with_most_interactions():
    sunday, others = [event("session", 0, -1, hour) for hour in (10, 12, 14)], visits(0, 10, 10, 10, day=-3)
    assert np.flatnonzero(windows(scene(sunday, others)).days[0]).tolist() == [2, 3, 6]


def test_mautics_median_of_hours_around_midnight_lies_at_noon_or_anywhere():
    window = windows(scene(visits(0, 23, 0, 23, 0, 12)))
    assert (window.start[0], window.end[0]) == (11, 13)


@pytest.mark.parametrize(("median", "opens", "closes"), [(23, 22, 0), (0, 23, 1)])
def test_mautics_window_is_never_open_where_the_median_is_at_midnight(median, opens, closes):
    start, end = median_window(np.array([median]))
    hours = np.arange(24)
    assert (start[0], end[0]) == (opens, closes)
    assert not ((hours >= start) & (hours < end)).any()


def test_mautics_empty_window_sends_when_it_would_have_begun_or_after_the_night():
    late = visits(0, 23, 23, 23, 23, 23, 23)
    assert hour_of(Mautic(), scene(late))[0] % 24 == 22
    assert hour_of(Mautic(), scene(late, free=awake()))[0] % 24 == 8


def test_little_data_leaves_the_blended_hour_with_everybody():
    crowd = [visits(1, *[12] * 55), visits(2, *[12] * 55)]
    little, much = visits(0, 18), visits(0, *[18] * 55)
    assert hour_of(airship(), scene(crowd, little))[0] % 24 == 12
    assert hour_of(airship(), scene(crowd, much))[0] % 24 == 18


def test_the_blend_of_a_person_without_data_is_everybodys_curve():
    seen = scene(visits(1, *[12] * 50))
    liked = airship().prefer(seen, ANY)
    assert liked[0] == pytest.approx(liked[2])
    assert liked[0].sum() < 1


def test_adobe_takes_the_reactions_on_the_channel_of_the_message_as_the_persons_own():
    mails = [message(0, -7 * week, "clicked", hour=9) for week in range(1, 15)]
    pushes = [message(0, -7 * week, "clicked", channel="push", hour=17) for week in range(1, 15)]
    seen, calm = scene(mails, pushes), adobe(1).__class__(kinds=("clicked",), days=112, cells=168, by_channel=True)
    assert best_hour(seen, calm.prefer(seen, ANY + EMAIL))[0] == 10
    assert best_hour(seen, calm.prefer(seen, ANY + PUSH))[0] == 18


def test_adobe_sends_a_twentieth_at_random():
    size = 2000
    seen = scene([visits(who, 9, 9) for who in range(0, size, 50)], size=size)
    rule = adobe(1)
    hours = best_hour(seen, rule.prefer(seen, np.zeros(size, dtype=np.int64)))
    usual = np.bincount(hours).argmax()
    assert 0.03 < (hours != usual).mean() < 0.07


def test_the_open_ratio_ranks_channels_by_messages_answered():
    mails = [message(0, -day, hour=8) for day in range(1, 5)]
    pushes = [message(0, -day, "clicked", channel="push") for day in range(1, 4)]
    score = OpenRatio().score(scene(mails, pushes))
    assert score[0].tolist() == [0.0, 1.0, -1.0]


def test_the_open_ratio_counts_a_message_once_that_is_opened_and_clicked():
    mails = [message(0, -day, "opened", "clicked") for day in (1, 2)]
    mails += [message(0, -day) for day in (3, 4)]
    pushes = [message(0, -day, channel="push") for day in (1, 2, 3)]
    assert OpenRatio().score(scene(mails, pushes))[0, EMAIL] == 0.5


def test_the_open_ratio_ignores_what_machines_open():
    mails = [message(0, -day, "opened", automated=True) for day in range(1, 5)]
    pushes = [message(0, -day, channel="push") for day in (1, 2)]
    pushes += [message(0, -3, "clicked", channel="push")]
    score = OpenRatio().score(scene(mails, pushes))
    assert score[0, EMAIL] == 0
    assert score[0, PUSH] == pytest.approx(1 / 3)


def test_with_too_few_messages_for_a_ratio_the_most_used_channel_is_taken():
    mails = [message(0, -day) for day in range(1, 6)]
    pushes = [message(0, -day, "clicked", channel="push") for day in (1, 2)]
    seen = scene(mails, pushes)
    assert best_channel(seen, OpenRatio().score(seen))[0] == EMAIL
    assert best_channel(seen, MostUsed().score(seen)).tolist() == [EMAIL, EMAIL, EMAIL]


def test_the_best_single_offer_is_the_one_with_most_margin_a_message():
    dear = [message(0, -day, *["converted"] * (day == 1), offer=1) for day in range(1, 5)]
    cheap = [message(1, -day, *["converted"] * (day < 3), offer=2) for day in range(1, 5)]
    score = BestSingle().score(scene(dear, cheap), ANY)
    assert score[0].tolist() == [0, (11 - 2.5) / 4, 6.5 / 2, 0]
    assert (score == score[0]).all()


def test_thompson_sampling_draws_the_same_for_the_same_seed_and_day():
    seen = scene(message(0, -1, "clicked"))
    again, other = Thompson(1).score(seen, ANY), Thompson(2).score(seen, ANY)
    assert (Thompson(1).score(seen, ANY) == again).all()
    assert (again != other).all()


def test_thompson_sampling_comes_to_favour_what_is_clicked():
    loved = [message(0, -day, "clicked", offer=3) for day in range(1, 60)]
    dull = [message(0, -day, offer=0, channel="push") for day in range(1, 60)]
    drawn = [Thompson(seed).score(scene(loved, dull), ANY)[0] for seed in range(20)]
    assert np.mean([each[3] > each[0] for each in drawn]) > 0.9


def test_a_cap_counts_messages_in_the_days_before_the_chosen_hour():
    seen = scene(message(0, -1), message(1, -14, hour=10), message(2, -14, hour=10))
    late, early = seen.moments[12], seen.moments[8]
    moment, score = np.array([late, early, late]), np.zeros(3)
    assert Capped(1).keen(seen, moment, score).tolist() == [False, False, True]
    assert Capped(2).keen(seen, moment, score).tolist() == [True, True, True]
    assert Capped(0).keen(seen, moment, score).tolist() == [False, False, False]


def test_first_come_sends_whatever_it_is_worth_and_a_threshold_does_not():
    seen, score = scene(), np.array([-1.0, 0.0, 0.2])
    assert FirstCome().keen(seen, ANY, score).all()
    assert Above(0.1).keen(seen, ANY, score).tolist() == [False, False, True]


def test_hours_are_those_of_the_persons_own_clock():
    berlin = facts(2, zone=0)
    assert (berlin.slot(np.array([0]), np.array([berlin.calendar.midnight(0)])) == 1).all()
