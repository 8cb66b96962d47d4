"""What the importer adds to DuckDB: a handful of SQL macros, and their handles for Ibis expressions."""

from __future__ import annotations

import inspect
from typing import Any

import ibis

from features.contracts import CONTACT_STATES
from features.contracts.places import known_zones

# DuckDB reads a wall-clock time that a daylight-saving change skips as moved forward by the gap, which is what
# is wanted, but one that occurs twice as the second. The offset of the day before gives the first: it is right
# where it leads back to the same wall-clock time.
_FROM_LOCAL = """
CREATE OR REPLACE MACRO from_local(wall, zone) AS
  CASE WHEN timezone(zone, timezone(zone, wall - INTERVAL 24 HOURS) + INTERVAL 24 HOURS) = wall
       THEN timezone(zone, wall - INTERVAL 24 HOURS) + INTERVAL 24 HOURS
       ELSE timezone(zone, wall) END
"""

# 32 bits of an MD5 as a number in [0, 1): the same on every machine.
_KEYED_SHARE = """
CREATE OR REPLACE MACRO keyed_share(key, text) AS
  CAST('0x' || substr(md5(key || ':' || text), 1, 8) AS BIGINT) / 4294967296.0
"""

# mode() breaks ties by arrival, which threads reorder; here the smallest of the most common wins.
_MOST_COMMON = """
CREATE OR REPLACE MACRO most_common(x) AS
  list_sort(list_transform(
    map_entries(histogram(x)), lambda e: {'n': -CAST(e.value AS BIGINT), 'k': e.key}
  ))[1].k
"""

# A sum of doubles hangs on their order, which threads change: the smallest first is one order for all.
_STEADY_SUM = """
CREATE OR REPLACE MACRO steady_sum(x) AS list_sum(list_sort(list(x)))
"""

# DuckDB reads NaN, Infinity and numbers beyond a double in JSON; the contract refuses what is not finite.
_FLAT_OBJECT = """
CREATE OR REPLACE MACRO flat_object(text) AS
  json_valid(text) AND json_type(CASE WHEN json_valid(text) THEN text END) = 'OBJECT'
  AND coalesce(list_bool_and(list_transform(
    json_extract(CASE WHEN json_valid(text) THEN text END, '$.*'),
    lambda v: CASE json_type(v)
      WHEN 'OBJECT' THEN false WHEN 'ARRAY' THEN false
      WHEN 'DOUBLE' THEN regexp_full_match(CAST(v AS VARCHAR), '-?[0-9]+')
        OR coalesce(isfinite(TRY_CAST(CAST(v AS VARCHAR) AS DOUBLE)), false)
      ELSE true END
  )), true)
"""

_CONTACTS = f"""
CREATE OR REPLACE MACRO contact_states(text) AS
  flat_object(text)
  AND coalesce(list_bool_and(list_transform(
    json_keys(CASE WHEN json_valid(text) THEN text END),
    lambda k: regexp_full_match(k, '[a-z][a-z0-9_]{{0,31}}')
  )), true)
  AND coalesce(list_bool_and(list_transform(
    json_extract(CASE WHEN json_valid(text) THEN text END, '$.*'),
    lambda v: json_type(v) = 'VARCHAR' AND list_contains({list(CONTACT_STATES)}, v ->> '$')
  )), true)
"""

# In SQL rather than as an Ibis list: six hundred literals take Ibis longer to write than DuckDB to look through.
_KNOWN_ZONE = f"""
CREATE OR REPLACE MACRO known_zone(name) AS list_contains({sorted(known_zones())}, name)
"""

# Bytes that are no UTF-8 are null; DuckDB's own cast would write them as escapes.
_BLOB_TEXT = "CREATE OR REPLACE MACRO blob_text(bytes) AS TRY(decode(bytes))"

_MACROS = (_FROM_LOCAL, _KEYED_SHARE, _MOST_COMMON, _STEADY_SUM, _FLAT_OBJECT, _CONTACTS, _KNOWN_ZONE, _BLOB_TEXT)

_MOMENT = "timestamp('UTC')"


def define_macros(connection: Any) -> None:
    """Define the macros on an Ibis DuckDB connection."""
    for macro in _MACROS:
        connection.raw_sql(macro)


def _handle(make: Any, name: str, arguments: dict[str, Any], returns: str) -> Any:
    def stand_in() -> None:
        """Stand for a function that DuckDB has and Ibis does not know."""

    parameters = [inspect.Parameter(a, inspect.Parameter.POSITIONAL_OR_KEYWORD) for a in arguments]
    vars(stand_in)["__signature__"] = inspect.Signature(parameters)  # where Ibis looks
    return make(stand_in, name=name, signature=(tuple(arguments.values()), returns))


_scalar = ibis.udf.scalar.builtin

from_local = _handle(_scalar, "from_local", {"wall": "timestamp", "zone": "string"}, _MOMENT)
"""A wall-clock time in a zone as a moment: in a gap moved forward by it, the first of two."""
keyed_share = _handle(_scalar, "keyed_share", {"key": "string", "text": "string"}, "float64")
flat_object = _handle(_scalar, "flat_object", {"text": "string"}, "boolean")
"""Whether a text is a JSON object of single, finite values."""
contact_states = _handle(_scalar, "contact_states", {"text": "string"}, "boolean")
"""Whether a text is a JSON object of channels and contact states."""
from_micros = _handle(_scalar, "make_timestamptz", {"micros": "int64"}, _MOMENT)
"""Microseconds since 1970 as a moment."""
try_strptime = _handle(_scalar, "try_strptime", {"text": "string", "format": "string"}, "timestamp")
known_zone = _handle(_scalar, "known_zone", {"text": "string"}, "boolean")
"""Whether a text is the name of an IANA zone."""
blob_text = _handle(_scalar, "blob_text", {"bytes": "binary"}, "string")
"""Bytes as the text they say in UTF-8; null where they say none."""
json_text = _handle(_scalar, "json_extract_string", {"json": "string", "pointer": "string"}, "string")
"""What stands at a JSON pointer, as text."""
json_structure = _handle(ibis.udf.agg.builtin, "json_group_structure", {"json": "json"}, "string")
"""The keys of all JSON objects together, each with its type, as JSON."""
json_kind = _handle(_scalar, "json_type", {"json": "string", "pointer": "string"}, "string")
"""What kind of value stands at a JSON pointer, in DuckDB's words."""
most_common_text = _handle(ibis.udf.agg.builtin, "most_common", {"x": "string"}, "string")
"""The most common text; of several the smallest."""
steady_sum = _handle(ibis.udf.agg.builtin, "steady_sum", {"x": "float64"}, "float64")
"""The sum of doubles, to the last bit the same whatever the order of the rows."""


def to_json(value: Any) -> Any:
    """Return an Ibis value (a struct, for an object) as JSON text."""
    handle = _handle(_scalar, "to_json", {"value": value.type()}, "json")
    return handle(value).cast("string")


def pointer(name: str) -> str:
    """Return where a member of a JSON object lies, as a pointer."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def as_written(json: Any, name: str) -> Any:
    """Return a member of a JSON object as text; a number without a fraction is its digits: 124.0 is 124."""
    where = ibis.literal(pointer(name))
    text, number = json_text(json, where), json_kind(json, where) == "DOUBLE"
    return ibis.cases(
        (text.endswith(".0") & number, text.substr(0, text.length() - 2)),
        (text.isin(["NaN", "Infinity", "-Infinity"]) & number, ibis.null("string")),
        else_=text,
    )


def rounded(json: Any, name: str) -> Any:
    """Return where a member of a JSON object is a number, not of digits alone, that a double may have rounded."""
    where = ibis.literal(pointer(name))
    text, number = json_text(json, where), json_kind(json, where) == "DOUBLE"
    plain = text.re_search(r"^(-?[0-9]+|NaN|-?Infinity)$")
    return number & ~plain & (text.try_cast("float64").abs() > 2**53 - 1).fill_null(False)


def json_object(members: dict[str, Any]) -> Any:
    """Return an object of Ibis values as JSON text; keys may be equal but for case, as no structure's may."""
    keyed = [part for key, value in members.items() for part in (ibis.literal(key), value)]
    handle = _handle(_scalar, "json_object", {f"m{n}": part.type() for n, part in enumerate(keyed)}, "json")
    return handle(*keyed).cast("string")


def without_nulls(json: Any) -> Any:
    """Return a JSON object without its null members, which say nothing."""
    patch = _handle(_scalar, "json_merge_patch", {"onto": "string", "json": "string"}, "json")
    return patch(ibis.literal("{}"), json).cast("string")


def plain_json(text: Any) -> Any:
    """Return JSON text as DuckDB writes it: without the trailing commas it tolerates, null where it is no JSON."""
    valid = _handle(_scalar, "json_valid", {"text": "string"}, "boolean")
    write = _handle(_scalar, "json", {"text": "string"}, "json")
    return ibis.ifelse(valid(text), write(text).cast("string"), text)
