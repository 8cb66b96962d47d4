"""What hand-made units come to: known differences, known verdicts, intervals that hold."""

from types import SimpleNamespace

import numpy as np
import pytest

from benchmarks.world.expectations import slope
from benchmarks.world.idle import admitted, elsewhere, shown
from benchmarks.world.judging import CAPS, judge
from benchmarks.world.losing import why
from benchmarks.world.saying import said
from benchmarks.world.showing import by_table, run, tables
from benchmarks.world.verdicts import nothing_to_gain
from pipelines.recount.rules import PROMISES
from tests.worlds.bench import ORACLES, POLICIES, record
from training.models.send_time.observed import NOTHING

SEEDS = range(1, 4)


def board(families=("clusters", "no_clusters"), **options):
    return judge([record(family, seed, **options) for family in families for seed in SEEDS])


def test_the_board_has_every_key_that_was_asked_for():
    found = board(noise=0.01)
    assert found.keys() >= {
        "seeds",
        "families",
        "cap_violations",
        "oracles",
        "policies",
        "differences",
        "by_family",
    }
    asked = {"value", "gap_captured", "interval", "attainable_captured", "sent", "unsubscribes_per_1000"}
    assert all(row.keys() >= asked for row in found["policies"].values())
    assert all(row.keys() >= {"value", "interval", "p_adjusted"} for row in found["differences"].values())
    for family in found["families"]:
        assert found["by_family"][family].keys() >= {"oracles", "policies", "differences", "slope"}
    assert found["seeds"] == 6


def test_a_single_world_gives_values_but_no_interval_and_can_be_shown():
    found = judge([record("clusters", 1)])
    kairos, difference = found["policies"]["kairos"], found["differences"]["best_offer"]
    assert kairos["value"] == pytest.approx(0.9)
    assert difference["value"] == pytest.approx(0.2)
    assert found["slope"]["email"]["value"] == pytest.approx(1.01)
    assert kairos["value_interval"] is difference["interval"] is difference["p_adjusted"] is None
    shown = {**found, "failed": {}, "machine": {"python": "3.11", "cores": 2, "cpu": None}, "seconds": 1.0}
    assert len(list(tables(shown))) > 5


def test_the_share_of_the_gap_is_a_ratio_of_means_between_floor_and_planning():
    found = board()["policies"]["kairos"]
    assert found["value"] == pytest.approx(0.9)
    assert found["gap_captured"] == pytest.approx((0.9 - 0.4) / (1.4 - 0.4))
    assert found["attainable_captured"] == pytest.approx((0.9 - 0.4) / (0.9 - 0.4))
    assert found["interval"] == pytest.approx([0.5, 0.5])
    assert found["unsubscribes_per_1000"] == pytest.approx(5)


def test_a_swapped_axis_is_compared_with_the_twin_and_a_whole_policy_with_kairos():
    policies = {**POLICIES, "kairos_twin": ("kairos", None, "free", 1.0)}
    found = board(policies=policies)["differences"]
    assert found["send_time:random"]["value"] == pytest.approx(0.2)
    assert found["send_time:random"]["of"] == "kairos_twin"
    assert found["best_offer"]["value"] == pytest.approx(0.2)
    assert found["best_offer@equal"]["value"] == pytest.approx(0.3)
    assert "kairos_twin" not in found


def test_the_table_of_swapped_axes_holds_every_volume_and_compares_with_the_twin():
    swaps = {
        "channel:last_click": ("axis", "channel", "equal", 0.5),
        "frequency:cap": ("axis", "frequency", "free", 1),
    }
    axis, equal, free = by_table({**board(policies={**POLICIES, **swaps}), "failed": {}})
    assert [name for name, *_ in axis.rows] == [
        "kairos_twin",
        "frequency:cap",
        "send_time:random",
        "channel:last_click",
    ]
    assert axis.columns[-2:] == ("twin − it", "Holm 95%")
    assert "except on the frequency axis" in (axis.sentence or "")
    assert [name for name, *_ in equal.rows] == ["kairos", "best_offer@equal"]
    assert equal.columns[-2] == free.columns[-2] == "Kairos − it"


def test_what_differs_between_families_and_seeds_alike_does_not_blur_a_difference():
    near = [record("clusters", seed, noise=0.001) for seed in SEEDS]
    far = [record("low_effects", seed, noise=0.001, shift=seed * 10.0) for seed in SEEDS]
    low, high = judge([*near, *far])["differences"]["best_offer"]["interval"]
    assert 0.19 < low < high < 0.21


def test_an_interval_excludes_zero_exactly_where_holm_rejects():
    for seed in range(6):
        units = [record(family, 10 * seed + s, noise=0.1) for family in ("clusters", "low_effects") for s in SEEDS]
        for row in judge(units)["differences"].values():
            low, high = row["interval"]
            assert (low > 0 or high < 0) == (row["p_adjusted"] < 0.05)


def test_a_gap_that_is_not_clearly_there_gives_no_share_and_says_why():
    oracles = {**ORACLES, "planning": 0.4}
    found = board(oracles=oracles)
    kairos = found["policies"]["kairos"]
    assert kairos["gap_captured"] is None
    assert kairos["interval"] is None
    assert "not clearly positive" in kairos["why"]
    assert found["verdict"]["clusters"].startswith("Nothing to gain")


@pytest.mark.parametrize(
    ("room", "spread", "opening"),
    [
        (0.0, 0.001, "Nothing to gain: "),
        (1.0, 1.0, "Whether there is anything to gain cannot be told: 1.000 € per customer lie between"),
        (0.0, 1.0, "Whether there is anything to gain cannot be told: "),
        (1.0, 0.001, "1.000 € per customer lie between"),
    ],
)
def test_only_a_room_that_is_shown_to_be_small_is_nothing_to_gain(room, spread, opening):
    units = [
        record(seed=seed, oracles={**ORACLES, "planning": 0.4 + room + spread * (seed - 2)}) for seed in SEEDS
    ]
    found = judge(units)
    assert found["verdict"]["clusters"].startswith(opening)
    assert nothing_to_gain(found["by_family"]["clusters"]) == opening.startswith("Nothing to gain")


def test_a_family_with_room_says_what_kairos_captures_and_where_it_loses():
    policies = {**POLICIES, "oracle_like": ("whole", None, "free", 1.2)}
    words = board(policies=policies, noise=0.001)["verdict"]["clusters"]
    assert "Kairos captures" in words
    assert "behind oracle_like" in words


def test_a_family_tells_of_the_floor_and_of_the_best_whole_rival_each_by_itself():
    policies = {
        **POLICIES,
        "near": ("whole", None, "free", 1.0),
        "metered@equal": ("whole", None, "equal", 2.0),
        "timing:swap": ("axis", "timing", "free", 3.0),
    }
    found = board(policies=policies)
    assert found["by_family"]["clusters"]["best_rival"]["name"] == found["best_rival"]["name"] == "near"
    words = found["verdict"]["clusters"]
    assert "Kairos − floor +0.500 € (plain 95%, by itself: +0.500 to +0.500)" in words
    assert "Kairos − near, of all whole rivals at free volume the best by its mean, -0.100 €" in words


def test_the_plain_interval_of_the_best_rival_is_narrower_than_the_one_judged_together():
    found = board(noise=0.1)["by_family"]["clusters"]
    plain, together = found["best_rival"], found["differences"][found["best_rival"]["name"]]
    assert plain["value"] == pytest.approx(together["value"])
    assert np.ptp(plain["interval"]) < np.ptp(together["interval"])


def test_a_verdict_over_one_world_says_why_it_has_no_interval():
    assert "no interval: " in judge([record("clusters", 1)])["verdict"]["clusters"]


def test_one_seed_a_family_gives_values_and_no_intervals():
    found = judge([record("clusters", 1), record("no_clusters", 1)])
    assert found["differences"]["best_offer"]["interval"] is None
    assert "two are the least" in found["differences"]["best_offer"]["why"]
    assert found["policies"]["kairos"]["sent"] == 1000


def test_a_policy_that_missed_a_unit_is_named_and_not_compared():
    units = [record(seed=seed) for seed in SEEDS]
    del units[1]["policies"]["best_offer"]
    found = judge(units)
    assert found["incomplete"] == ["best_offer"]
    assert "best_offer" not in found["differences"]


def idle_units(family, *, reason="better than everybody", promoted=True, ever=True):
    policies = {**POLICIES, "timing:best_global_hour": ("axis", "timing", "free", 0.85)}
    units = [
        record(family, seed, policies={**policies, "kairos": ("kairos", None, "free", 0.7)}) for seed in SEEDS
    ]
    for unit in units:
        unit["says"]["send_time"] = {"promoted": promoted, "ever": ever, "reason": reason}
    return units


def test_where_an_axis_is_idle_the_board_says_whether_a_prior_decides_and_what_choosing_lost():
    units = idle_units("no_send_time", reason="not clearly better than everybody", promoted=False, ever=False)
    (row,) = judge(units)["idle"]
    assert (row["family"], row["axis"], row["said"], row["prior"], row["of"]) == (
        "no_send_time",
        "timing",
        0,
        3,
        3,
    )
    assert row["gained"]["value"] == pytest.approx(0.05)
    assert row["explored"]["interval"] == pytest.approx([-0.2, -0.2])


@pytest.mark.parametrize("promoted", [True, False])
def test_where_a_model_was_promoted_once_no_prior_decides(promoted):
    assert judge(idle_units("no_send_time", promoted=promoted))["idle"][0]["prior"] == 0


def test_a_word_that_nothing_is_to_be_gained_counts_as_said_and_lets_no_prior_decide():
    (row,) = judge(idle_units("no_send_time", reason=f"better than everybody; {NOTHING}"))["idle"]
    assert (row["said"], row["prior"]) == (3, 0)


def test_the_board_tells_how_often_that_word_is_said_where_it_is_wrong():
    right, first, second = (idle_units(family) for family in ("no_send_time", "no_heterogeneity", "clusters"))
    for unit, mean in zip([*right, first[0]], range(4), strict=True):
        unit["says"]["send_time"]["reason"] = f"{NOTHING} (+0.0{mean}; 9 sends)"
    told = elsewhere(judge([*right, *first, *second])["by_family"])
    assert told == "Where the hour does matter, the same words are said in 1 of 6 worlds."


def test_where_only_idle_worlds_were_played_nothing_is_told_of_others():
    assert elsewhere(judge(idle_units("no_send_time"))["by_family"]) is None


def test_where_the_hour_matters_to_all_alike_that_word_would_be_wrong_and_is_not_asked_for():
    (row,) = judge(idle_units("no_heterogeneity", reason=NOTHING, ever=False))["idle"]
    assert (row["axis"], row["said"], row["prior"]) == ("timing", None, 3)


def test_it_is_admitted_where_kairos_does_not_say_that_nothing_is_to_be_gained():
    timing, alike = admitted(
        judge([*idle_units("no_send_time"), *idle_units("no_heterogeneity", ever=False)])["idle"]
    )
    assert (
        "`no_send_time`, Kairos says of timing in words in 0 of 3 worlds, by never promoting a model in 0 of 3"
        in timing
    )
    assert alike.endswith("`no_heterogeneity`, Kairos says of timing by never promoting a model in 3 of 3 worlds.")


@pytest.mark.parametrize(
    ("interval", "words"),
    [
        (None, "one world"),
        ([-0.02, 0.03], "nothing to gain, and nothing lost"),
        ([-0.2, 0.03], "cannot be told"),
        ([-0.04, -0.01], "choosing by person loses, less than one SMS costs"),
        ([0.01, 0.3], "choosing by person gains"),
    ],
)
def test_what_an_idle_axis_shows_is_told_by_its_interval(interval, words):
    assert shown({"gained": {"value": 0.0, "interval": interval}}).startswith(words)


def test_an_axis_that_nobody_played_or_that_is_not_idle_gives_no_row():
    assert board(families=("clusters", "no_send_time"))["idle"] == []


def told(**options):
    return why({**board(**options), "failed": {}})


def test_losses_are_told_with_their_figures():
    policies = {
        **POLICIES,
        "composite": ("whole", None, "free", 1.2),
        "composite@equal": ("whole", None, "equal", 0.5),
        "kairos": ("kairos", None, "free", 0.3),
        "kairos_twin": ("kairos", None, "free", 0.7),
    }
    floor, free, equal, whole, axis, volume, email = told(policies=policies)
    assert floor == "Kairos is below the floor: -0.100 € per customer (-0.100 to -0.100)."
    assert free == "Kairos is behind the composite at free volume: -0.900 € (-0.900 to -0.900)."
    assert equal.startswith("Kairos is behind the composite at as many sends: -0.200 €")
    assert whole.endswith("better than Kairos: best_offer, best_offer@equal, composite, composite@equal, of 4.")
    assert axis == "Twins with one axis swapped that are shown to do better than the twin: send_time:random, of 1."
    assert volume == "Messages a world: Kairos 1,000, composite 1,000."
    assert email.endswith("its values are euros.")


def test_what_chance_can_explain_is_no_loss():
    floor, *_ = told(oracles={**ORACLES, "floor": 0.9}, noise=0.1)
    assert floor.startswith("Kairos is not shown to be above or below the floor")
    (one, *_) = why({**judge([record("clusters", 1)]), "failed": {}})
    assert "one world a family says nothing about chance" in one


@pytest.mark.parametrize(
    ("slope", "spread", "meaning"),
    [
        (-0.3, 0.001, "gain less by it"),
        (0.5, 0.001, "larger than they are"),
        (0.1, 0.1, "larger than they are"),
        (1.1, 0.001, "are euros"),
        (1.9, 0.001, "smaller than they are"),
        (1.0, 0.2, "cannot be told"),
        (-0.3, 0.6, "cannot be told"),
        (0.8, 0.001, "cannot be told"),
    ],
)
def test_a_slope_means_only_what_all_of_its_interval_means(slope, spread, meaning):
    units = [{**record(seed=seed), "slope": {"email": {"slope": slope + spread * (seed - 2)}}} for seed in SEEDS]
    told = why({**judge(units), "failed": {}})[-1]
    assert "the mean of the worlds' slopes" in told
    assert told.endswith(f"{meaning}.")


def test_the_slope_of_one_world_cannot_be_told():
    assert why({**judge([record("clusters", 1)]), "failed": {}})[-1].endswith("cannot be told.")


def test_a_board_without_kairos_tells_of_no_losses():
    policies = {name: row for name, row in POLICIES.items() if name not in ("kairos", "kairos_twin")}
    assert told(policies=policies) == []


def test_caps_are_counted_by_themselves_and_all_promises_together_over_all_units():
    units = [record(seed=seed) for seed in SEEDS]
    units[0]["violations"] = {"caps": 2, "gaps": 1, "once": 0}
    units[1]["violations"] = {"caps": 1, "consent": 4}
    found = judge(units)
    assert (found["cap_violations"], found["promise_violations"]) == (4, 8)
    assert set(CAPS) <= set(PROMISES)
    rows = dict(
        run({**found, "failed": {}, "machine": {"python": "3.11", "cores": 2, "cpu": None}, "seconds": 1.0})
    )
    assert rows["caps violated"] == "4"
    assert rows["promises broken, caps among them"] == "8 (caps 3, gaps 1, consent 4)"


def test_a_policy_that_sends_nothing_has_no_rate_of_unsubscribes():
    assert board(sent=0.0 + 1e-300)["policies"]["kairos"]["unsubscribes_per_1000"] > 0
    units = [record(seed=seed) for seed in SEEDS]
    for unit in units:
        unit["policies"]["kairos"]["sent"] = 0
    assert judge(units)["policies"]["kairos"]["unsubscribes_per_1000"] is None


def test_the_slope_is_a_mean_over_the_units_that_have_one():
    found = board()["slope"]
    assert found["email"]["value"] == pytest.approx(1.02)
    assert found["email"]["units"] == 6
    assert found["sms"]["value"] is None


def test_nothing_played_is_an_error_and_no_board():
    with pytest.raises(ValueError, match="not one unit"):
        judge([])


@pytest.mark.parametrize("families", [1, 7])
def test_the_paired_interval_covers_as_often_as_it_says(families):
    from measures.stratified import mean

    rng, strata = np.random.default_rng(3), np.repeat(np.arange(families), 3)
    level = rng.normal(size=families)[strata] * 5  # families differ widely; their spread, too
    truth, spread = level.reshape(families, 3).mean(), (1 + strata % 2)
    found = [mean(level + spread * rng.normal(size=strata.size), strata).interval() for _ in range(1000)]
    covered = np.mean([each.low <= truth <= each.high for each in found])
    assert 0.93 <= covered <= 0.98


def test_the_slope_of_truth_on_expectation_is_by_channel_and_needs_enough_messages():
    expected = np.linspace(0.01, 0.2, 300)
    channel = np.repeat([0, 2], [250, 50])
    pairs = SimpleNamespace(channel=channel, expected=expected, true=0.02 + 0.8 * expected)
    found = slope(pairs)
    assert found["email"] == {"slope": pytest.approx(0.8), "messages": 250}
    assert found["push"] == {"slope": None, "messages": 0}
    assert found["sms"]["slope"] is None


def test_expectations_that_are_all_alike_have_no_slope():
    pairs = SimpleNamespace(channel=np.zeros(200, int), expected=np.full(200, 0.1), true=np.arange(200.0))
    assert slope(pairs)["email"]["slope"] is None


def test_what_kaiross_gates_said_is_told_by_family():
    said_of = board()["by_family"]["clusters"]["says"]["offer"]
    assert said_of == {"promoted": 1, "of": 3, "reasons": ["no detectable heterogeneity"]}


def test_of_many_trainings_the_last_one_is_kept():
    outcome = {"model": "offer", "promoted": True, "reason": "first"}
    assert said({0: [outcome], 28: [{**outcome, "reason": "second"}]})["offer"]["reason"] == "second"
    assert said({}) == {}
