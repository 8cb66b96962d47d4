"""Policy and catalogue against each other and against what the lake holds, before anything is decided by them."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import duckdb

from decisions.checking import Finding, Seen, look, open_names
from decisions.documents import DocumentError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from decisions.catalogue import Catalogue
    from decisions.policy import Policy
    from runtime.settings import Settings

_LOOKED_AT = 100_000
"""Customers and purchases that are looked at for names; one that is not among theirs is sought in all."""

_NAMES = (
    "SELECT DISTINCT unnest(json_keys(attributes)) FROM (SELECT attributes FROM read_parquet($files) LIMIT $most)"
)
_HAS = "SELECT 1 FROM read_parquet($files) WHERE list_contains(json_keys(attributes), $name) LIMIT 1"
_ANYBODY = "SELECT 1 FROM read_parquet($files) LIMIT 1"
_CATEGORIES = """
SELECT DISTINCT json_extract_string(properties, '$.category')
FROM (SELECT properties FROM read_parquet($files) WHERE type = 'purchased' LIMIT $most)
"""


def check_deployment(settings: Settings, policy: Policy, catalogue: Catalogue) -> list[Finding]:
    """Return what is wrong with policy and catalogue, errors first; nothing is changed."""
    names = {"policy": str(settings.policy), "catalogue": str(settings.catalogue)}
    found = look(policy, catalogue, seen_in(settings.lake, open_names(policy, catalogue)))
    return [Finding(level=each.level, file=names[each.file], where=each.where, what=each.what) for each in found]


def refuse_unsound(settings: Settings, policy: Policy, catalogue: Catalogue) -> list[Finding]:
    """Return the warnings.

    Raises:
        DocumentError: listing the errors, where there are any.
    """
    findings = check_deployment(settings, policy, catalogue)
    if errors := [str(each) for each in findings if each.level == "error"]:
        raise DocumentError("\n".join([*errors, "mend this first; `kairos check` says all that it finds"]))
    return findings


def seen_in(lake: Path, named: Iterable[str]) -> Seen:
    """Return what the customers in the lake have; every name of ``named`` is sought in all of them.

    Read without the lake's own reader, which takes seconds to load: of names alone, a file that a writer was
    killed over tells no less. A lake that is being rewritten just now is not looked into.
    """
    customers, events = _files(lake / "customers"), _files(lake / "events")
    with suppress(duckdb.IOException), duckdb.connect() as connection:
        attributes: set[str] = set()
        anybody = bool(customers and _ask(connection, _ANYBODY, files=customers))
        if anybody:
            attributes |= _ask(connection, _NAMES, files=customers, most=_LOOKED_AT)
            missing = sorted(set(named) - attributes)
            attributes |= {name for name in missing if _ask(connection, _HAS, files=customers, name=name)}
        bought = _ask(connection, _CATEGORIES, files=events, most=_LOOKED_AT) if events else set()
        return Seen(
            attributes=frozenset(attributes), anybody=anybody, categories=frozenset(bought - {None}) or None
        )
    return Seen()


def _files(folder: Path) -> list[str]:
    return sorted(map(str, folder.glob("**/*.parquet")))


def _ask(connection: duckdb.DuckDBPyConnection, query: str, **given: object) -> set[str]:
    return {value for (value,) in connection.execute(query, given).fetchall()}
