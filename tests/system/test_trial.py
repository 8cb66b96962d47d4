"""A trial with arms and costs through the public commands: imported by its mapping, and what was learned said."""

from __future__ import annotations

import csv
import json
import re

import numpy as np
import pytest

from tests.system.conftest import Kairos
from tests.worlds.trial import MAPPING, NOW, SIZE, write

EFFECT = re.compile(
    r"(letter|card)\|email: .*?a send adds (-?[\d.]+) on average \(95%: (-?[\d.]+) to (-?[\d.]+)\)"
)


def last_object(ran) -> dict:
    assert ran.code == 0, ran.err[-2000:]
    return json.loads(ran.out.splitlines()[-1])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder, what the import counted, and what each model came to."""
    kairos = Kairos(tmp_path_factory.mktemp("trial"))
    write(kairos.folder)
    imported = last_object(kairos("import", "import.yaml", "--now", NOW, "--json"))
    last_object(kairos("features", "build", "--now", NOW, "--json"))
    told = last_object(kairos("train", "offer", "worth", "--now", NOW, "--json"))
    return kairos.folder, imported, told["models"]


def test_every_row_of_the_trial_is_an_assignment_and_none_is_refused(trained):
    _, imported, _ = trained
    assert imported["events"]["assigned"] == SIZE
    assert imported["quarantined"] == {}


def test_the_arm_that_works_is_measured_and_the_one_that_does_not_adds_nothing(trained):
    folder, _, models = trained
    effects = {name: tuple(map(float, found)) for name, *found in EFFECT.findall(models["offer"]["reason"])}
    assert effects.keys() == {"letter", "card"}
    spent = {arm: [] for arm in ("none", "letter", "card")}
    with (folder / "trial.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            spent[row["segment"]].append(float(row["spend"]))
    usual = np.mean([each for arm in spent.values() for each in arm if each > 0])
    for arm, (mean, low, high) in effects.items():
        plain = 10.0 * (np.mean(spent[arm]) - np.mean(spent["none"])) / usual
        assert low < plain < high
        assert mean == pytest.approx(plain, abs=0.1)
    assert effects["letter"][1] > 0.1  # a letter costs .1
    assert effects["card"][1] < 0 < effects["card"][2]
    assert models["offer"]["promoted"]


def test_that_nobody_differs_is_not_claimed_to_be_found(trained):
    _, _, models = trained
    assert models["offer"]["reason"].count("no detectable heterogeneity") == 2
    assert "power" in models["offer"]["reason"]


def test_the_value_model_says_how_much_of_its_lift_the_trial_bears_out(trained):
    _, _, models = trained
    said = models["worth"]["reason"]
    assert "trial:spring by itself: " in said
    ratios = {offer: float(mean) for offer, mean in re.findall(r"(letter|card)\|email: (-?[\d.]+) \(95%", said)}
    assert ratios["letter"] > ratios["card"]


def test_an_arm_without_a_share_is_refused_by_name(tmp_path):
    kairos = Kairos(tmp_path)
    write(tmp_path)
    (tmp_path / "import.yaml").write_text(MAPPING.replace(", card: 0.3333", ""), encoding="utf-8")
    ran = kairos("import", "import.yaml", "--now", NOW)
    assert ran.code == 2
    assert "shares do not name 'card'" in ran.err
