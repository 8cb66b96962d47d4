"""What people read: nothing is cut, at any width, on a terminal or elsewhere; what programs read is JSON."""

import io
import json
import math
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from pipelines.console import Card, Heading, json_line, paper, table
from pipelines.views.pages import Page

WORDS = st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=40)
TABLES = st.integers(1, 12).flatmap(
    lambda width: st.tuples(
        st.lists(WORDS, min_size=width, max_size=width),
        st.lists(st.lists(WORDS | st.floats(), min_size=width, max_size=width), min_size=1, max_size=4),
    )
)


def drawn(what, *, width, terminal):
    out = io.StringIO()
    console = Console(
        file=out, width=width, force_terminal=terminal, color_system=None, emoji=False, highlight=False
    )
    console.print(what)
    return out.getvalue()


def bare(text):
    return "".join(each for each in text if each.isalnum() or each in "+-.,")


@settings(max_examples=60)
@given(TABLES, st.integers(8, 160))
def test_no_cell_is_cut_in_a_terminal_of_any_width(content, width):
    columns, rows = content
    shown = drawn(table("t", columns, rows), width=width, terminal=True)
    assert max(map(len, shown.splitlines())) <= width
    assert "…" not in shown
    for row in rows:
        for cell in row:
            if isinstance(cell, str) and len(cell) < width // 2 - len(columns[row.index(cell)]):
                assert cell in shown


@settings(max_examples=60)
@given(TABLES)
def test_without_a_terminal_a_row_is_a_line(content):
    columns, rows = content
    title, head, *lines = drawn(table("t", columns, rows), width=1_000_000, terminal=False).splitlines()
    assert (title, head.split()) == ("t", columns)
    assert [len(line.split()) for line in lines] == [len(columns)] * len(rows)


def test_numbers_are_whole_where_the_page_is_narrow():
    shown = drawn(table("t", ("p", "q", "r"), [(5.079e-05, 1.0, "x" * 30)]), width=20, terminal=True)
    assert "5.079e-05" in shown


def test_a_table_of_a_page_is_whole_where_the_terminal_is_narrow():
    page = Page("| metric | p | interval |\n|---|---|---|\n| spend | 5.079e-05 | +0.0001 … +0.0002 |\n")
    for width in (14, 30, 80):
        shown = drawn(page, width=width, terminal=True)
        assert "5.079e-05" in shown
        assert "+0.0001" in shown
    assert drawn(page, width=1_000_000, terminal=False) == page.text


def test_what_looks_like_markup_is_shown_as_it_is():
    assert "[red]x[/red] :smile:" in drawn(
        table("[t]", ("[a]",), [("[red]x[/red] :smile:",)]), width=80, terminal=True
    )


def test_a_frame_and_a_rule_need_a_terminal():
    card = Card(title="ada: hold", lines=("why",), foot="id", colour="green")
    assert drawn(card, width=1_000_000, terminal=False) == "ada: hold\nwhy\nid\n"
    assert drawn(Heading("a title"), width=1_000_000, terminal=False) == "a title\n"
    assert "─" in drawn(Heading("a title"), width=60, terminal=True)


def test_standard_output_is_as_wide_as_what_is_written_where_it_is_no_terminal(capsys):
    paper().print("word " * 400)
    assert len(capsys.readouterr().out.splitlines()) == 1


class Float(float):
    """A library's own number."""


@pytest.mark.parametrize(
    ("value", "read"),
    [
        (Float(0.5), 0.5),
        (math.nan, None),
        (math.inf, None),
        (Float("nan"), None),
        (frozenset({"b", "a"}), ["a", "b"]),
        (MappingProxyType({"a": 1}), {"a": 1}),
        (Path("x"), "x"),
    ],
)
def test_what_libraries_return_becomes_json(value, read):
    assert json.loads(json_line({"value": value})) == {"value": read}
