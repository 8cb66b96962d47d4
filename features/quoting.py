"""Names and texts quoted for SQL, as DuckDB and SQLite read it."""

from __future__ import annotations


def sql_name(name: str) -> str:
    """Return a name as SQL has it.

    >>> print(sql_name('inch (")'))
    "inch ("")"
    """
    return '"' + name.replace('"', '""') + '"'


def sql_text(text: object) -> str:
    """Return a text (or what shows as one, like a path) as SQL has it; None is NULL.

    >>> print(sql_text("it's"), sql_text(None))
    'it''s' NULL
    """
    return "NULL" if text is None else "'" + str(text).replace("'", "''") + "'"
