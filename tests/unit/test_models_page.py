"""The page that says what each model needs says what training asks for."""

from __future__ import annotations

from features.vocabulary import WINDOWS
from pipelines.options import ROOT
from training.fitting import CAREFUL, ISOTONIC_FROM
from training.models import labelled
from training.models.all import MODELS
from training.models.fatigue.model import _EARLIER, _FEWEST_LOSSES
from training.models.fatigue.sends import LOSSES
from training.models.offer.effects import FEWEST
from training.models.send_time import filled
from training.models.send_time.by_answers import FEWEST_DAYS, LEAST
from training.models.send_time.histories import SIGNS
from training.models.send_time.model import _FEWEST_SENDS, _LEAST_HISTORY
from training.spans import LADDER

PAGE = (ROOT / "docs" / "what-each-model-needs.md").read_text(encoding="utf-8")
MODELS_PAGE = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
ROW = {line.split("`")[1]: line for line in PAGE.splitlines() if line.startswith("| `")}
MODEL = {model.name: model for model in MODELS}


def test_every_model_has_a_row():
    assert set(ROW) == set(MODEL)


def test_the_days_are_those_that_training_asks_for():
    history, churn, offer, send_time = max(WINDOWS), MODEL["churn"], MODEL["offer"], MODEL["send_time"]
    least, window = LADDER[-1], min(WINDOWS)
    assert f"| {window + 2 * least}: {window} of history, {least} to learn" in ROW["churn"]
    assert f"{history + 2 * churn.days} give {history}, {churn.days} and {churn.days}" in ROW["churn"]
    assert f"{history + 2 * churn.days + (churn.cutoffs - 1) * churn.step_days} all six" in ROW["churn"]
    assert f"| {history + 2 * least}: {history} of history, {least} to learn" in ROW["offer"]
    assert f"{history + 2 * offer.days} give {offer.days} and {offer.days}" in ROW["offer"]
    assert f"{history + (offer.cutoffs + 1) * offer.days} all three" in ROW["offer"]
    assert f"| {_LEAST_HISTORY.days + 2 * least}: {_LEAST_HISTORY.days} of history" in ROW["send_time"]
    assert f"{_LEAST_HISTORY.days + 2 * send_time.days} give windows of {send_time.days}" in ROW["send_time"]
    assert f"counted once they are {MODEL['channel'].days} days old ({least}," in ROW["channel"]
    assert f"| {2 * least}: the messages of the last {least} days measure" in ROW["worth"]
    assert f"within {MODEL['fatigue'].days} days after" in ROW["fatigue"]


def test_what_is_done_with_less_is_what_training_does():
    assert f"{LEAST} answers on {FEWEST_DAYS} days of sending on each side" in PAGE
    assert f"{labelled.LEAST} customers of\neither answer" in PAGE
    assert "56, 42,\n28, 14 and 7" in PAGE
    assert LADDER == (56, 42, 28, 14, 7)
    assert filled.MOST == 0.5


def test_the_counts_are_those_that_training_asks_for():
    assert f"| {MODEL['channel'].least} messages with a reaction" in ROW["channel"]
    assert f"the later {MODEL['channel'].later_share:.0%}" in ROW["channel"]
    assert f"| {_FEWEST_LOSSES} losses" in ROW["fatigue"]
    assert f"the later {1 - _EARLIER:.0%}" in ROW["fatigue"]
    assert f"{FEWEST:,} randomised decisions" in ROW["offer"]
    assert f"{_FEWEST_SENDS} sends with a local time" in ROW["send_time"]
    assert f"at least {CAREFUL.min_child} rows in a leaf" in MODELS_PAGE
    assert f"from {ISOTONIC_FROM:,} of\nthe rarer" in MODELS_PAGE


def test_the_events_are_those_that_training_reads():
    for name, types in {"send_time": SIGNS, "fatigue": LOSSES, "churn": MODEL["churn"].activity}.items():
        assert all(f"`{each}`" in ROW[name] for each in types)
