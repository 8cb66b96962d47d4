"""A label in a mapping: an event each, with the attributes as they stood; what cannot be told is refused."""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from pydantic import ValidationError

from decisions.scorers.attributes import Encoder, objects_of
from features.importing.mapping import ImportMapping
from features.vocabulary import ATTRIBUTES

LABEL = {"churn": {"column": "Churn", "positive": "Yes", "at": "2024-03-01T00:00:00Z"}}


def mapping(**changed):
    block = {
        "name": "everybody",
        "from": "people",
        "customer_id": "{id}",
        "attributes": {"plan": "{plan}"},
        "labels": LABEL,
    }
    return ImportMapping.model_validate({"sources": {"people": "people.csv"}, "customers": [{**block, **changed}]})


def test_a_label_is_a_block_of_events_with_the_attributes_beside_it():
    label = mapping(where="plan is not null").blocks[1]
    assert (label.name, label.type.value) == ("everybody_churn", "x_label_churn")
    assert set(label.properties) == {"plan", "label_positive", "label_days"}
    assert label.where == "(plan is not null) and label_of_churn is not null"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"group_by": ["id"]}, "group in a source of its own"),
        ({"attributes": "{all}"}, "attributes given as keys"),
        ({"customer_id": {"value": "{id}", "map": {"a": "b"}}}, "a column or a template"),
        ({"labels": {"bought": LABEL["churn"]}}, "churn"),
    ],
)
def test_what_cannot_be_told_is_refused_with_the_way_out(changed, said):
    with pytest.raises(ValidationError, match=said):
        mapping(**changed)


def test_attributes_become_numbers_and_levels_and_what_never_varies_is_left_out():
    objects = [
        {"plan": "a", "age": "31", "same": 1},
        {"plan": "b", "age": 42, "same": 1},
        {"plan": None, "same": 1},
    ]
    encoder = Encoder.learn(objects)
    assert encoder.columns == ("age", "plan = a", "plan = b")
    found = encoder.matrix([*objects, {"plan": "new", "age": "?"}])
    assert found[:2].tolist() == [[31.0, 1.0, 0.0], [42.0, 0.0, 1.0]]
    assert str(found[3].tolist()) == "[nan, 0.0, 0.0]"
    assert Encoder.from_json(json.loads(json.dumps(encoder.as_json()))) == encoder


def test_a_frame_without_attributes_has_none():
    assert objects_of(pa.table({"customer_id": ["a"]})) == [{}]
    assert objects_of(pa.table({ATTRIBUTES: ['{"plan": "a"}', None]})) == [{"plan": "a"}, {}]
