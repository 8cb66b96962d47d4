"""The two evaluations of an expression give the same answer for every row."""

import math

import ibis
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from features.expressions import ExpressionError, parse

TYPES = {
    "n": pa.float64(),
    "i": pa.int64(),
    "f": pa.float32(),
    "s": pa.string(),
    "t": pa.string(),
    "b": pa.bool_(),
}

awkward = st.sampled_from([0.0, -0.0, 0.1, 0.3, 1e308, -1e308, 5e-324, math.nan, math.inf, -math.inf, 2.0**53 + 2])
floats = st.one_of(awkward, st.floats(), st.integers(-3, 3).map(float))
words = st.one_of(
    st.sampled_from(
        ["", "a", "A", "ab", "ä", "Σ", "ΑΣ", "İ", "ß", "it's", "%", "_", "🙂", "z\n", "\\", "e\u0301"]
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=4),
)
rows = st.fixed_dictionaries(
    {
        "n": st.none() | floats,
        "i": st.none() | st.integers(-(2**63), 2**63 - 1) | st.integers(-3, 3),
        "f": st.none() | st.floats(width=32),
        "s": st.none() | words,
        "t": st.none() | words,
        "b": st.none() | st.booleans(),
    }
)


def quoted(text):
    return "'" + text.replace("'", "''") + "'"


number_literals = st.one_of(
    st.floats(0, allow_nan=False, allow_infinity=False).map(repr),
    st.integers(0, 4).map(str),
    st.decimals(0, 10, places=2).map(str),
)
string_literals = words.map(quoted)
comparisons = st.sampled_from(["=", "<>", "!=", "<", "<=", ">", ">="])
numbers = st.deferred(lambda: st.one_of(st.sampled_from(["n", "i", "f"]), number_literals, number_calls))
number_calls = st.one_of(
    st.tuples(numbers, st.sampled_from("+-*/"), numbers).map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
    numbers.map(lambda p: f"abs({p})"),
    numbers.map(lambda p: f"(- {p})"),
    st.tuples(numbers, numbers).map(lambda p: f"coalesce({p[0]}, {p[1]})"),
)
strings = st.deferred(
    lambda: st.one_of(
        st.sampled_from(["s", "t"]),
        string_literals,
        strings.map(lambda p: f"lower({p})"),
        st.tuples(strings, strings).map(lambda p: f"coalesce({p[0]}, {p[1]})"),
    )
)
patterns = st.tuples(st.sampled_from(["", "%"]), st.sampled_from(["", "a", "ä", "''"]), st.sampled_from(["", "%"]))
atoms = st.one_of(
    st.sampled_from(["b", "true", "false"]),
    st.tuples(numbers, comparisons, numbers).map(" ".join),
    st.tuples(strings, comparisons, strings).map(" ".join),
    st.tuples(st.sampled_from(["s", "t"]), patterns).map(lambda p: f"{p[0]} like '{''.join(p[1])}'"),
    st.tuples(st.sampled_from(["starts_with", "ends_with", "contains"]), strings, strings).map(
        lambda p: f"{p[0]}({p[1]}, {p[2]})"
    ),
    st.tuples(numbers, numbers, numbers).map(lambda p: f"{p[0]} between {p[1]} and {p[2]}"),
    st.tuples(strings, strings, strings).map(lambda p: f"{p[0]} not between {p[1]} and {p[2]}"),
    st.tuples(numbers, st.lists(number_literals, min_size=1, max_size=4)).map(
        lambda p: f"{p[0]} in ({','.join(p[1])})"
    ),
    st.tuples(strings, st.lists(string_literals, min_size=1, max_size=4)).map(
        lambda p: f"{p[0]} not in ({','.join(p[1])})"
    ),
    st.one_of(numbers, strings).map(lambda p: f"{p} is null"),
)
conditions = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.lists(inner, min_size=2, max_size=3).map(lambda p: "(" + " and ".join(p) + ")"),
        st.lists(inner, min_size=2, max_size=3).map(lambda p: "(" + " or ".join(p) + ")"),
        inner.map(lambda p: f"not ({p})"),
        inner.map(lambda p: f"({p}) is not null"),
        st.tuples(inner, st.sampled_from(["true", "not true", "false", "not false"])).map(
            lambda p: f"({p[0]}) is {p[1]}"
        ),
        st.tuples(inner, inner).map(lambda p: f"({p[0]}) = ({p[1]})"),
        st.tuples(inner, inner).map(lambda p: f"coalesce({p[0]}, {p[1]})"),
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def connection():
    return ibis.duckdb.connect()


def by_columns(connection, expression, values):
    schema = pa.schema([("row_id", pa.int64()), *TYPES.items()])
    table = pa.Table.from_pylist([{"row_id": i, **row} for i, row in enumerate(values)], schema=schema)
    source = ibis.memtable(table)
    answers = connection.to_pyarrow(source.select("row_id", answer=expression.ibis(source)).order_by("row_id"))
    return answers["answer"].to_pylist()


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=conditions, values=st.lists(rows, min_size=1, max_size=6))
def test_rows_and_columns_agree(connection, text, values):
    try:
        expression = parse(text)
    except ExpressionError as error:  # the generator knows no limits, the language does
        assert "nested" in str(error) or "parts" in str(error)  # noqa: PT017 - the only refusals that may happen
        return
    assert by_columns(connection, expression, values) == [expression.row(row) for row in values]


@pytest.mark.parametrize(
    ("text", "row", "answer"),
    [
        ("n / i > 0", {"n": 1.0, "i": 0}, None),
        ("1 / (n / i) = 0", {"n": 1.0, "i": 0}, None),
        ("1 / (n * n) = 0", {"n": 1e308}, None),
        ("n = n", {"n": math.nan}, None),
        ("n > 5", {"n": math.inf}, None),
        ("n is null", {"n": math.nan}, True),
        ("n + 0 is null", {"n": -math.inf}, True),
        ("abs(n * n - n * n) is null", {"n": 1e200}, True),
        ("coalesce(n * n, 7) = 7", {"n": 1e200}, True),
        ("n * n in (1, 2)", {"n": 1e200}, None),
        ("i = 9007199254740993", {"i": 2**53}, True),
        ("n = 0", {"n": -0.0}, True),
        ("n in (0)", {"n": -0.0}, True),
        ("lower(s) = 'i'", {"s": "İ"}, True),
        ("lower(s) = 'ασ'", {"s": "ΑΣ"}, True),
        ("s < '\U0001f642'", {"s": "\uffff"}, True),
        ("s = ''", {"s": ""}, True),
        ("b and n > 1", {"b": False, "n": None}, False),
        ("b or n > 1", {"b": True, "n": None}, True),
        ("not (n > 1)", {"n": None}, None),
        ("(n > 1) is not true", {"n": None}, True),
        ("n between 3 and i", {"n": 2.0, "i": None}, False),
    ],
)
def test_the_awkward_cases_agree_and_are_what_the_page_says(connection, text, row, answer):
    full = {name: row.get(name) for name in TYPES}
    assert parse(text).row(row) is answer
    assert by_columns(connection, parse(text), [full]) == [answer]


def test_the_longest_expression_allowed_still_runs_as_columns(connection):
    long = " or ".join(f"n = {i}" for i in range(300))
    assert by_columns(connection, parse(long), [{"n": 299.0}, {"n": 300.0}]) == [True, False]


def test_lower_case_agrees_over_all_of_unicode(connection):
    letters = [chr(i) for i in range(1, 0x110000) if not 0xD800 <= i < 0xE000]
    table = ibis.memtable(
        pa.table({"s": letters, "low": [chr(i).lower() if chr(i) != "İ" else "i" for i in map(ord, letters)]})
    )
    wrong = connection.to_pyarrow(table.filter(~parse("lower(s) = low").ibis(table)))
    assert wrong["s"].to_pylist() == []
