"""What the lake holds against what it promises: every row in its folder, every id once, every file there.

Nothing here trusts the code that writes. Where a row belongs is worked out anew from the customers' own rows.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from features.contracts import CUSTOMER_SCHEMA, EVENT_SCHEMA
from features.lake.manifest import KINDS, unnamed
from features.lake.placing import DIRECTORY_SCHEMA, fetch, show
from features.quoting import sql_text

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from features.lake.manifest import Manifest
    from features.whose import Tombstones

_SCHEMAS = {"events": EVENT_SCHEMA, "customers": CUSTOMER_SCHEMA, "households": DIRECTORY_SCHEMA}
_FILE = re.compile(r"^(?P<kind>\w+)/bucket=(?P<bucket>\d+)/(month=(?P<month>[^/]+)/)?part-(?P<part>\d+)\.parquet$")
_FILES = pa.schema(
    [("filename", pa.string()), ("bucket", pa.int64()), ("month", pa.string()), ("part", pa.int64())]
)

# Of two rows of a customer the later one stands; a household's bucket is that of its members.
_HOMES = """
CREATE OR REPLACE TEMP TABLE homes AS
SELECT customer_id, household_id, bucket_of(customer_id, $buckets) AS own,
  bucket_of(coalesce(household_id, customer_id), $buckets) AS home
FROM customers QUALIFY row_number() OVER (PARTITION BY customer_id ORDER BY part DESC, file_row_number DESC) = 1
"""

# Of equal ids the first to come stands: parts are numbered as they are written.
_DOUBLED = """
CREATE OR REPLACE TEMP TABLE doubled AS
SELECT filename, file_row_number FROM events
SEMI JOIN (SELECT event_id FROM events GROUP BY event_id HAVING count(*) > 1) USING (event_id)
QUALIFY row_number() OVER (PARTITION BY event_id ORDER BY part, file_row_number) > 1
"""

_ASTRAY = """
CREATE OR REPLACE TEMP TABLE astray AS
SELECT filename, file_row_number, customer_id, bucket AS lies, month AS lies_in,
  coalesce(home, bucket_of(customer_id, $buckets)) AS belongs, strftime(occurred_at, '%Y-%m') AS belongs_in
FROM events LEFT JOIN homes USING (customer_id)
WHERE bucket <> coalesce(home, bucket_of(customer_id, $buckets)) OR month <> strftime(occurred_at, '%Y-%m')
"""

_COUNTS = """
SELECT
  (SELECT count(*) FROM events) AS events,
  (SELECT count(*) FROM homes) AS customers,
  (SELECT count(*) FROM astray WHERE lies <> belongs) AS in_wrong_bucket,
  (SELECT count(*) FROM astray WHERE lies_in <> belongs_in) AS in_wrong_month,
  (SELECT count(*) FROM astray) AS misfiled,
  (SELECT count(*) FROM doubled) AS doubled_events,
  (SELECT count(*) FROM (SELECT customer_id FROM events GROUP BY customer_id HAVING count(DISTINCT bucket) > 1))
    AS scattered_customers,
  (SELECT count(*) FROM customers) - (SELECT count(*) FROM homes) AS doubled_customers,
  (SELECT count(*) FROM customers JOIN homes USING (customer_id) WHERE bucket <> home) AS misfiled_customers,
  (SELECT count(*) FROM (
    (SELECT customer_id, household_id, bucket FROM households
     EXCEPT ALL SELECT customer_id, household_id, own FROM homes WHERE home <> own)
    UNION ALL
    (SELECT customer_id, household_id, own FROM homes WHERE home <> own
     EXCEPT ALL SELECT customer_id, household_id, bucket FROM households)
  )) AS wrong_households
"""

_PEOPLE = "SELECT customer_id FROM events UNION SELECT customer_id FROM customers ORDER BY customer_id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """How many rows there are, and everything that is not as it should be.

    Counts are rows unless they say people. ``misfiled`` events lie in another bucket or month than their own
    (``in_wrong_bucket``, ``in_wrong_month``, some in both); ``scattered_customers`` are people whose events lie in
    several buckets; ``doubled_*`` rows repeat an id; ``wrong_households`` are entries of the households' directory
    too many or too few; ``erased`` are people whom the ledger has forgotten and the lake has not. Of files,
    relative to the lake, ``missing`` are named and not there, ``broken`` cannot be read as what they should hold
    (a folder in a file's place, a column of another type, a row without what every row has), ``unnamed`` were left
    by killed writes.
    """

    events: int
    customers: int
    misfiled: int
    in_wrong_bucket: int
    in_wrong_month: int
    doubled_events: int
    scattered_customers: int
    doubled_customers: int
    misfiled_customers: int
    wrong_households: int
    erased: int
    missing: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    unnamed: tuple[str, ...] = ()

    @property
    def faults(self) -> dict[str, int]:
        """What is wrong, by name, where there is any of it."""
        names = (
            "misfiled",
            "doubled_events",
            "scattered_customers",
            "doubled_customers",
            "misfiled_customers",
            "wrong_households",
            "erased",
        )
        counted = {name: getattr(self, name) for name in names}
        files = {f"{name}_files": len(getattr(self, name)) for name in ("missing", "broken", "unnamed")}
        return {name: count for name, count in {**counted, **files}.items() if count}


@dataclass(frozen=True, slots=True)
class Look:
    """A lake laid out on a connection as the tables that :class:`Findings` are counted from."""

    findings: Findings
    gone: frozenset[str]
    """Erased people of whom there still is something."""


def look(connection: Any, root: Path, manifest: Manifest, *, buckets: int, erased: Tombstones) -> Look:
    """Read the whole lake once and return what is found; the tables ``astray``, ``doubled`` and ``homes`` stay."""
    missing = [file for kind in KINDS for file in manifest.files(kind) if not (root / file).exists()]
    broken = _unreadable(root, manifest, missing, read=_read_ends)
    try:
        _lay_out(connection, root, manifest, [*missing, *broken], buckets=buckets)
    except duckdb.Error:  # a file whose end is whole and whose middle is not
        broken = _unreadable(root, manifest, missing, read=_read_whole)
        _lay_out(connection, root, manifest, [*missing, *broken], buckets=buckets)
    gone = frozenset(erased(fetch(connection, _PEOPLE)["customer_id"].to_pylist()))
    (counts,) = fetch(connection, _COUNTS).to_pylist()
    found = Findings(
        **counts,
        erased=len(gone),
        missing=tuple(missing),
        broken=tuple(broken),
        unnamed=tuple(unnamed(root, manifest)),
    )
    return Look(found, gone)


def _unreadable(
    root: Path, manifest: Manifest, missing: list[str], *, read: Callable[[Path, pa.Schema], bool]
) -> list[str]:
    there = ((kind, file) for kind in KINDS for file in manifest.files(kind) if file not in missing)
    return [file for kind, file in there if not _is_readable(root / file, _SCHEMAS[kind], read)]


def _is_readable(path: Path, schema: pa.Schema, read: Callable[[Path, pa.Schema], bool]) -> bool:
    try:
        return read(path, schema)
    except (pa.ArrowException, OSError):
        return False


def _read_ends(path: Path, schema: pa.Schema) -> bool:
    """Tell whether the file has every column in its type, and none without values where each row has one.

    Counts of what is missing stand at the end of a file; where they do not, the column itself is read.
    """
    with pq.ParquetFile(path) as file:
        held = file.schema_arrow
        if any(_count(held, field.name) != 1 or held.field(field.name).type != field.type for field in schema):
            return False
        return not any(_has_nulls(file, name) for name in _always_there(schema))


def _count(schema: pa.Schema, name: str) -> int:
    return len(schema.get_all_field_indices(name))


def _always_there(schema: pa.Schema) -> list[str]:
    # The directory's columns say nothing of nulls: it is written from customers who have a household.
    return [field.name for field in schema if not field.nullable or schema is DIRECTORY_SCHEMA]


def _has_nulls(file: pq.ParquetFile, name: str) -> bool:
    place = file.schema_arrow.get_field_index(name)
    groups = (file.metadata.row_group(number) for number in range(file.metadata.num_row_groups))
    told = [group.column(place).statistics for group in groups]
    if all(each is not None and each.has_null_count for each in told):
        return any(each.null_count for each in told)
    return bool(file.read([name])[name].null_count)


def _read_whole(path: Path, _: pa.Schema) -> bool:
    with pq.ParquetFile(path) as file:
        file.read()
    return True


def _lay_out(connection: Any, root: Path, manifest: Manifest, without: list[str], *, buckets: int) -> None:
    for kind in KINDS:
        _show_rows(connection, root, kind, [file for file in manifest.files(kind) if file not in without])
    connection.execute(_HOMES, {"buckets": buckets})
    connection.execute(_DOUBLED)
    connection.execute(_ASTRAY, {"buckets": buckets})


def _show_rows(connection: Any, root: Path, kind: str, files: list[str]) -> None:
    """Create the view ``kind``: its rows, with the file, its number, and what its folder says of them."""
    columns = ", ".join(_SCHEMAS[kind].names)
    show(connection, **{f"{kind}_files": _placed(root, files)})
    if not files:
        show(connection, **{f"no_{kind}": _SCHEMAS[kind].empty_table()})
        rows = f"SELECT *, '' AS filename, 0::BIGINT AS file_row_number FROM no_{kind}"  # noqa: S608 - our own names
    else:
        listed = ", ".join(sql_text(root / file) for file in files)
        options = "hive_partitioning = false, union_by_name = true, filename = true, file_row_number = true"
        rows = f"SELECT * FROM read_parquet([{listed}], {options})"  # noqa: S608 - paths are quoted
    connection.execute(
        f"CREATE OR REPLACE TEMP VIEW {kind} AS "  # noqa: S608 - our own names
        f"SELECT {columns}, filename, file_row_number, bucket, month, part FROM ({rows}) "
        f"JOIN {kind}_files USING (filename)"
    )


def _placed(root: Path, files: list[str]) -> pa.Table:
    found = [(str(root / file), _FILE.match(file)) for file in files]
    rows = [
        {"filename": name, "bucket": int(part["bucket"]), "month": part["month"], "part": int(part["part"])}
        for name, part in found
        if part
    ]
    return pa.Table.from_pylist(rows, schema=_FILES)
