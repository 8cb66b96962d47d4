"""The page of all keys says what each is, and leaves none out."""

from __future__ import annotations

import pytest

from decisions.catalogue import Catalogue
from decisions.policy import Policy
from pipelines.keys import models, render

PAGE = render()
SECTIONS = dict(section.split("\n", 1) for section in PAGE.split("\n## ")[1:])


@pytest.mark.parametrize("model", models(), ids=lambda model: model.__name__)
def test_every_key_of_every_model_has_a_meaning(model):
    title = {Policy: "The policy", Catalogue: "The catalogue"}.get(model, model.__name__)
    rows = [row.split(" | ") for row in SECTIONS[title].splitlines() if row.startswith("| `")]
    assert [row[0].strip("|` ") for row in rows] == list(model.model_fields)
    assert all(row[-1].endswith(". |") for row in rows)


def test_a_row_says_type_bounds_and_default():
    assert "| `share` | number, ≥ 0, < 1 | `0.05` |" in SECTIONS["Holdback"]
    assert "| `channels` | list: channel, at least 1 |  |" in SECTIONS["The policy"]
    assert "| `days_off` | [DaysOff](#daysoff) | its defaults |" in SECTIONS["The policy"]
    assert "`[{from_hour: 21, until_hour: 8}]`" in SECTIONS["The policy"]


def test_a_model_in_a_key_has_a_section_that_its_name_leads_to():
    for model in models():
        assert model in {Policy, Catalogue} or f"[{model.__name__}](#{model.__name__.lower()})" in PAGE
