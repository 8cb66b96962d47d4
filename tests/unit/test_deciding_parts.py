"""The small parts of deciding, each alone: spans, draws, arms, tokens, words, values."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from decisions.arms import assign, assignments, in_holdout, policy_for
from decisions.choosing.choice import explore
from decisions.choosing.value import ceiling, lane, read_moments, terms, worths
from decisions.decide import decide
from decisions.draws import identifier, uniform
from decisions.eligibility import RANK, Code
from decisions.records import Ask, BudgetState
from decisions.timing.localtime import instant
from decisions.timing.slots import BLOCKS, hours, moments
from decisions.timing.spans import NEVER, clip, end_of, stacked, union, without
from decisions.timing.zones import WORLD, countries, zones_of_country
from decisions.tokens import read_unsubscribe_token
from decisions.wording import filled
from tests.worlds.deciding import (
    CHANNELS,
    CUSTOMER,
    KEYS,
    NOON,
    answer,
    catalogue,
    codes,
    customer,
    offer,
    policy,
    scores,
    sent,
    state,
)

HOUR = timedelta(hours=1)


def test_spans_are_joined_cut_and_subtracted():
    assert union([(5, 7), (1, 3), (3, 4), (9, 9)]) == ((1, 4), (5, 7))
    assert clip(((1, 4), (5, 7)), 2, 6) == ((2, 4), (5, 6))
    assert without((0, 10), ((1, 4), (5, 7))) == ((0, 1), (4, 5), (7, 10))
    assert without((2, 3), ((1, 4),)) == ()
    assert (end_of(((1, 4),), 3), end_of(((1, 4),), 4), end_of(((1, NEVER),), 4)) == (4, None, None)
    assert stacked([(0, 5), (3, 8), (4, 6)], 2) == ((3, 6),)


def test_a_draw_depends_on_every_word_and_on_where_words_end():
    draws = {uniform(b"key", *words) for words in (("ab", "c"), ("a", "bc"), ("abc",), ("ab", "c", ""))}
    assert len(draws) == 4
    assert uniform(b"key", "ab", "c") == uniform(b"key", "ab", "c") != uniform(b"other", "ab", "c")
    assert len(identifier(b"key", "a")) == 32


def test_draws_are_uniform():
    draws = np.array([uniform(b"key", str(number)) for number in range(4000)])
    counts = np.bincount((draws * 20).astype(int), minlength=20)
    assert float(((counts - 200) ** 2 / 200).sum()) < 43.8  # the 0.1% point of χ² with 19 degrees of freedom


EXPERIMENTS = [
    {"experiment_id": "x", "layer": "one", "share": 0.5, "arms": [{"name": "a", "weight": 3}, {"name": "b"}]},
    {"experiment_id": "y", "layer": "one", "share": 0.5, "arms": [{"name": "a"}, {"name": "b"}]},
    {
        "experiment_id": "z",
        "arms": [{"name": "old"}, {"name": "new", "policy": {"min_gap_hours": 77}}],
    },
]


def test_experiments_of_one_layer_share_no_customer_and_arms_follow_their_weights():
    rules = policy(experiments=EXPERIMENTS)
    found = [
        {each.experiment_id: each.arm for each in assignments(str(number), rules, KEYS)} for number in range(4000)
    ]
    assert all(("x" in each) != ("y" in each) for each in found)
    assert all("z" in each for each in found)
    arms = Counter(each["x"] for each in found if "x" in each)
    assert arms["a"] / arms.total() == pytest.approx(0.75, abs=0.04)
    together = Counter((each["x"], each["z"]) for each in found if "x" in each)
    assert together["a", "old"] / arms["a"] == pytest.approx(0.5, abs=0.06)


def test_an_arm_changes_the_policy_of_its_customers_and_the_decision_says_so():
    rules = policy(experiments=EXPERIMENTS)
    decision = answer(rules)
    arm = {each.experiment_id: each.arm for each in decision.experiments}["z"]
    assert policy_for(rules, decision.experiments).min_gap_hours == (77 if arm == "new" else 0)
    assert decision.policy_version == rules.version
    assert assign(CUSTOMER, rules.experiments[2], KEYS) in decision.experiments


def test_the_holdout_is_the_share_that_was_asked_for():
    rules = policy(holdout_share=0.1)
    share = sum(in_holdout(str(number), rules, KEYS) for number in range(4000)) / 4000
    assert share == pytest.approx(0.1, abs=0.02)


def test_marketing_and_service_carry_a_token_for_their_own_decision_and_an_invoice_none():
    for purpose in ("marketing", "service"):
        decision = answer(purpose=purpose)
        assert decision.unsubscribe_token is not None
        read = read_unsubscribe_token(decision.unsubscribe_token, KEYS, now=decision.send_at)
        assert (read.decision_id, read.purpose) == (decision.decision_id, purpose)
        assert read.expires_at == (decision.send_at + timedelta(days=400)).replace(microsecond=0)
    assert answer(purpose="transactional").unsubscribe_token is None


def test_placeholders_are_filled_with_what_is_known_and_never_left_empty():
    spoken = offer(variables=dict.fromkeys(("first", "blank", "none", "nan", "count", "half"), "-"))
    values = {"first": "Ada", "blank": "  ", "none": None, "nan": float("nan"), "count": 3.0, "half": 0.5}
    assert filled(spoken, values) == {
        "first": "Ada", "blank": "-", "none": "-", "nan": "-", "count": "3", "half": "0.5",
    }  # fmt: skip


def test_the_value_is_the_formula_of_the_design():
    stock = catalogue(offer(incentive_cost=2.0, send_cost={"email": 0.1}))
    rhythm = tuple(float(slot) for slot in range(168))
    given = scores(
        stock,
        tau={"tea|email": 3.0},
        multiplier={"email": rhythm},
        redeem={"tea": 0.25},
        hazard={"email": (0.0, 0.01, 0.02)},
        response_loss={"email": (0.0, 0.5)},
    )
    start = int(NOON.timestamp())
    grid = hours("UTC", start, start + 7200)
    times = np.array([start, start + 3600 + 1800])  # 12:00 and 13:30 on a Wednesday
    messages = np.array([(NOON - 7 * 24 * HOUR).timestamp(), (NOON - HOUR).timestamp(), start + 1.0])
    shared = lane(read_moments(times, grid, messages), channel="email", scores=given)
    sent = terms(stock.offers[0], "email", scores=given, budgets=BudgetState(prices={"email": 0.05}))
    (value,) = worths(shared, [sent])
    first, second = value.parts(0), value.parts(1)
    assert first.multiplier == pytest.approx((59 + 60) / 2)  # between two middles
    assert second.multiplier == pytest.approx(61.0)  # the middle of the hour
    assert first.ltv_loss == pytest.approx(10 * 0.01 + 0.5)  # one message in the week before
    assert second.ltv_loss == pytest.approx(10 * 0.02 + 0.5)  # the last level stands for all above
    assert first.total == pytest.approx(3 * 59.5 - 0.1 - 2 * 0.25 - 0.6 - 0.05)
    assert value.total[0] == pytest.approx(first.total)


def test_the_pressure_of_the_first_moment_may_stand_for_all_of_them():
    start = int(NOON.timestamp())
    grid = hours("UTC", start, start + 4 * 3600)
    times = np.array([-1, *(start + 3600 * np.arange(1, 4))])
    leaves_at_two = np.array([(NOON + 2 * HOUR - 7 * 24 * HOUR).timestamp()])
    read = read_moments(times, grid, leaves_at_two)
    assert read.level[1:].tolist() == [1, 0, 0]
    assert read.level_at_first().level.tolist() == [1, 1, 1, 1]
    assert read.level_at_first().times is read.times
    never = read_moments(np.full(4, -1), grid, leaves_at_two)
    assert never.level_at_first() is never


def test_an_offer_with_hours_of_its_own_is_worth_more_in_them_and_another_one_is_as_it_was():
    stock = catalogue(offer("tea"), offer("coffee"))
    day = tuple(float(hour) for hour in range(24))
    given = scores(stock, tau={"tea|email": 3.0, "coffee|email": 3.0}, hourly={"tea": day})
    start = int(NOON.timestamp())
    grid = hours("UTC", start, start + 14 * 3600)
    times = start + 3600 * np.arange(14)  # 12:00 on a Wednesday to 1:00 on Thursday
    shared = lane(read_moments(times, grid, np.array([])), channel="email", scores=given)
    sent = [terms(each, "email", scores=given, budgets=BudgetState()) for each in stock.offers]
    tea, coffee = worths(shared, sent)
    between = [11.5 + hour for hour in range(12)] + [(23 + 0) / 2, 0.5]  # the last hour stands beside the first
    assert tea.total.tolist() == pytest.approx([3 * each for each in between])
    assert tea.parts(3).multiplier == pytest.approx(14.5)
    assert tea.parts(3).total == pytest.approx(tea.total[3])
    assert coffee.total.tolist() == pytest.approx([3.0] * 14)
    most = ceiling(stock.offers, scores=given, budgets=BudgetState())
    assert most == pytest.approx(3 * 23)
    assert most >= tea.best > coffee.best


def test_a_week_has_eight_blocks_and_every_hour_lies_in_one():
    start = int(NOON.timestamp())
    grid = hours("Asia/Kathmandu", start, start + 168 * 3600)
    members = [hour for row in grid.members for hour in row]
    assert sorted(members) == list(range(grid.start.size))
    assert len(BLOCKS) == len(grid.members) == 8
    assert {int(second) % 3600 for second in grid.start[1:]} == {900}  # 45 minutes ahead of the hour


@pytest.mark.parametrize(("day", "count"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)])
def test_a_day_on_which_clocks_change_has_23_or_25_hours(day, count):
    berlin = ZoneInfo("Europe/Berlin")
    start = datetime.fromisoformat(day).replace(tzinfo=berlin)
    end = (datetime.fromisoformat(day) + timedelta(days=1)).replace(tzinfo=berlin)
    assert hours("Europe/Berlin", int(start.timestamp()), int(end.timestamp())).start.size == count


def test_what_is_kept_of_an_hour_is_of_its_zone_and_of_its_permitted_time():
    start = int(datetime.fromisoformat("2026-03-28T22:30+00:00").timestamp())  # clocks change in Berlin at 01:00
    end = start + 6 * 3600
    spans = (((start, end),), ((start + 5400, end),))
    for zone in ("Europe/Berlin", "Asia/Kolkata"):
        for permitted in spans:
            grid = hours(zone, start, end)
            found = moments(grid, permitted, least=900, place=0.0)
            lasts = permitted[0][1] - 60 - 900
            expected = [max(at, permitted[0][0]) for at in grid.start.tolist()]
            fits = [at <= min(until - 60, lasts) for at, until in zip(expected, grid.end.tolist(), strict=True)]
            assert found.tolist() == [at if fit else -1 for at, fit in zip(expected, fits, strict=True)]


def test_a_code_is_found_by_its_text():
    assert RANK[str(Code.CAP)] == RANK["cap"]
    assert hash(Code.CAP) == hash("cap")


def test_a_wall_time_that_comes_twice_or_never_is_read_so_that_spans_are_not_too_short():
    twice, never = (datetime.fromisoformat(text) for text in ("2026-10-25T02:30", "2026-03-29T02:30"))
    for wall in (twice, never):
        gap = instant("Europe/Berlin", wall, latest=True) - instant("Europe/Berlin", wall, latest=False)
        assert gap == 3600


def test_every_country_has_zones_and_a_code_nobody_knows_has_the_world():
    assert "America/New_York" in zones_of_country("US")
    assert zones_of_country("ZZ") == WORLD
    assert len(WORLD) == 27 + 12


def test_every_clock_on_earth_is_among_those_of_the_world():
    """Of the zones that the tz database lists by country; a rule of a few minutes binds at each of their offsets."""
    listed = {name for country in countries() for name in zones_of_country(country)}
    for month in range(1, 13):
        at = datetime(2026, month, 15, tzinfo=UTC)
        shown = {at.astimezone(ZoneInfo(name)).utcoffset() for name in WORLD}
        assert {at.astimezone(ZoneInfo(name)).utcoffset() for name in listed} <= shown


def test_minutes_are_spread_over_the_hour_and_each_customer_keeps_one():
    worlds = [str(number) for number in range(60)]
    minutes = {who: spread_minute(who) for who in worlds}
    assert len(set(minutes.values())) > 25
    assert spread_minute("7") == spread_minute("7")


def spread_minute(who: str) -> int:
    stock = catalogue()
    rhythm = tuple(2.0 if slot % 24 == 18 else 0.5 for slot in range(168))
    decision = decide(
        Ask(request_id="r", customer_id=who),
        policy=policy(),
        catalogue=stock,
        scores=replace(scores(stock), customer_id=who, multiplier={"email": rhythm}),
        state=replace(
            state(who=customer(customer_id=who)),
            consents=tuple(each.model_copy(update={"customer_id": who}) for each in state().consents),
        ),
        now=NOON,
        keys=KEYS,
    )
    assert decision.send_at is not None
    assert decision.send_at.hour == 18
    return decision.send_at.minute


def test_a_held_back_message_is_named_and_sticks_for_the_outcome_window():
    rules = policy(holdback={"share": 0.999999, "outcome_days": 7})
    decision = answer(rules)
    assert (decision.action, decision.state, decision.held_back) == ("hold", "held", True)
    assert (decision.offer_id, decision.channel) == ("tea", "email")
    assert codes(decision) == ["held_back"]
    assert decision.held_back_until is not None
    assert NOON + timedelta(days=7) <= decision.held_back_until <= NOON + timedelta(days=14)
    assert (decision.send_at, decision.unsubscribe_token) == (None, None)


def test_a_price_can_make_silence_the_better_choice():
    decision = answer(budgets=BudgetState(prices={"email": 1.5}))
    assert codes(decision) == ["not_worth_it"]
    assert decision.alternatives[0].value.price == 1.5


def test_the_alternatives_are_the_three_next_best():
    stock = catalogue(*(offer(f"offer-{place}") for place in range(6)))
    worth_ = scores(stock, tau={f"offer-{place}|email": 1.0 + place for place in range(6)})
    decision = answer(stock=stock, worth=worth_)
    assert decision.offer_id == "offer-5"
    assert [each.offer_id for each in decision.alternatives] == ["offer-4", "offer-3", "offer-2"]


def test_the_local_time_carries_its_offset():
    decision = answer(known=state(who=customer(time_zone="Asia/Kolkata")))
    assert decision.send_at_local is not None
    assert decision.send_at_local.endswith("+05:30")
    assert datetime.fromisoformat(decision.send_at_local) == decision.send_at


def test_inputs_of_different_customers_or_without_numbers_are_refused():
    stock = catalogue()
    with pytest.raises(ValueError, match="of one customer"):
        answer(worth=replace(scores(stock), customer_id="other"))
    with pytest.raises(ValueError, match="finite"):
        answer(worth=scores(stock, tau={"tea|email": float("nan")}))
    with pytest.raises(ValueError, match="finite"):
        answer(worth=scores(stock, hazard={"email": (float("inf"),)}))
    with pytest.raises(ValueError, match="zone"):
        answer(now=datetime(2026, 3, 4))  # noqa: DTZ001 - what is refused
    with pytest.raises(ValueError, match="finite"):
        explore([float("nan"), 1.0], scale=1, budget=0.1, floor=0)


def test_now_in_any_zone_gives_the_same_decision():
    there = NOON.astimezone(ZoneInfo("Asia/Tokyo"))
    assert answer(now=there) == answer(now=NOON)
    assert answer(now=there).now.tzinfo is UTC


def test_eight_pairs_at_most_are_in_the_running():
    stock = catalogue(*(offer(f"offer-{place:02}", channels=CHANNELS) for place in range(10)))
    decision = answer(policy(exploration={"loss_budget": 0.5}), stock, known=state(pressure=(sent(NOON),)))
    assert [len(stage.options) for stage in decision.stages] == [2, 8, 8, 2]


def test_an_attribute_called_like_a_feature_is_never_read_in_its_place():
    who = customer(attributes={"spend_90d": 1000, "country": "FR", "tier": "gold"}, country="DE")
    asks = "coalesce(spend_90d, 0) > 500 or country = 'FR' or tier = 'silver'"
    assert answer(stock=catalogue(offer(eligibility=asks)), known=state(who=who)).action == "hold"
    asks = "spend_90d is null and country = 'DE' and tier = 'gold'"
    assert answer(stock=catalogue(offer(eligibility=asks)), known=state(who=who)).action == "send"
