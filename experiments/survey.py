"""What the lake knows of a plan before anything is compared: whom, what, in which money, until when."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import ibis
import pyarrow as pa
import pyarrow.compute as pc

from experiments.metrics import AFTER, BEFORE, inside, matching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from experiments.spec import AnalysisSpec, Measure, Metric
    from features.lake import EventSource

Key = tuple[str, str]
"""A metric's name and its part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What was found. Events of machines count nowhere."""

    last_event_at: datetime | None = None
    types: Counter[str] = field(default_factory=Counter)
    """Events of each type in the whole lake."""
    matching: Counter[Key] = field(default_factory=Counter)
    """Events in the whole lake that a measure sums, whoever did them and whenever."""
    valued: Counter[Key] = field(default_factory=Counter)
    """Those of them that have a value."""
    money: dict[tuple[str, str, str], Counter[str | None]] = field(default_factory=dict)
    """By metric, part and period: in which currencies the amounts are that would be summed."""
    unknown: pa.Table
    """The customers (``customer_id``, ``arm``) of whom the lake has no event and no row."""


def survey(spec: AnalysisSpec, customers: pa.Table, source: EventSource, connection: Any) -> Survey:
    """Look through ``source``, bucket by bucket, for what the plan and its ``customers`` need."""
    found = Survey(unknown=customers.select(["customer_id", "arm"]))
    last, known = found.last_event_at, [pa.array([], pa.string())]
    for bucket in range(source.buckets):
        events = source.events(connection, bucket)
        last = max(filter(None, (last, _count_events(spec, events, connection, found))), default=None)
        known += _seen(source, customers, events, bucket, connection)
        _count_money(spec, customers, events, connection, found)
    unknown = found.unknown.filter(
        pc.invert(pc.is_in(found.unknown["customer_id"], value_set=pa.concat_arrays(known)))
    )
    return Survey(
        last_event_at=last,
        types=found.types,
        matching=found.matching,
        valued=found.valued,
        money=found.money,
        unknown=unknown,
    )


def lookalikes(unknown: pa.Table, source: EventSource, connection: Any) -> tuple[int, tuple[str, str] | None]:
    """Return how many unknown ids the lake has but for zeros before, capitals, blanks or ``.0``, and one."""
    ids = ibis.memtable(unknown.select(["customer_id"]))
    ours = ids.select(ours=ids["customer_id"], plain=_plain(ids["customer_id"]))
    pairs: dict[str, str] = {}
    for bucket in range(source.buckets):
        for people in _people(source, source.events(connection, bucket), bucket, connection):
            theirs = people.select(theirs=people["customer_id"], plain=_plain(people["customer_id"]))
            found = connection.to_pyarrow(ours.inner_join(theirs, "plain").select("ours", "theirs"))
            for row in found.sort_by([("ours", "ascending"), ("theirs", "ascending")]).to_pylist():
                pairs[row["ours"]] = min(row["theirs"], pairs.get(row["ours"], row["theirs"]))
    return len(pairs), min(pairs.items(), default=None)


def why_not(metric: Metric, found: Survey) -> str | None:
    """Return why the metric must not be computed from this lake, or None where it may."""
    reasons = (_why_not(metric, part, measure, found) for part, measure in metric.parts)
    return next(filter(None, reasons), None)


def comparable_before(metric: Metric, found: Survey) -> bool:
    """Whether the time before the assignment sums the same one kind of money as the time after."""
    for part, measure in metric.parts:
        kinds = {c for period in (BEFORE, AFTER) for c in _counted(metric, part, measure, period, found)}
        if measure.what == "value" and len(kinds) > 1:
            return False
    return True


def money_notes(metric: Metric, found: Survey) -> tuple[str, ...]:
    """Return what a reader must know about the currencies of a metric that may be computed."""
    notes = []
    for part, measure in metric.parts:
        seen = found.money.get((metric.name, part, AFTER), Counter())
        if measure.currency is not None:
            others = Counter({each: n for each, n in seen.items() if each != measure.currency})
            if others:
                notes.append(f"amounts in other money than {measure.currency} are left out: {_listed(others)}")
        elif None in seen and len(seen) > 1:
            notes.append(f"amounts without a currency are summed as the plan's where says: {_listed(seen)}")
    return tuple(notes)


def _why_not(metric: Metric, part: str, measure: Measure, found: Survey) -> str | None:
    missing = [kind for kind in measure.events if not found.types[kind]]
    if len(missing) == len(measure.events):
        has = ", ".join(f"{kind} ({n:,})" for kind, n in sorted(found.types.items())) or "no event at all"
        return f"the lake has no {' or '.join(missing)} event: it has {has}"
    if not found.matching[metric.name, part]:
        limits = [f"with {measure.where}"] * (measure.where is not None)
        limits += [f"in {measure.currency}"] * (measure.currency is not None)
        return f"no {' or '.join(measure.events)} event of the lake is {' and '.join(limits)}"
    if measure.what == "value" and not found.valued[metric.name, part]:
        return f"no {' or '.join(measure.events)} event of the lake has a value"
    kinds = _counted(metric, part, measure, AFTER, found)
    if len(kinds) > 1 and not (None in kinds and len(kinds) == 2 and _says_currency(measure)):  # noqa: PLR2004
        return (
            f"it would sum money in several currencies ({_listed(kinds)}): give the measure a currency, like "
            f"currency: {min(filter(None, kinds))}, or a metric for each"
        )
    return None


def _counted(metric: Metric, part: str, measure: Measure, period: str, found: Survey) -> Counter[str | None]:
    seen = found.money.get((metric.name, part, period), Counter())
    if measure.currency is None:
        return seen
    return Counter({each: n for each, n in seen.items() if each == measure.currency})


def _says_currency(measure: Measure) -> bool:
    return measure.condition is not None and "currency" in measure.condition.names


def _listed(kinds: Counter[str | None]) -> str:
    named = sorted(kinds.items(), key=lambda kind: (kind[0] is None, kind[0] or ""))
    return ", ".join(f"{kind or 'no currency named'}: {n:,} events" for kind, n in named)


def _count_events(spec: AnalysisSpec, events: Any, connection: Any, found: Survey) -> datetime | None:
    """Count types and matches; return when the last event happened: a machine's too says how far the lake goes."""
    human = ~events.automated
    measured = {
        f"{at}": (matching(events, measure), measure.what == "value")
        for at, (_, _, measure) in enumerate(spec.measures)
    }
    counts = {f"n{at}": (matches & human).sum() for at, (matches, _) in measured.items()}
    counts |= {f"v{at}": (matches & human & events.value.notnull()).sum() for at, (matches, _) in measured.items()}
    by_type = events.group_by("type").aggregate(last=events.occurred_at.max(), human=human.sum(), **counts)
    rows = connection.to_pyarrow(by_type).to_pylist()
    for row in rows:
        if row["human"]:
            found.types[row["type"]] += row["human"]
        for at, (metric, part, _) in enumerate(spec.measures):
            found.matching[metric.name, part] += row[f"n{at}"] or 0
            found.valued[metric.name, part] += row[f"v{at}"] or 0
    return max((row["last"].astimezone(UTC) for row in rows), default=None)


def _count_money(spec: AnalysisSpec, customers: pa.Table, events: Any, connection: Any, found: Survey) -> None:
    """Count the currencies of the amounts that are summed; one of 0 says nothing about its money."""
    amounts = [each for each in spec.measures if each[2].what == "value"]
    if not amounts:
        return
    worth = events.filter(~events.automated & (events.value.fill_null(0.0) != 0.0))
    joined = worth.inner_join(ibis.memtable(customers), "customer_id")
    for metric, part, measure in amounts:
        for period in (AFTER, BEFORE):
            summed = matching(joined, measure, any_currency=True) & inside(joined, spec, metric, period)
            counted = joined.filter(summed).group_by("currency").aggregate(n=ibis._.count())
            for row in connection.to_pyarrow(counted).to_pylist():
                seen = found.money.setdefault((metric.name, part, period), Counter())
                seen[row["currency"]] += row["n"]


def _seen(source: EventSource, customers: pa.Table, events: Any, bucket: int, connection: Any) -> list[pa.Array]:
    compared = ibis.memtable(customers)
    return [
        connection.to_pyarrow(people.semi_join(compared, "customer_id"))["customer_id"].combine_chunks()
        for people in _people(source, events, bucket, connection)
    ]


def _people(source: EventSource, events: Any, bucket: int, connection: Any) -> Iterator[Any]:
    yield events.select("customer_id").distinct()
    if hasattr(source, "customers"):  # the lake knows people to whom nothing ever happened
        yield source.customers(connection, bucket).select("customer_id").distinct()


def _plain(ids: Any) -> Any:
    return ids.strip().lower().re_replace(r"\.0+$", "").re_replace("^0+", "")
