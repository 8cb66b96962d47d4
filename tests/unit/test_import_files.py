"""Files as people have them: odd lines, names, numbers and ids; folders, encodings and decimal signs."""

from __future__ import annotations

import decimal
import gzip
import json
from datetime import UTC, datetime

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.importing import MappingError
from features.importing.compiling import visible
from features.importing.finding import find_files
from features.importing.macros import define_macros
from features.importing.mapping import File
from features.importing.sources import ARRIVAL, open_file
from features.importing.texts import KEPT, LONGEST
from features.lake import connect
from tests.unit.test_importing import EVENTS, Shop

AT = datetime(2024, 7, 1, 10, tzinfo=UTC)
TYPED = EVENTS.replace('{value: "{at}", time_zone: Europe/Berlin}', '"{at}"')


@pytest.fixture
def shop(tmp_path):
    return Shop(tmp_path)


def opened(folder, path, **options):
    connection = connect(threads=2)
    define_macros(connection)
    return open_file(connection, "sales", File(path=path, **options), folder)


def rows(source):
    table = source.table.order_by(ARRIVAL).to_pyarrow()
    return table.select([name for name in table.column_names if name != ARRIVAL]).to_pylist()


def odd(source):
    return [] if source.refused is None else [json.loads(row) for row in source.refused["row"].to_pylist()]


# Lines


def test_line_ends_of_every_kind_stand_in_one_file_and_within_quotes_they_stay(tmp_path):
    text = 'a,b\r\n1,x\n2,"two\nlines"\r3,"t\r\nl"\r\n\r\n4,"c\rr"\n5,"say ""no"""'
    (tmp_path / "s.csv").write_bytes(text.encode())
    source = opened(tmp_path, "s.csv")
    assert [row["b"] for row in rows(source)] == ["x", "two\nlines", "t\r\nl", "c\rr", 'say "no"']
    assert odd(source) == []


def test_a_quote_that_is_not_closed_takes_no_other_line_along(tmp_path):
    lines = ["a,b", '1,"open', *(f'{n},"{n}"' for n in range(2, 500)), '500,"open', "501,x"]
    (tmp_path / "s.csv").write_text("\n".join(lines))
    source = opened(tmp_path, "s.csv")
    assert [row["a"] for row in rows(source)] == [*map(str, range(2, 500)), "501"]
    assert [(row["number"], row["why"]) for row in odd(source)] == [
        (2, "text stands after a closing quote"),
        (501, "a quote is opened and not closed"),
    ]


def test_a_refused_line_says_its_file_its_number_and_why(tmp_path):
    (tmp_path / "1.csv").write_text("a,b\n1,2\n")
    (tmp_path / "2.csv").write_bytes(b'a,b\n3,"c\nd"\n4,\x00\ncaf\xe9,5\n6\n')
    refused = [(row["file"], row["number"], row["line"], row["why"]) for row in odd(opened(tmp_path, "*.csv"))]
    windows = "it holds bytes that are no UTF-8; if the whole file is windows-1252, write encoding: windows-1252 in its source"
    assert refused == [
        ("2.csv", 4, "4,\\x00", "it holds the control character U+0000"),
        ("2.csv", 5, "caf\\xe9,5", windows),
        ("2.csv", 6, "6", "it has 1 fields, the first line names 2"),
    ]


@pytest.mark.parametrize(("name", "head", "good"), [("s.csv", "a,b\n", "1,2"), ("s.jsonl", "", '{"a": "1"}')])
def test_a_line_of_megabytes_is_kept_cut_and_says_so(tmp_path, name, head, good):
    long = good[:-1] + "x" * (3 * LONGEST) + good[-1]
    (tmp_path / name).write_text(f"{head}{good}\n{long}\n{good}\n[]\n")
    source = opened(tmp_path, name)
    assert [row["a"] for row in rows(source)] == ["1", "1"]
    kept, other = odd(source)
    number = 2 + bool(head)
    assert (kept["number"], other["number"]) == (number, number + 2)
    assert len(kept["line"]) == KEPT
    assert kept["cut"] == f"the first {KEPT} characters are kept"
    assert kept["why"] == f"the line has {len(long) + 1} characters; at most {LONGEST} are read"


def test_a_json_line_nested_too_deep_is_set_apart(tmp_path):
    deep = '{"a": ' + "[" * 200_000 + "]" * 200_000 + "}"
    flat = json.dumps({"a": "1", "b": [[n] for n in range(200)]})
    (tmp_path / "s.jsonl").write_text(f"{flat}\n{deep}\n{flat}\n")
    source = opened(tmp_path, "s.jsonl")
    assert [row["a"] for row in rows(source)] == ["1", "1"]
    assert [(row["number"], row["why"]) for row in odd(source)] == [(2, "it is nested deeper than 100 levels")]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("[1]", "it is no JSON object, but list"),
        ("7", "it is no JSON object, but int"),
        ('{"a": "x"} {"a": "y"}', "it is no JSON: Extra data: line 1 column 12 (char 11)"),
        ('{"a": 1, "a": 2}', "its key 'a' stands there twice"),
        ('{"a": "\\ud800"}', "it is no JSON: it escapes half a character"),
        ('{"a": "x"', "it is no JSON: Expecting ',' delimiter: line 1 column 10 (char 9)"),
    ],
)
def test_what_is_no_json_object_is_set_apart_and_says_why(tmp_path, line, why):
    (tmp_path / "s.jsonl").write_text(f'{{"a": "1"}}\n\n{line}\n{{"a": "2"}}')
    source = opened(tmp_path, "s.jsonl")
    assert [row["a"] for row in rows(source)] == ["1", "2"]
    assert [(row["number"], row["why"]) for row in odd(source)] == [(3, why)]


def test_a_file_with_its_names_only_has_no_rows_and_an_empty_one_among_others_is_passed_over(tmp_path):
    (tmp_path / "1.csv").write_text("a,b")
    (tmp_path / "2.csv").write_text("")
    (tmp_path / "3.csv").write_text("a,b\r\n1,2")
    assert rows(opened(tmp_path, "1.csv")) == []
    assert rows(opened(tmp_path, "*.csv")) == [{"a": "1", "b": "2"}]


def test_a_file_of_one_column_may_have_blank_lines_and_empty_values(tmp_path):
    (tmp_path / "s.csv").write_text('a\n1\n\n""\n2\n')
    assert rows(opened(tmp_path, "s.csv")) == [{"a": "1"}, {"a": None}, {"a": "2"}]


def test_one_file_with_odd_lines_among_clean_ones_keeps_the_order(tmp_path):
    for place in range(6):
        end = "\r\n" if place % 3 == 1 else "\n"
        text = end.join(["n", *(f"{place}{n:03d}" for n in range(100)), *(["a,b"] if place == 2 else [])]).encode()
        (tmp_path / f"{place}.csv{'.gz' if place == 4 else ''}").write_bytes(
            gzip.compress(text) if place == 4 else text
        )
    source = opened(tmp_path, "*.csv*")
    assert [row["n"] for row in rows(source)] == [f"{place}{n:03d}" for place in range(6) for n in range(100)]
    assert [(row["file"], row["number"]) for row in odd(source)] == [("2.csv", 102)]


# Names


def test_names_that_differ_by_case_are_two_columns(shop):
    shop.write("sales.csv", "id,ID,who,at\n1,x,7,2024-01-01 10:00\n2,y,7,2024-01-01 10:00\n")
    shop.run(EVENTS + '    offer_id: "{ID}-{id}"\n    properties: {Plan: "{ID}", plan: "{id}"}\n')
    assert [row["offer_id"] for row in shop.events()] == ["x-1", "y-2"]
    assert [json.loads(row["properties"]) for row in shop.events()] == [
        {"Plan": "x", "plan": "1"},
        {"Plan": "y", "plan": "2"},
    ]


@pytest.mark.parametrize(
    "more",
    [
        '    columns: {ID: "{who}"}\n',
        "    join: [{source: sales, by: [id], take: {Who: at}}]\n",
        '    group_by: [id, who, at]\n    aggregate: {AT: {count: "*"}}\n',
        '    columns: {a: "{who}", A: "{who}"}\n',
    ],
)
def test_a_new_name_that_differs_by_case_only_from_another_is_refused(shop, more):
    shop.write("sales.csv", "id,who,at\n1,7,2024-01-01 10:00\n")
    with pytest.raises(MappingError, match=r"purchases: the names '\w+' and '\w+' differ by case only"):
        shop.run(EVENTS + more)


def test_keys_that_differ_by_case_are_two_columns(tmp_path):
    (tmp_path / "s.jsonl").write_text('{"id": "1", "userUpn": 1, "userUPN": 2}\n{"id": "2", "ID": "x", "": 3}\n')
    source = opened(tmp_path, "s.jsonl", types={"userUPN": "text"})
    assert visible(source.table) == ["id", "userUPN", "userUpn?1", "ID?1"]
    assert rows(source)[0] == {"id": "1", "userUPN": "2", "userUpn?1": 1, "ID?1": None}


@pytest.mark.parametrize("text", ["{}\n{}\n", "\n", ""])
def test_json_lines_without_a_key_say_which_column_is_missing(shop, text):
    shop.write("sales.jsonl", text)
    with pytest.raises(MappingError, match=r"purchases\.event_id: there is no column 'id': There is: nothing"):
        shop.run(sources="sales: sales.jsonl")


def test_parquet_names_that_differ_by_case_are_two_columns_and_equal_ones_are_refused(tmp_path):
    pq.write_table(pa.table({"id": ["1"], "ID": ["x"]}), tmp_path / "s.parquet")
    assert rows(opened(tmp_path, "s.parquet")) == [{"id": "1", "ID?1": "x"}]
    pq.write_table(pa.table([pa.array([1]), pa.array([2])], ["id", "id"]), tmp_path / "t.parquet")
    with pytest.raises(MappingError, match=r"file t.parquet has two columns 'id'"):
        opened(tmp_path, "t.parquet")


# Ids


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        (pa.array([123.0, None, float("nan"), 2.0**53 - 1]), ["123", None, None, str(2**53 - 1)]),
        (pa.array([7.0], pa.float32()), ["7"]),
        (pa.array([decimal.Decimal("123.00")], pa.decimal128(10, 2)), ["123"]),
        (pa.array([decimal.Decimal(10**30 + 1)], pa.decimal128(38, 0)), [str(10**30 + 1)]),
        (pa.array(["Müller".encode(), b"7"]), ["Müller", "7"]),
        (pa.array([2**64 - 1], pa.uint64()), [str(2**64 - 1)]),
        (pa.array([2**63 - 1]), [str(2**63 - 1)]),
        (pa.array(["x"]).dictionary_encode(), ["x"]),
        (pa.array([bytes(range(16))], pa.uuid()), ["00010203-0405-0607-0809-0a0b0c0d0e0f"]),
    ],
)
def test_an_id_of_any_type_is_the_text_that_was_meant(shop, column, ids):
    keys = [str(n) for n in range(len(ids))]
    pq.write_table(pa.table({"id": keys, "who": column, "at": [AT] * len(ids)}), shop.folder / "sales.parquet")
    report = shop.run(TYPED + '    offer_id: "o:{who}"\n', sources="sales: sales.parquet")
    kept = {row["event_id"]: (row["customer_id"], row["offer_id"]) for row in shop.events()}
    assert kept == {key: (who, f"o:{who}") for key, who in zip(keys, ids, strict=True) if who is not None}
    assert report.quarantined == ({"customer_id_required": ids.count(None)} if None in ids else {})


@pytest.mark.parametrize(
    "column",
    [
        pa.array([7.5]),
        pa.array([2.0**53]),  # or 2^53 + 1
        pa.array([-(2.0**53)]),
        pa.array([2.0**53 + 2]),
        pa.array([2.0**24], pa.float32()),
        pa.array([float("inf")]),
        pa.array([2.0**24 + 2], pa.float32()),
        pa.array([decimal.Decimal("7.50")]),
        pa.array([b"caf\xe9"]),
    ],
)
@pytest.mark.parametrize("field", ['customer_id: "{who}"', 'customer_id: "c:{who}"'])
def test_what_is_nobodys_id_for_certain_is_refused(shop, column, field):
    pq.write_table(pa.table({"id": ["1"], "who": column, "at": [AT]}), shop.folder / "sales.parquet")
    report = shop.run(TYPED.replace('customer_id: "{who}"', field), sources="sales: sales.parquet")
    assert report.quarantined == {"customer_id_readable": 1}


def test_two_numbers_that_a_double_makes_one_are_not_one_person(shop):
    shop.write("sales.csv", "id,who,at\n1,9007199254740992,2024-07-01\n2,9007199254740993,2024-07-01\n")
    typed = TYPED.replace('"{at}"', '{value: "{at}", at: "09:00", time_zone: UTC}')
    report = shop.run(typed, sources="sales: {path: sales.csv, types: {who: number}}")
    assert report.quarantined == {"customer_id_readable": 2}


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        (["123", "124.0"], ["123", "124"]),
        (["123", '"124.0"'], ["123", "124.0"]),
        (["123", '"x"', "124.0", "NaN", "null"], ["123", "x", "124", None, None]),
        (
            ["100000000000000000001", "100000000000000000002", "1"],
            ["100000000000000000001", "100000000000000000002", "1"],
        ),
        (["9007199254740993", "9007199254740991.0"], ["9007199254740993", "9007199254740991"]),
        (["18446744073709551615", "-3"], ["18446744073709551615", "-3"]),
        (["1e3", "true"], ["1000", "true"]),
    ],
)
def test_an_id_in_json_is_what_was_written_whatever_its_neighbours_are(shop, values, ids):
    lines = [f'{{"id": "{n}", "who": {value}, "at": "2024-07-01T10:00:00Z"}}' for n, value in enumerate(values)]
    shop.write("sales.jsonl", "\n".join(lines))
    shop.run(TYPED, sources="sales: sales.jsonl")
    kept = {row["event_id"]: row["customer_id"] for row in shop.events()}
    assert [kept.get(str(n)) for n in range(len(ids))] == ids


@pytest.mark.parametrize("number", ["9007199254740993.0", "9.007199254740993e15", "-1e20"])
def test_a_json_number_that_is_one_of_several_is_refused_where_the_key_holds_text_elsewhere(shop, number):
    values = ["7", '"x"', number, '"9007199254740993.0"']
    lines = [f'{{"id": "{n}", "who": {value}, "at": "2024-07-01T10:00:00Z"}}' for n, value in enumerate(values)]
    shop.write("sales.jsonl", "\n".join(lines))
    report = shop.run(TYPED, sources="sales: sales.jsonl")
    assert {row["customer_id"] for row in shop.events()} == {"7", "x", "9007199254740993.0"}
    assert report.quarantined == {"who_readable": 1}


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pa.array([True]), "boolean"),
        (pa.array([AT.date()]), "date"),
        (pa.array([AT.replace(tzinfo=None)]), "timestamp"),
        (pa.array([["a"]]), "array<string>"),
        (pa.array([{"n": 1}]), "struct<n: int64>"),
    ],
    ids=["bool", "date", "timestamp", "list", "struct"],
)
@pytest.mark.parametrize("field", ['customer_id: "{who}"', 'customer_id: "c:{who}"'])
def test_a_column_of_a_kind_that_is_nobodys_id_is_refused_with_its_name_and_the_way_out(shop, column, kind, field):
    pq.write_table(pa.table({"id": ["1"], "who": column, "at": [AT]}), shop.folder / "sales.parquet")
    with pytest.raises(
        MappingError, match=r"customer_id: 'who' is .*, which is nobody's id: .* as text"
    ) as refused:
        shop.run(TYPED.replace('customer_id: "{who}"', field), sources="sales: sales.parquet")
    assert kind in str(refused.value)
    assert shop.events() == []


def test_a_time_may_tell_apart_what_another_column_names_and_a_list_never(shop):
    table = {"id": ["1"], "who": ["a"], "day": [AT.date()], "tags": [["x"]], "at": [AT]}
    pq.write_table(pa.table(table), shop.folder / "sales.parquet")
    shop.run(TYPED.replace('event_id: "{id}"', 'event_id: "{who}:{day}"'), sources="sales: sales.parquet")
    assert [row["event_id"] for row in shop.events()] == ["a:2024-07-01"]
    with pytest.raises(MappingError, match="event_id: 'tags' is array<string>, which is nobody's id"):
        shop.run(TYPED.replace('event_id: "{id}"', 'event_id: "{who}:{tags}"'), sources="sales: sales.parquet")


def test_truth_values_of_json_are_nobodys_ids(shop):
    shop.write("sales.jsonl", '{"id": true, "who": "a", "at": "2024-07-01T10:00:00Z"}')
    with pytest.raises(MappingError, match="event_id: 'id' is boolean, which is nobody's id"):
        shop.run(TYPED, sources="sales: sales.jsonl")


def test_numbers_of_json_that_fit_stay_numbers(tmp_path):
    (tmp_path / "s.jsonl").write_text('{"i": 1, "f": 1, "b": true, "n": null}\n{"i": -2, "f": 2.5, "b": false}\n')
    source = opened(tmp_path, "s.jsonl")
    assert rows(source) == [{"i": 1, "f": 1.0, "b": True, "n": None}, {"i": -2, "f": 2.5, "b": False, "n": None}]


@pytest.mark.parametrize(
    ("first", "second", "ids"),
    [
        (pa.array([7, 8]), pa.array([7.0, None]), ["7", "8", "7", None]),
        (pa.array([2**53 + 1]), pa.array([7.0]), [str(2**53 + 1), "7"]),
        (pa.array(["x"]), pa.array([7.0]), ["x", "7"]),
        (pa.array(["x"]), pa.array([b"y"]), ["x", "y"]),
        (pa.array([1], pa.uint64()), pa.array([-1]), ["1", "-1"]),
        (pa.nulls(1), pa.array(["x"]), [None, "x"]),
    ],
)
def test_files_that_type_an_id_differently_are_read_alike(shop, first, second, ids):
    count = 0
    for place, who in enumerate((first, second)):
        keys = [str(count + n) for n in range(len(who))]
        count += len(who)
        table = pa.table({"id": keys, "who": who, "at": [AT] * len(who)})
        pq.write_table(table, shop.folder / f"{place}.parquet")
    shop.run(TYPED, sources="sales: '*.parquet'")
    kept = {row["event_id"]: row["customer_id"] for row in shop.events()}
    assert [kept.get(str(n)) for n in range(count)] == ids


def test_files_that_type_a_time_with_and_without_a_zone_are_refused(tmp_path):
    for place, zone in enumerate(("UTC", None)):
        pq.write_table(pa.table({"at": pa.array([0], pa.timestamp("us", zone))}), tmp_path / f"{place}.parquet")
    with pytest.raises(MappingError, match=r"the files type 'at' differently: timestamp\('UTC'.*\) and timestamp"):
        opened(tmp_path, "*.parquet")


# Folders


def _parts(folder, partitioned):
    for year in (2023, 2024):
        part = folder / f"year={year}" / "region=a%2Fb" if partitioned else folder
        part.mkdir(parents=True, exist_ok=True)
        pq.write_table(pa.table({"n": [year]}), part / f"part-{year}.snappy.parquet")
        (part / f".part-{year}.crc").write_bytes(b"x")
    (folder / "_SUCCESS").write_text("")
    (folder / "_delta_log").mkdir()
    (folder / "_delta_log" / "0.parquet").write_bytes(b"x")


@pytest.mark.parametrize("path", ["s.parquet", "s.parquet/*.parquet", "s.*", "**/*.parquet"])
def test_a_folder_that_spark_wrote_is_a_source(tmp_path, path):
    (tmp_path / "s.parquet").mkdir()
    _parts(tmp_path / "s.parquet", partitioned=False)
    assert rows(opened(tmp_path, path)) == [{"n": 2023}, {"n": 2024}]


@pytest.mark.parametrize("path", ["hive", "hive/*/*/*.parquet", "hive/**/*.parquet", "hive/*"])
def test_the_folders_of_a_partitioned_source_are_columns(tmp_path, path):
    (tmp_path / "hive").mkdir()
    _parts(tmp_path / "hive", partitioned=True)
    told = [{"n": year, "year": str(year), "region": "a/b"} for year in (2023, 2024)]
    assert rows(opened(tmp_path, path)) == told


@pytest.mark.parametrize(("ending", "text"), [("csv", "n,m\n{}," + "\n"), ("jsonl", '{{"n": "{}", "m": null}}\n')])
def test_folders_of_text_are_partitioned_alike(tmp_path, ending, text):
    for year in ("2023", "__HIVE_DEFAULT_PARTITION__"):
        (tmp_path / "s" / f"year={year}").mkdir(parents=True)
        (tmp_path / "s" / f"year={year}" / f"a.{ending}").write_text(text.format(year))
    known = [("2023", "2023"), ("__HIVE_DEFAULT_PARTITION__", None)]
    assert rows(opened(tmp_path, "s")) == [{"n": n, "m": None, "year": year} for n, year in known]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("none-*.csv", "file 'none-\\*.csv' is not there: the pattern matches no file"),
        ("nothing", "file 'nothing' is not there: the folder nothing holds no file"),
        (
            "mixed",
            r"folder 'mixed' holds README.txt, which is of no known kind: .*name the files you mean by a pattern",
        ),
        ("kinds", "the files of 'kinds' are of several kinds"),
    ],
)
def test_a_folder_or_pattern_without_files_to_read_says_so(tmp_path, path, message):
    for name in ("nothing/_SUCCESS", "mixed/README.txt", "mixed/a.csv", "kinds/a.csv", "kinds/b.jsonl"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    with pytest.raises(MappingError, match=message):
        opened(tmp_path, path)


def test_files_are_read_in_the_order_of_their_names_and_a_name_may_look_like_a_pattern(tmp_path):
    for name in ("b[1].csv", "a*.csv", "c.CSV"):
        (tmp_path / name).write_text(f"n,m\n{name},\n")
    assert [found.shown for found in find_files("*.[cC]*", tmp_path)] == ["a*.csv", "b[1].csv", "c.CSV"]
    assert [row["n"] for row in rows(opened(tmp_path, "*.[cC]*"))] == ["a*.csv", "b[1].csv", "c.CSV"]
    assert rows(opened(tmp_path, "a*.csv")) == [{"n": "a*.csv", "m": None}]


# Encodings


@pytest.mark.parametrize(
    ("encoding", "key"),
    [
        ("utf-8-sig", None),
        ("utf-8-sig", "utf-8"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("utf-16-be", "UTF-16BE"),
        ("latin-1", "latin-1"),
        ("cp1252", "windows-1252"),
        ("utf-32", "utf-32"),
    ],
)
@pytest.mark.parametrize("name", ["s.csv", "s.csv.gz", "s.jsonl"])
def test_a_file_is_read_in_the_encoding_that_is_named(tmp_path, encoding, key, name):
    text = "n,käufer\n1,Müller\n" if "csv" in name else '{"n": "1", "käufer": "Müller"}\n'
    raw = text.encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(raw) if name.endswith("gz") else raw)
    assert rows(opened(tmp_path, name, encoding=key)) == [{"n": "1", "käufer": "Müller"}]


@pytest.mark.parametrize(
    ("raw", "looks"),
    [
        ("n,m\n1,2\n".encode("utf-16"), "looks like utf-16, not UTF-8: write encoding: utf-16"),
        ("n,m\n1,2\n".encode("utf-16-be"), "looks like utf-16-be, not UTF-8: write encoding: utf-16-be"),
        ("n,m\n1,2\n".encode("utf-32"), "looks like utf-32, not UTF-8: write encoding: utf-32"),
        ("n,käufer\n1,2\n".encode("latin-1"), "if the whole file is windows-1252, write encoding: windows-1252"),
    ],
)
def test_a_file_of_another_encoding_says_which_it_looks_like(tmp_path, raw, looks):
    (tmp_path / "s.csv").write_bytes(raw)
    with pytest.raises(MappingError, match=f"file s.csv.*{looks}"):
        opened(tmp_path, "s.csv")


def test_an_encoding_that_is_none_or_not_the_files_is_refused(shop):
    with pytest.raises(MappingError, match="encoding 'klingon' is not known"):
        shop.run(sources="sales: {path: sales.csv, encoding: klingon}")
    shop.write("sales.csv", "id,who,at\n")
    with pytest.raises(
        MappingError, match=r"file 'sales.csv' cannot be read: UTF-16 stream does not start with BOM"
    ):
        shop.run(sources="sales: {path: sales.csv, encoding: utf-16}")


# Decimal signs


@pytest.mark.parametrize(
    ("sign", "text", "number"),
    [
        (",", "4,50", 4.5),
        (",", "1.234,50", 1234.5),
        (",", "1.234", 1234.0),
        (",", "1 234 567,5", 1234567.5),
        (",", "1'234,5", 1234.5),
        (",", "-,5", -0.5),
        (",", "12", 12.0),
        (",", "1.23", None),
        (",", "1.234.5", None),
        (",", "4.50", None),
        (",", "0.500", None),
        (".", "0,500", None),
        (".", "-012,345", None),
        (".", "1,234.50", 1234.5),
        (".", "4.50", 4.5),
        (".", "4,50", None),
        (None, "4,50", None),
        (None, "4.50", 4.5),
        (None, "1_000", None),
        (None, "1000.5", 1000.5),
    ],
)
def test_a_number_is_read_with_the_decimal_sign_of_its_file(tmp_path, sign, text, number):
    (tmp_path / "s.csv").write_text(f"x;y\n{text};\n")
    source = opened(tmp_path, "s.csv", delimiter=";", decimal=sign, types={"x": "number"})
    assert [row["x"] for row in rows(source)] == ([] if number is None else [number])
    assert [row["x"] for row in odd(source)] == ([text] if number is None else [])


@pytest.mark.parametrize(
    ("sign", "text", "number"),
    [(",", "1.234,50", 1234.5), (",", "1.234", 1234.0), (",", "4.50", None), (None, "4,50", None)],
)
@pytest.mark.parametrize("how", ["as", "value", "product", "derived"])
def test_the_decimal_sign_of_a_file_is_that_of_every_value_made_of_its_columns(shop, sign, text, number, how):
    key = f', decimal: "{sign}"' if sign else ""
    shop.write("sales.csv", f"id;who;at;x\n1;7;2024-01-01 10:00;{text}\n")
    sources = f'sales: {{path: sales.csv, delimiter: ";"{key}}}'
    value = {"as": '{value: "{x}", as: number}', "product": '{product: ["{x}", 1]}', "derived": '"{y}"'}
    if how == "derived":
        sources += "\n  more: {from: sales, group_by: [id, who, at], aggregate: {y: {any: x}}}"
    blocks = EVENTS.replace("from: sales", "from: more") if how == "derived" else EVENTS
    report = shop.run(blocks + f"    value: {value.get(how, chr(34) + '{x}' + chr(34))}\n", sources=sources)
    assert [row["value"] for row in shop.events()] == ([] if number is None else [number])
    assert sum(report.quarantined.values()) == (number is None)


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("4,50", """; '4,50' can be read with decimal: "," in its source"""),
        ("1,234.50", """; '1,234.50' can be read with decimal: "." in its source"""),
        ("1,234", """; '1,234' can be read with decimal: "," or decimal: "." in its source"""),
        ("0,500", """; '0,500' can be read with decimal: "," in its source"""),
        ("four", ""),
    ],
)
@pytest.mark.parametrize("types", ["", ", types: {x: number}"])
def test_what_is_no_number_says_which_decimal_sign_would_read_it(shop, text, hint, types):
    shop.write("sales.csv", f"id;who;at;x\n1;7;2024-01-01 10:00;{text}\n")
    shop.run(EVENTS + '    value: "{x}"\n', sources=f'sales: {{path: sales.csv, delimiter: ";"{types}}}')
    (refused,) = shop.refused()
    asks = "x can be read as number" if types else "value can be read"
    assert refused["detail"] == asks + hint


def test_whole_numbers_parted_by_thousands_are_read_to_the_last_digit(tmp_path):
    (tmp_path / "s.csv").write_text("x;y\n9.007.199.254.740.993;-1.000\n")
    source = opened(tmp_path, "s.csv", delimiter=";", decimal=",", types={"x": "integer", "y": "integer"})
    assert rows(source) == [{"x": 9007199254740993, "y": -1000}]


def test_factors_from_files_that_write_numbers_differently_are_refused(shop):
    shop.write("sales.csv", "id;who;at;x\n")
    shop.write("rates.csv", "id,rate\n")
    sources = 'sales: {path: sales.csv, delimiter: ";", decimal: ","}\n  rates: rates.csv'
    join = '    join: [{source: rates, by: [id], take: [rate]}]\n    value: {product: ["{x}", "{rate}"]}\n'
    with pytest.raises(
        MappingError, match=r"purchases: the factors .* come from files that write numbers differently"
    ):
        shop.run(EVENTS + join, sources=sources)
