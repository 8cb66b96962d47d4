"""Judge each grant by what the ledger knew when it was made."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo
from math import inf
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from pipelines.recount.rows import ENDED, History, Message, Send, histories
from pipelines.recount.rules import PROMISES, Promise, Rules
from pipelines.recount.windows import crowded, moment, overrun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_QUARTER = timedelta(minutes=15)
_SCOPES = ("channel", "category", "offer_id", "campaign_id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """One broken promise."""

    promise: Promise
    decision_id: str
    rule: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was judged, and every violation found."""

    customers: int
    sends: int
    violations: tuple[Violation, ...]

    @property
    def counts(self) -> dict[Promise, int]:
        """Violations by promise; a promise that was kept counts 0."""
        found = Counter(each.promise for each in self.violations)
        return {promise: found[promise] for promise in PROMISES}


def recount(url: str, rules: Rules) -> Report:
    """Judge every decision to send in the ledger at ``url`` (a SQLAlchemy URL)."""
    customers = sends = 0
    found: list[Violation] = []
    for _, history in histories(url):
        customers += 1
        sends += len(history.sends)
        for send in history.sends:
            found += [
                Violation(promise=what, decision_id=send.decision_id, rule=rule)
                for what, rule in _judge(send, history, rules)
            ]
    return Report(customers=customers, sends=sends, violations=tuple(found))


def _judge(send: Send, history: History, rules: Rules) -> Iterator[tuple[Promise, str]]:
    others = [each.message for each in history.sends if each is not send] + history.foreign
    seq = send.message.known
    standing = (
        [each for each in others if each.standing(seq)] if seq < inf else [e for e in others if e.ended == inf]
    )
    zones = _zones(send, history, rules)
    yield from (("caps", rule) for rule in _caps(send.message, standing, seq, zones, rules))
    yield from (("gaps", rule) for rule in _gaps(send.message, standing, seq, rules))
    yield from (("quiet", rule) for rule in _quiet(send, zones, rules))
    yield from (("consent", rule) for rule in _consent(send, history, rules))
    yield from _protocol(send)


# Caps and gaps


def _caps(
    message: Message, standing: Sequence[Message], seq: float, zones: Sequence[tzinfo], rules: Rules
) -> Iterator[str]:
    for cap in rules.caps:
        if _counts(cap, message):
            times = [each.as_known(seq) for each in standing if _counts(cap, each)]
            if overrun(cap, message.at, times, zones):
                yield f"{cap['limit']} per {cap['window']}"


def _counts(cap: Mapping[str, Any], message: Message) -> bool:
    if message.purpose not in cap.get("purposes", ("marketing",)):
        return False
    return all(cap.get(name) in (None, getattr(message, name)) for name in _SCOPES)


def _gaps(message: Message, standing: Sequence[Message], seq: float, rules: Rules) -> Iterator[str]:
    if message.purpose not in rules.gap_purposes:
        return
    for hours, channel in rules.gaps:
        if channel in (None, message.channel):
            near = [
                each.as_known(seq)
                for each in standing
                if each.purpose in rules.gap_purposes and channel in (None, each.channel)
            ]
            if crowded(message.at, near, limit=1, seconds=hours * 3_600):
                yield f"{hours:g} h between messages" + (f" on {channel}" if channel else "")


# Quiet hours


def _zones(send: Send, history: History, rules: Rules) -> list[tzinfo]:
    """Return where the customer may live: their zone, or, if it changed since, the offset of that time."""
    if history.zone is None:
        names = rules.zones.get(history.country or "", () if history.country else rules.anywhere)
        return [ZoneInfo(name) for name in names]
    zone, promised = ZoneInfo(history.zone), _offset(send.local)
    if promised is None or moment(send.message.at).astimezone(zone).utcoffset() == promised:
        return [zone]
    return [timezone(promised)]


def _offset(local: str | None) -> timedelta | None:
    return datetime.fromisoformat(local).utcoffset() if local else None


def _quiet(send: Send, zones: Sequence[tzinfo], rules: Rules) -> Iterator[str]:
    message = send.message
    if message.purpose in rules.quiet_passes:
        return
    for rule in rules.quiet:
        purposes = rule.get("purposes", ("marketing", "service", "transactional"))
        on_channel = not rule.get("channels") or message.channel in rule["channels"]
        if on_channel and message.purpose in purposes and _touches(send, rule, zones):
            yield f"quiet from {rule['from_hour']} until {rule['until_hour']}"


def _touches(send: Send, rule: Mapping[str, Any], zones: Sequence[tzinfo]) -> bool:
    return any(
        _is_quiet(each.astimezone(zone).hour, rule["from_hour"], rule["until_hour"])
        for each in _quarters(send.message.at, send.expires_at)
        for zone in zones
    )


def _is_quiet(hour: int, start: int, end: int) -> bool:
    return start <= hour < end if start <= end else hour >= start or hour < end


def _quarters(start: int, end: int) -> Iterator[datetime]:
    """Yield the first and last moment of [start, end) and the quarter-hours between: clocks change on those."""
    yield moment(start)
    at, last = moment(start), moment(end - 1)
    at = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0) + _QUARTER
    while at < last:
        yield at
        at += _QUARTER
    yield last


# Consent and protocol


def _consent(send: Send, history: History, rules: Rules) -> Iterator[str]:
    granted = send.message.known
    status = _status(send, history, granted, send.decided_at)
    if status == "withdrawn" or (status is None and send.message.purpose in rules.opt_in):
        yield f"decided with consent {status or 'never given'}"
    asked = min(send.of("confirmed", "sent_unconfirmed"), default=inf)  # infinite: behind the audit's back
    given = send.state == "confirmed" and not send.of("sent_unconfirmed")
    if given and _status(send, history, asked, send.confirmed_at or send.decided_at) == "withdrawn":
        yield "confirmed after the withdrawal"
    if send.state == "reserved" and _status(send, history, inf, send.decided_at) == "withdrawn":
        yield "still reserved after the withdrawal"


def _status(send: Send, history: History, seq: float, tick: int) -> str | None:
    """Return the journal's word known at entry ``seq``: the last by time; grants of the future do not count."""
    latest = None
    for row in history.consents:
        ours = row.channel == send.message.channel and row.purpose == send.message.purpose
        if ours and row.after_audit < seq and (row.status == "withdrawn" or row.at <= tick):
            latest = row.status
    return latest


def _protocol(send: Send) -> Iterator[tuple[Promise, str]]:
    confirms, ends = send.of("confirmed"), send.of(*ENDED)
    if len(confirms) > 1:
        yield "once", f"confirmed {len(confirms)} times"
    if confirms and ends and min(ends) < max(confirms):
        yield "once", "confirmed after its place was freed"
    if confirms and send.confirmed_at is not None and send.confirmed_at >= send.expires_at:
        yield "window", "confirmed after it expired"
    if not send.recorded:
        yield "whole", "decided without a record"
    if not send.of("reserved"):
        yield "whole", "decided without an entry in the audit"
    if send.state in ENDED and send.place in {"reserved", "confirmed"}:
        yield "whole", f"{send.state}, and its place is still taken"
    if send.state not in ENDED and send.place is None:
        yield "whole", f"{send.state}, and its place is gone"
