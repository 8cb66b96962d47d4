"""Benchmarks of public data read their files, answer in the common shape, and count what they claim to count."""

import json
from dataclasses import asdict

import numpy as np
import pandas as pd
import pytest

from benchmarks import asos, bank_marketing, heartsteps
from benchmarks.answer import answer
from benchmarks.complete_journey import measure as households_of
from benchmarks.complete_journey import run as of_households
from benchmarks.verdicts import verdict
from experiments import effects
from pipelines.jobs.benching import known
from tests.worlds.training import buyers, world
from training.models.churn import TrainChurn

ROW = {"case", "measure", "better", "ours", "yardstick", "theirs", "ratio", "interval", "why", "note"}


@pytest.fixture(scope="module")
def suggestions():
    """Ten people, 40 days, five moments a day; a push adds 20% of steps, and half of the people answer."""
    rng = np.random.default_rng(3)
    person, day, slot = (each.ravel() for each in np.meshgrid(range(10), range(40), range(1, 6), indexing="ij"))
    at = pd.Timestamp("2015-08-03") + pd.to_timedelta(day, "D") + pd.to_timedelta(7 + 3 * slot, "h")
    send = rng.random(len(at)) < 0.6
    replied = np.where(rng.random(len(at)) < np.where(person % 2, 0.8, 0.2), "good", "no_response")
    before = rng.gamma(2.0, 100.0, len(at)).round()
    return pd.DataFrame(
        {
            "user_index": person,
            "sugg_select_slot": slot,
            "sugg_decision_utime": at,
            "local_time": at,
            "avail": True,
            "send": pd.Series(np.where(send, "True", "False"), dtype="string"),
            "response": pd.Series(np.where(send, replied, None), dtype="string"),
            "jbsteps30pre_zero": before,
            "jbsteps30_zero": (before + 50) * np.where(send, 1.2, 1.0),
        }
    )


@pytest.fixture(scope="module")
def measured(suggestions):
    """What the benchmark of pushes finds."""
    return heartsteps.run(suggestions)


@pytest.fixture(scope="module")
def experiments():
    """Twelve experiments of two metrics without any effect, looked at ten times."""
    rng = np.random.default_rng(5)
    keys = [each.ravel() for each in np.meshgrid(range(12), [1], [1, 2], range(1, 11), indexing="ij")]
    table = pd.DataFrame(dict(zip((*asos.COMPARISON, "time_since_start"), keys, strict=True)))
    table["experiment_id"] = table["experiment_id"].astype(str)
    for arm in "ct":
        steps = rng.normal(size=(24, 10)).cumsum(axis=1) / np.arange(1, 11)
        table[f"count_{arm}"] = 100.0 * table["time_since_start"]
        table[f"mean_{arm}"] = 5 + steps.ravel() / 10
        table[f"variance_{arm}"] = 1.0
    return table


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Calls of which the young accept, with a duration that says everything."""
    rng = np.random.default_rng(7)
    age, yes = rng.integers(20, 70, 1200), np.zeros(1200, dtype=bool)
    yes[:] = rng.random(1200) < np.where(age < 40, 0.6, 0.1)
    table = pd.DataFrame(
        {
            "age": age,
            "job": rng.choice(["admin.", "services"], 1200),
            "contact": "cellular",
            "duration": np.where(yes, 1000, 1),
            "campaign": rng.integers(1, 12, 1200),
            "pdays": 999,
            "y": np.where(yes, "yes", "no"),
        }
    )
    path = tmp_path_factory.mktemp("bank") / bank_marketing.FILE
    table.to_parquet(path)
    return path


@pytest.mark.parametrize("module", [asos, bank_marketing, heartsteps])
def test_a_missing_set_is_said(module, tmp_path, capsys):
    options = [("every", 500)] if module is bank_marketing else []
    arguments = ["--data", str(tmp_path)]
    assert answer(module.__doc__, module.measure, options=options, arguments=arguments) == 2
    assert f"{module.FILE} is not in" in capsys.readouterr().err


def test_the_sets_name_their_yardsticks_and_explain_their_figures():
    found = known()
    for name in ("asos", "bank-marketing", "complete-journey", "heartsteps"):
        assert found[name].yardstick
        assert found[name].about
        assert not any("python -m" in part for part in found[name].about)
    assert found["complete-journey"].files == ()


def test_a_packaged_set_needs_no_folder(capsys):
    assert (
        answer("About.", lambda data, _: ([], {"data": str(data)}), packaged="a home", arguments=["--json"]) == 0
    )
    assert json.loads(capsys.readouterr().out)["data"] == "None"


def test_a_demo_that_is_not_there_is_said(tmp_path, capsys):
    arguments = ["--data", str(tmp_path)]
    assert answer("About.", households_of, options=[("moments", 1)], packaged="a home", arguments=arguments) == 2
    assert "kairos.toml is not in" in capsys.readouterr().err


def test_counts_of_pushes_stop_the_day_before(suggestions):
    sends = heartsteps.pushes(suggestions)
    first = suggestions[(suggestions["user_index"] == 0) & (suggestions["send"] == "True")]
    days = first["sugg_decision_utime"].dt.floor("D")
    assert sends.sent_before[: len(first)].tolist() == [int((days < day).sum()) for day in days]
    good = (first["response"] == "good").to_numpy()
    assert sends.answered_before[: len(first)].tolist() == [int(good[(days < day)].sum()) for day in days]
    assert sends.later.mean() == pytest.approx(0.4, abs=0.02)


def test_people_are_told_apart_by_their_own_rate(measured):
    rows, more = measured
    json.dumps(more)
    of_all = next(row for row in rows if row.yardstick == "everybody's rate")
    assert of_all.interval[1] < 1
    assert set(more["answering"]) >= {heartsteps.CUT, heartsteps.KEPT_UP, heartsteps.TIMED, "person + slot"}


def test_the_effect_of_a_push_is_found_from_the_design(measured, suggestions):
    rows, about = measured
    effect, *values = (row for row in rows if row.case == "walking")
    low, high = (end * effect.theirs for end in effect.interval)
    assert low < 1.2 < high
    assert [row.measure.split("(")[1] for row in values] == ["IPS)", "SNIPS)", "DR)", "DR shrunk)"]
    assert about["walking"]["moments"] == len(suggestions)


def test_looking_often_declares_more_than_looking_once(experiments):
    rows, more = asos.run(experiments)
    assert [row.better for row in rows] == ["truth unknown", "near 1", "near 1"]
    assert all(row.why or row.ratio >= 1 for row in rows[1:])
    assert more["comparisons"] == 24
    json.dumps(more)


def test_the_p_value_from_moments_is_the_one_of_an_experiment_report():
    rng = np.random.default_rng(11)
    arms = {"c": rng.gamma(2.0, 1.0, 60), "t": rng.gamma(2.2, 1.3, 45)}
    table = pd.DataFrame(
        {
            f"{what}_{arm}": [number]
            for arm, values in arms.items()
            for what, number in {
                "count": len(values),
                "mean": values.mean(),
                "variance": values.var(ddof=1),
            }.items()
        }
    )
    control, treated = (
        effects.Sample(
            numerator=values,
            denominator=np.ones(len(values)),
            numerator_before=np.ones(len(values)),
            denominator_before=np.ones(len(values)),
        )
        for values in arms.values()
    )
    found = effects.compare(control, treated, ratio=False, cuped=False, level=0.95)
    assert asos.welch(table)[0] == pytest.approx(found.p_value)


def test_a_look_without_a_variance_declares_nothing(experiments):
    blind = experiments.assign(variance_c=np.nan)
    assert not asos.looks(blind)[["naive", "ours"]].to_numpy().any()


def test_the_length_of_a_call_is_never_read(calls):
    whole = bank_marketing.calls(calls)
    assert not [name for name in whole.names if "duration" in name]
    assert np.isnan(whole.columns[:, whole.names.index("pdays")]).all()


def test_retraining_is_set_beside_training_once(calls):
    rows, more = bank_marketing.run(bank_marketing.calls(calls), every=180, windows=(300,))
    assert [row.yardstick for row in rows].count("trained once") == 3
    assert asdict(rows[0]).keys() == ROW
    assert more["random_split_auc"] > 0.6
    assert set(more["rates"]) >= {"accepted_first_contact", "accepted_eighth_contact_and_later"}


def test_every_call_is_answered_by_calls_before_it(calls):
    whole = bank_marketing.calls(calls)
    seen = []

    def fit(train, test):
        seen.append((len(train.labels), train.groups.max(), test.groups.min()))
        return np.zeros(len(test.labels))

    assert len(bank_marketing.retrained(whole, 840, fit, last=300, every=120)) == 360
    assert seen == [(300, begin - 1, begin) for begin in (840, 960, 1080)]


def test_churn_is_measured_at_a_cut_off_that_has_a_past():
    rows, more = of_households(world(buyers(customers=90, mail=False)), TrainChurn(days=28, cutoffs=1), moments=1)
    assert len(more["cut_offs"]) == 1
    assert [row.yardstick for row in rows[:4]] == ["recency", "BG/NBD", "logistic line", "LightGBM defaults"]
    assert rows[0].case == "mean of 1 cut-offs"
    json.dumps(more)


@pytest.mark.parametrize(
    ("better", "interval", "said"),
    [
        ("higher", (1.1, 1.2), "ahead"),
        ("higher", (0.8, 0.9), "behind"),
        ("lower", (0.8, 0.9), "ahead"),
        ("lower", (1.1, 1.2), "behind"),
        ("lower", (0.9, 1.1), "no clear difference"),
        ("near 1", (0.9, 1.1), "consistent"),
        ("near 1", (1.1, 1.2), "differs"),
        ("truth unknown", (0.8, 0.9), "lower"),
        ("higher", None, "see below"),
    ],
)
def test_a_verdict_reads_the_interval_alone(better, interval, said):
    assert verdict({"better": better, "interval": interval, "note": None}) == said


def test_a_verdict_with_a_remark_points_at_it():
    row = {"better": "near 1", "interval": (0.9, 1.1), "note": "thin overlap"}
    assert verdict(row) == "consistent, see below"
