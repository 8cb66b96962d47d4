"""YAML taken as written: what other readers would turn into something else stays what it is, or is refused."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from features.documents import YamlError, load_yaml, read_yaml, shown


@pytest.fixture(name="read", scope="module")
def _read(tmp_path_factory):
    path = tmp_path_factory.mktemp("documents") / "file.yaml"

    def read(text):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return load_yaml(path)

    return read


WORDS = [
    "on",
    "off",
    "yes",
    "no",
    "NO",
    "Yes",
    "y",
    "n",
    "21:30",
    "1:30:00",
    "1_000",
    "2024-01-01",
    "2024-01-01T08:00:00Z",
    ".inf",
    ".nan",
    "0o10",
    "0x1F",
    "0b1",
    "1e5",
    "+5",
    ".",
    "=",
    "12345678901234567890",
    "10.",
    "-0",
    "tRUE",
]


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_yaml_is_taken_as_it_is_written(read, word):
    assert read(f"key: {word}\nlist: [{word}]") == {"key": word, "list": [word]}


@pytest.mark.parametrize("word", [*WORDS, "01", "010", "-01", "true", "null", "~", "1", "1.10", "<"])
def test_a_key_is_always_text(read, word):
    assert read(f"map: {{{word}: x}}\n{word}: y") == {"map": {word: "x"}, word: "y"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [("1", 1), ("-3", -3), ("0", 0), ("1.5", 1.5), (".5", 0.5), ("4.00", 4.0), ("true", True), ("FALSE", False), ("null", None),
     ("~", None), ("", None), ("'true'", "true"), ('"1"', "1"), ("!!str 010", "010"), ('"010"', "010")],
)  # fmt: skip
def test_numbers_truth_and_nothing_are_what_everybody_takes_them_for(read, written, meant):
    found = read(f"key: {written}")["key"]
    assert (found, type(found)) == (meant, type(meant))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: 1\nb:\n  - until_hour: 010",
            'line 3: b.0.until_hour: 010 .* write 10 for the number, or "010" in quot',
        ),
        ("a: -08", 'line 1: a: -08 .* write -8 for the number, or "-08" in quotes'),
        ("a: 1\nb: 2\na: 3", "line 3: the key 'a' is written more than once, first in line 1"),
        ("a:\n  1: x\n  '1': y", "line 3: the key '1' is written more than once in a, first in line 2"),
        ("a: {on: x, 'on': y}", "line 1: the key 'on' is written more than once in a"),
        ("a: &a [*a]", "line 1: a.0 holds itself"),
        ("a: !!python/object:os.system x", "line 1: the tag '.*system' is not read"),
        ("a:\n  {b: c}: d", "line 2: a key in a is itself a list or a mapping"),
        ("a: {<<: 3}", "line 1: << merges keys and values in a, not 3"),
        ("a: [1", "expected ',' or ']'"),
        ("a: 1\n---\nb: 2", "a single document"),
        (b"a: 1\nb: caf\xe9", "line 2: .* at byte 12: save the file as UTF-8"),
    ],
)
def test_what_could_be_meant_in_two_ways_is_refused_with_its_line(read, text, message):
    with pytest.raises(YamlError, match=message):
        read(text)


BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 30)
)
MERGES = "a0: &a0 {x: 1}\n" + "".join(
    f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}]}}\n" for n in range(1, 30)
)
STAIRS = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 400))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: " + "[" * 100_000, "line 1: lists and mappings stand in one another more than 50 deep"),
        ("a: " + "[" * 51 + "]" * 51, "line 1: lists and mappings stand in one another more than 50 deep"),
        ("".join(" " * n + "a:\n" for n in range(3000)), "line 5[12]: lists and mappings stand in one another"),
        (STAIRS, "lists and mappings stand in one another more than 50 deep"),
        (BOMB, "aliases repeat more than 100,000 values: write what is meant without aliases of aliases"),
        (MERGES, "aliases repeat more than 100,000 values"),
    ],
    ids=["flow", "one too deep", "block", "stairs", "bomb", "merges"],
)
def test_what_nests_or_repeats_without_bound_is_refused_with_its_line(read, text, message):
    with pytest.raises(YamlError, match=message):
        read(text)


def test_a_file_may_nest_fifty_deep_and_repeat_what_it_says(read):
    assert read("[" * 50 + "x" + "]" * 50)
    assert len(read("- &a [1, 2, 3]\n" + "- *a\n" * 20_000)) == 20_001


def test_a_value_is_shown_by_its_beginning_whatever_its_size():
    one: list[object] = ["x" * 1000]
    for _ in range(40):
        one = [one] * 10
    assert len(shown(one)) <= 80
    assert shown("y" * 10**6) == repr("y" * 80)[:80]
    assert shown({"key": 1}) == "{'key': 1}"


def test_what_is_merged_in_gives_way_to_what_is_written(read):
    text = "base: &b {x: 1, y: 2}\none: {<<: *b, y: 3}\ntwo: {<<: [*b, {x: 9, z: 4}]}"
    assert read(text)["one"] == {"x": 1, "y": 3}
    assert read(text)["two"] == {"x": 1, "y": 2, "z": 4}


def test_each_thing_knows_its_line(tmp_path):
    path = tmp_path / "file.yaml"
    path.write_text("a:\n  - b: 1\n    c:\n      d: 2\n")
    written = read_yaml(path)
    assert [written.line(place) for place in (("a",), ("a", 0, "c", "d"), ("a", 0, "Plain", "c"), ("z",))] == [
        1,
        4,
        3,
        1,
    ]


PLAIN = st.text(alphabet="0123456789abceflnortuxy_:.+-~EN", min_size=1, max_size=8).filter(
    lambda word: word[-1] != ":"
)  # a key


@given(PLAIN)
def test_a_plain_word_is_what_it_shows_or_what_every_reader_takes_it_for_or_refused(read, word):
    try:
        found = read(f"- {word}")
    except YamlError:
        return
    if found != [word]:
        assert found == yaml.safe_load(f"- {word}")
