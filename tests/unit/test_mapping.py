"""A mapping is checked before any file is opened; an error names the key and what would be right."""

from __future__ import annotations

from textwrap import dedent

import pytest

from features.importing import MappingError, load_mapping

GOOD = """
sources:
  sales: sales.csv
events:
  - name: purchases
    from: sales
    event_id: "{id}"
    customer_id: "{who}"
    type: purchased
    occurred_at: {value: "{at}", time_zone: UTC}
"""


def load(tmp_path, text):
    path = tmp_path / "mapping.yaml"
    path.write_text(dedent(text), encoding="utf-8")
    return load_mapping(path)


def test_a_good_mapping_is_read_with_its_folder(tmp_path):
    mapping = load(tmp_path, GOOD)
    assert [block.name for block in mapping.blocks] == ["purchases"]
    assert mapping.base == tmp_path


def test_customers_are_imported_before_their_events(tmp_path):
    text = GOOD + 'customers:\n  - {name: people, from: sales, customer_id: "{who}"}\n'
    assert [block.name for block in load(tmp_path, text).blocks] == ["people", "purchases"]


def test_only_sources_that_a_block_needs_are_opened_each_after_what_it_reads(tmp_path):
    text = GOOD.replace("from: sales", "from: grouped").replace(
        "sales: sales.csv",
        "grouped: {from: sales, group_by: [id, who, at]}\n  sales: sales.csv\n  unused: other.csv",
    )
    assert load(tmp_path, text).order_of_sources() == ("sales", "grouped")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("from: sales", "from: sale", "purchases reads source 'sale': did you mean 'sales'? There is: sales"),
        ("type: purchased", "typ: purchased", "events[0].typ: is no key here. did you mean 'type'?"),
        ('event_id: "{id}"', "offer_id: x", "events[0].event_id: is missing"),
        ('"{id}"', "{id}", 'events[0].event_id: YAML reads {id} without quotes as a mapping: write "{id}"'),
        ("time_zone: UTC", "time_zone: Mars", "events[0].occurred_at.time_zone: time zone 'Mars' is not an IANA zone"),
        ("time_zone: UTC", "at: 12:30", "at '12:30' is a local time of day: say where, with time_zone"),
        ("time_zone: UTC", 'at: "9 o\'clock"', "not a time of day"),
        ("time_zone: UTC", 'at: "09:00"', "at '09:00' is a local time of day: say where, with time_zone"),
        ("time_zone: UTC", "format: '%d.%m.%Y'", "format '%d.%m.%Y' reads a naive time: say where, with time_zone"),
        ("time_zone: UTC", "time_zone: UTC, format: '%Y %z'", "texts with an offset are read as ISO 8601"),
        ("time_zone: UTC", "time_zone: UTC, unit: seconds", "unit 'seconds' counts in UTC"),
        ("type: purchased", "type: {value: '{k}', otherwise: viewed}", "events[0].type: otherwise says what a value"),
        ("name: purchases", "name: Purchases!", "events[0].name: 'Purchases!' is not right"),
        ("name: purchases", "name: sales", "the name 'sales' is used twice"),
        ("from: sales", "from: sales\n    where: price >", "events[0].where: "),
        ("from: sales", "from: sales\n    aggregate: {n: {count: '*'}}", "aggregate needs group_by"),
        ("from: sales", "from: sales\n    group_by: [id]\n    aggregate: {n: count}", "like {sum: sales_value}"),
        ("from: sales", "from: sales\n    join: [{source: sales, on: [id]}]", "on is no key here: the columns to join by are given with the key by"),
        ("from: sales", "from: sales\n    from: sales", "the key 'from' is written more than once in events.0, first in line 6"),
        ("from: sales", "from: sales\n    columns: {a: {share: 2, of: '{id}', key: k}}", "columns.a.share: 2 is not right"),
    ],
)  # fmt: skip
def test_a_wrong_key_is_named_with_what_would_be_right(tmp_path, old, new, message):
    assert old in GOOD
    with pytest.raises(MappingError) as caught:
        load(tmp_path, GOOD.replace(old, new, 1))
    assert message in str(caught.value)
    assert "mapping.yaml" in str(caught.value)


def test_every_error_is_named_at_once(tmp_path):
    with pytest.raises(MappingError) as caught:
        load(
            tmp_path,
            GOOD.replace("type: purchased", "typ: purchased").replace("time_zone: UTC", "time_zone: Mars"),
        )
    assert len(str(caught.value).splitlines()) == 4


def test_sources_in_a_circle_are_refused(tmp_path):
    text = GOOD.replace("sales: sales.csv", "sales: {from: b}\n  b: {from: sales}")
    with pytest.raises(MappingError, match="sources read each other in a circle"):
        load(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "holds no keys"), ("sources: [", "is not YAML"), ("sources: {a: a.csv}", "nothing is mapped")],
)
def test_what_is_no_mapping_says_so(tmp_path, text, message):
    with pytest.raises(MappingError, match=message):
        load(tmp_path, text)


def test_a_mapping_that_is_not_there_says_so(tmp_path):
    with pytest.raises(MappingError, match="cannot be read: No such file"):
        load_mapping(tmp_path / "none.yaml")
