"""Countries and time zones: those that are, by the tz database, and that every engine knows."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

_NO_PLACE = frozenset({"Factory", "localtime", "posixrules"})
"""Names for "this machine" or "not set": what they show hangs on where Kairos runs, if it shows anything."""

OTHER_CODES = {"UK": "GB", "EL": "GR"}
"""Codes in wide use for countries that have another in ISO 3166."""
_IN_USE = frozenset({"XK"})
"""Codes that are no part of ISO 3166 but used as if: XK is Kosovo."""


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Return the names of the tz database.

    DuckDB and :mod:`zoneinfo` both know them, and nothing else counts as a zone: not ``localtime``, not a path.
    """
    listed = (files("tzdata") / "zones").read_text(encoding="utf-8").split()
    return frozenset(listed) - _NO_PLACE


@lru_cache(maxsize=1)
def known_countries() -> frozenset[str]:
    """Return the codes of ISO 3166, and ``XK``."""
    text = (files("tzdata") / "zoneinfo" / "iso3166.tab").read_text(encoding="utf-8")
    return _IN_USE | {line.split("\t")[0] for line in text.splitlines() if line and not line.startswith("#")}
