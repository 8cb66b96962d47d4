import json

import numpy as np
import pytest

from decisions.scorers.artefact import SCORER_FILE, Artefact


def an_artefact(**changes):
    content = {
        "kind": "churn",
        "facts": {"days": 56, "knots": {"x": [0.0, 1.0], "y": [0.0, 1.0]}},
        "features": ("recency_days",),
        "boosters": {"booster": "tree\nversion=v4\n"},
        "arrays": {"curve": np.arange(168.0)},
    }
    return Artefact(**(content | changes))


def test_what_is_read_is_what_was_written(tmp_path):
    written = an_artefact()
    written.write(tmp_path)
    read = Artefact.read(tmp_path, kind="churn")
    assert (read.kind, read.facts, read.features, read.boosters) == (
        written.kind,
        written.facts,
        written.features,
        written.boosters,
    )
    assert np.array_equal(read.arrays["curve"], written.arrays["curve"])
    assert read.version == written.version


def test_equal_content_has_equal_versions_whatever_the_order_of_its_parts():
    facts = an_artefact().facts
    assert an_artefact(facts=dict(reversed(facts.items()))).version == an_artefact().version


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "channel"},
        {"facts": {"days": 57}},
        {"features": ("overdue",)},
        {"boosters": {"booster": "another"}},
        {"arrays": {"curve": np.arange(168.0) + 1e-12}},
        {"arrays": {"curve": np.arange(168.0).reshape(24, 7)}},
    ],
)
def test_any_change_of_content_changes_the_version(change):
    assert an_artefact(**change).version != an_artefact().version


def test_an_artefact_changed_after_training_is_refused(tmp_path):
    an_artefact().write(tmp_path)
    (tmp_path / "booster.txt").write_text("someone else's trees")
    with pytest.raises(ValueError, match="changed after training"):
        Artefact.read(tmp_path, kind="churn")


def test_an_artefact_of_another_kind_is_refused(tmp_path):
    an_artefact().write(tmp_path)
    with pytest.raises(ValueError, match="'churn' scorer"):
        Artefact.read(tmp_path, kind="channel")


def test_an_artefact_of_another_format_is_refused(tmp_path):
    an_artefact().write(tmp_path)
    head = json.loads((tmp_path / SCORER_FILE).read_text())
    (tmp_path / SCORER_FILE).write_text(json.dumps({**head, "format": 99}))
    with pytest.raises(ValueError, match="format 99"):
        Artefact.read(tmp_path, kind="churn")


def test_no_file_of_an_artefact_is_a_pickle(tmp_path):
    with pytest.raises(ValueError, match=r"pickle|Object arrays"):
        an_artefact(arrays={"objects": np.array([{"a": 1}], dtype=object)}).write(tmp_path)
