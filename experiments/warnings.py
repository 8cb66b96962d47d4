"""What a reader must know before any effect: who is unknown, odd or early, and what of it can be mended."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow.compute as pc

from experiments.metrics import NAMED
from experiments.survey import Survey, lookalikes, why_not
from features.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pyarrow as pa

    from experiments.metrics import Exposed
    from experiments.records import SampleRatio
    from experiments.spec import AnalysisSpec
    from features.lake import EventSource


def warnings_of(
    spec: AnalysisSpec,
    who: Exposed,
    found: Survey,
    sample_ratio: SampleRatio,
    events: EventSource,
    connection: Any,
    reach: datetime | None,
) -> tuple[str, ...]:
    """Return the warnings, the gravest first."""
    return (
        *_unknown(who, found, events, connection),
        *_ratio(sample_ratio),
        *_metrics(spec, found),
        *_gap(spec, who, found, reach),
        *_arms(spec, who),
        *_several(who),
    )


def windows_end(spec: AnalysisSpec, customers: pa.Table) -> datetime | None:
    """Return when the last customer's slowest window is over."""
    last: datetime | None = pc.max(customers["assigned_at"]).as_py()
    return last and last + timedelta(days=spec.days)


def _unknown(who: Exposed, found: Survey, events: EventSource, connection: Any) -> Iterator[str]:
    unknown = found.unknown
    if not unknown.num_rows:
        return
    arms = ", ".join(f"{arm}: {n:,}" for arm, n in sorted(Counter(unknown["arm"].to_pylist()).items()))
    text = f"the lake knows nothing of {unknown.num_rows:,} of {who.table.num_rows:,} customers ({arms})"
    similar, example = lookalikes(unknown, events, connection)
    if example:
        yield (
            f"{text}; {similar:,} of them are there but for leading zeros, capitals, blanks or a .0 at the end: "
            f"{example[0]!r} is here, the lake has {example[1]!r}. Give the ids as they were imported"
        )
    else:
        some = ", ".join(map(repr, sorted(unknown["customer_id"].to_pylist())[:NAMED]))
        yield (
            f"{text}, such as {some}: they count as customers who did nothing. If that is what they did, import "
            "them as customers; if not, look at the ids"
        )


def _ratio(sample_ratio: SampleRatio) -> Iterator[str]:
    if sample_ratio.verdict == "suspicious":
        yield (
            f"the sample ratio is suspicious (p = {sample_ratio.p_value:.2g}): look for a leak before trusting an "
            "effect"
        )


def _metrics(spec: AnalysisSpec, found: Survey) -> Iterator[str]:
    for metric in spec.metrics:
        if reason := why_not(metric, found):
            yield f"{metric.name} is not computed: {reason}"


def _gap(spec: AnalysisSpec, who: Exposed, found: Survey, reach: datetime | None) -> Iterator[str]:
    end = windows_end(spec, who.table)
    if end is None:
        return
    last = found.last_event_at
    if last is None:
        yield "the lake has no event"
    elif reach is not None and reach < end:
        left_out = who.excluded.get("window_not_over", 0)
        beyond = "the events are looked at until" if reach != last else "the lake's last event is of"
        yield (
            f"{beyond} {_moment(reach)}, the last outcome window ends on {_moment(end)}: {left_out:,} customers "
            f"whose window ({spec.days} days) is not over are left out. Import what happened since; where nothing "
            "did, say until when the events are complete (--until)"
        )
    elif last < end:
        yield (
            f"the lake's last event is of {_moment(last)}, the last outcome window ends on {_moment(end)}: that "
            "nothing happened in between is taken from until"
        )


def _arms(spec: AnalysisSpec, who: Exposed) -> Iterator[str]:
    for arm, n in who.strangers.items():
        yield f"arm {arm!r} of {n:,} customers is not in the plan: {nearest(arm, spec.arms)}"


def _several(who: Exposed) -> Iterator[str]:
    if who.several:
        n = who.excluded["in_several_arms"]
        some = ", ".join(map(repr, who.several))
        yield f"{n:,} customers were in several arms and are left out, such as {some}"


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
