"""What is promised of all customers together: shared budgets are not overspent, a request has one answer."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from sqlalchemy import text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Connection

    from pipelines.recount.rulebook import Rulebook
    from pipelines.recount.rules import Promise

_DAY_TICKS = 86_400_000_000
# A displaced decision gave its place to another; transactional messages pass budgets.
_SPENT = text(
    "SELECT decided_at / :day AS day, CASE WHEN request_id LIKE 'plan:____-__-__:%' THEN substr(request_id, 1, 18)"
    " ELSE '' END AS plan, channel, policy_version, experiments, count(*) AS sends FROM decision"
    " WHERE action = 'send' AND purpose <> 'transactional' AND state <> 'displaced'"
    " GROUP BY 1, 2, channel, policy_version, experiments"
)
_ANSWERED_TWICE = text(
    "SELECT request_id, min(decision_id) AS decision_id, count(*) AS answers FROM decision"
    " GROUP BY request_id HAVING count(*) > 1"
)
_COUNTED_TWICE = text(
    "SELECT decision_id, count(*) AS places FROM pressure WHERE decision_id IS NOT NULL"
    " GROUP BY decision_id HAVING count(*) > 1"
)


class Spending(NamedTuple):
    """So many sends on a channel that some day of ``first`` … ``last`` paid for, each day allowing ``limit``."""

    first: date
    last: date
    sends: int
    limit: int


def once(connection: Connection) -> Iterator[tuple[Promise, str, str]]:
    """Yield promise, decision and rule of each request answered, and each decision counted, more than once."""
    for row in connection.execute(_ANSWERED_TWICE):
        yield "once", row.decision_id, f"its request was answered {row.answers} times"
    for row in connection.execute(_COUNTED_TWICE):
        yield "once", row.decision_id, f"it holds {row.places} places"


def overspent(connection: Connection, book: Rulebook) -> Iterator[tuple[Promise, str, str]]:
    """Yield each stretch of UTC days in which more was sent on a channel than its days allow together.

    A single decision is paid for by the day on which it is made, a plan's by any of the plan's days. By Hall's
    theorem all can be paid for if no stretch of days has to pay for more than it allows.
    """
    by_channel: defaultdict[str, list[Spending]] = defaultdict(list)
    for row in connection.execute(_SPENT, {"day": _DAY_TICKS}):
        limit = book.of(row.policy_version, None, row.experiments).budgets.get(row.channel)
        if limit is not None:
            by_channel[row.channel].append(Spending(*_days(row), row.sends, limit))
    for channel, spent in sorted(by_channel.items()):
        yield from (("budgets", "", f"{channel}: {rule}") for rule in _too_much(spent))


def _days(row: Any) -> tuple[date, date]:
    if not row.plan:
        day = date(1970, 1, 1) + timedelta(days=row.day)
        return day, day
    _, first, days, *_ = row.plan.split(":")
    return date.fromisoformat(first), date.fromisoformat(first) + timedelta(days=int(days) - 1)


def _too_much(spent: Iterable[Spending]) -> Iterator[str]:
    """A limit changed in mid-day binds from then on: the largest of a stretch is taken."""
    spent = list(spent)
    firsts, lasts = sorted({each.first for each in spent}), sorted({each.last for each in spent})
    for first in firsts:
        for last in lasts:
            inside = [each for each in spent if first <= each.first and each.last <= last]
            allowed = max((each.limit for each in inside), default=0) * ((last - first).days + 1)
            if (sends := sum(each.sends for each in inside)) > allowed:
                yield f"{sends} sends of {allowed} from {first} to {last}"
