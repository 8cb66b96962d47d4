"""docs/import.md is executed: its examples run, and its tables name what there is."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from pydantic import TypeAdapter

from decisions.catalogue import load_catalogue
from decisions.policy import load_policy
from features.contracts import EVENT_TYPES, Event
from features.importing import load_mapping, run_import
from features.importing.mapping import ConsentBlock, CustomerBlock, EventBlock, PreferenceBlock, Source
from features.importing.rules import contract_rules
from features.lake import Lake
from tests.worlds.lake import KeepingSink

DOCS = Path(__file__).parents[2] / "docs"
GUIDE = (DOCS / "import.md").read_text(encoding="utf-8")
NOW = datetime(2024, 12, 1, tzinfo=UTC)
_FENCE = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _examples() -> list[list[tuple[str, str]]]:
    """The guide's examples: the files before each report, and the report."""
    examples, files = [], []
    for _, name, text in _FENCE.findall(GUIDE):
        files += [(name, text)] if name else []
        if name == "report":
            examples.append(files)
            files = []
    return examples


@pytest.mark.parametrize("files", _examples())
def test_an_example_reports_what_the_guide_says(tmp_path, files):
    for name, text in files:
        (tmp_path / name).write_text(text, encoding="utf-8")
    lake = Lake(tmp_path / "lake", buckets=1)
    mapping = load_mapping(tmp_path / "import.yaml")
    report = run_import(mapping, KeepingSink(lake), quarantine_root=lake.quarantine, now=NOW).as_json()
    expected = json.loads(dict(files)["report"])
    assert {key: report[key] for key in expected} == expected


def test_the_guides_policy_and_catalogue_can_be_used(tmp_path):
    for _, name, text in _FENCE.findall(GUIDE):
        if name in {"policy.yaml", "catalogue.yaml"}:
            (tmp_path / name).write_text(text, encoding="utf-8")
    policy, catalogue = load_policy(tmp_path / "policy.yaml"), load_catalogue(tmp_path / "catalogue.yaml")
    assert set(catalogue.channels) <= set(policy.channels)


def test_there_are_examples():
    assert len(_examples()) == 3


def test_the_sources_shown_are_sources():
    (shown,) = [
        text
        for kind, name, text in _FENCE.findall(GUIDE)
        if kind == "yaml" and text.startswith("sources") and not name
    ]
    for source in yaml.safe_load(shown)["sources"].values():
        TypeAdapter(Source).validate_python(source)


def test_every_type_of_event_has_its_meaning_on_one_page():
    page = (DOCS / "events.md").read_text(encoding="utf-8")
    named = {
        name for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    assert set(EVENT_TYPES) | set(Event.model_fields) == named


def test_every_rule_is_in_the_guide_and_every_rule_in_the_guide_exists():
    (table,) = re.findall(r"^## The rules\n(.*?)^## ", GUIDE, re.MULTILINE | re.DOTALL)
    named = {
        name for row in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    targets = ("customers", "events", "consents", "preferences")
    rules = {rule.name for target in targets for rule in contract_rules(target, NOW)}
    assert named == rules | {"line_readable"}


@pytest.mark.parametrize(
    ("target", "block"),
    [
        ("events", EventBlock),
        ("customers", CustomerBlock),
        ("consents", ConsentBlock),
        ("preferences", PreferenceBlock),
    ],
)
def test_every_field_of_a_target_is_in_the_guide(target, block):
    (fields,) = re.findall(rf"^\| `{target}` \| (.*) \|$", GUIDE, re.MULTILINE)
    words = re.sub(r"\([^)]*\)", "", fields).replace("*", "")
    selecting = {"from_", "join", "columns", "where", "require", "group_by", "aggregate", "name"}
    assert {word.strip() for word in words.split(",")} == set(block.model_fields) - selecting
    required = {name for name, field in block.model_fields.items() if field.is_required()}
    assert set(re.findall(r"\*\*(\w+)\*\*", fields)) == required - selecting
