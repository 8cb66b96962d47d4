"""Consent, and the life of one decision: granted once, confirmed once and in time, its place kept or freed."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from pipelines.recount.history import CONFIRMED, ENDED, GRANTED, SENT_UNASKED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.recount.history import History, Send
    from pipelines.recount.rules import Promise, Rules


def consent(send: Send, history: History, rules: Rules) -> Iterator[tuple[Promise, str]]:
    """Yield each moment at which consent was wanting: at the grant, at the confirm, now if still reserved."""
    status = _status(send, history, send.message.known, send.decided_at)
    if status == "withdrawn" or (status is None and send.message.purpose in rules.opt_in):
        yield "consent", f"decided with consent {status or 'never given'}"
    asked = min(send.of(CONFIRMED, SENT_UNASKED), default=inf)  # infinite: behind the audit's back
    given = send.state == CONFIRMED and not send.of(SENT_UNASKED)
    if given and _status(send, history, asked, send.confirmed_at or send.decided_at) == "withdrawn":
        yield "consent", "confirmed after the withdrawal"
    # Of grants and withdrawals the newest counts, even one given after this was decided: it was asked for again.
    if send.state == GRANTED and _status(send, history, inf, inf) == "withdrawn":
        yield "consent", "still reserved after the withdrawal"


def _status(send: Send, history: History, seq: float, tick: float) -> str | None:
    """Return the journal's word known at entry ``seq``: the last by time; grants of the future do not count."""
    latest = None
    for row in history.consents:
        ours = row.channel == send.message.channel and row.purpose == send.message.purpose
        if ours and row.after_audit < seq and (row.status == "withdrawn" or row.at <= tick):
            latest = row.status
    return latest


def channel_wish(send: Send) -> Iterator[tuple[Promise, str]]:
    """Yield a message on a channel that the customer had switched off when it was decided."""
    wish = send.person.wish if send.person else {}
    if send.message.purpose != "transactional" and send.message.channel in wish.get("channels_off", ()):
        yield "wishes", "on a channel the customer switched off"


def life(send: Send) -> Iterator[tuple[Promise, str]]:
    """Yield what is wrong with the decision's own changes, its record and its place."""
    confirms, ends = send.of(CONFIRMED), send.of(*ENDED)
    if len(confirms) > 1:
        yield "once", f"confirmed {len(confirms)} times"
    if confirms and ends and min(ends) < max(confirms):
        yield "once", "confirmed after its place was freed"
    if confirms and send.confirmed_at is not None and send.confirmed_at >= send.expires_at:
        yield "window", "confirmed after it expired"
    if not send.recorded:
        yield "whole", "decided without a record"
    if not send.of(GRANTED):
        yield "whole", "decided without an entry in the audit"
    if send.state in ENDED and send.place in {GRANTED, CONFIRMED}:
        yield "whole", f"{send.state}, and its place is still taken"
    if send.state not in ENDED and send.place is None:
        yield "whole", f"{send.state}, and its place is gone"


def displacement(send: Send, history: History) -> Iterator[tuple[Promise, str]]:
    """Yield what is wrong with the place it took of another: that was unconfirmed, and free before the grant."""
    if send.state == "displaced" and not any(each.displaces == send.decision_id for each in history.sends):
        yield "displaced", "displaced by nobody"
    if send.displaces is None:
        return
    other = next((each for each in history.sends if each.decision_id == send.displaces), None)
    if other is None:
        yield "displaced", "took the place of a decision that is not the customer's"
    elif not min(other.of("displaced"), default=inf) < send.message.known:
        yield "displaced", "took a place that was not given up before"
    takers = [each.message.known for each in history.sends if each.displaces == send.displaces]
    if min(takers) < send.message.known:
        yield "displaced", "took a place that another had taken"
