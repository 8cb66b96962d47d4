"""What is promised of all customers together: shared budgets are not overspent, a request has one answer."""

from __future__ import annotations

from collections import Counter
from datetime import date, timedelta
from typing import TYPE_CHECKING, NamedTuple

from sqlalchemy import text

from pipelines.recount.windows import moment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from pipelines.recount.history import History, Send
    from pipelines.recount.rulebook import Rulebook

_PLAN = "plan"
_ANSWERED_TWICE = text(
    "SELECT min(decision_id) AS decision_id, count(*) AS answers FROM decision"
    " GROUP BY request_id HAVING count(*) > 1"
)
_COUNTED_TWICE = text(
    "SELECT decision_id, count(*) AS places FROM pressure WHERE decision_id IS NOT NULL"
    " GROUP BY decision_id HAVING count(*) > 1"
)


def doubled(connection: Connection) -> Iterator[tuple[str, str]]:
    """Yield decision and rule of each request answered, and each decision counted, more than once."""
    for row in connection.execute(_ANSWERED_TWICE):
        yield row.decision_id, f"its request was answered {row.answers} times"
    for row in connection.execute(_COUNTED_TWICE):
        yield row.decision_id, f"it holds {row.places} places"


class Place(NamedTuple):
    """A place on a channel that some UTC day of ``first`` … ``last`` paid for, each day allowing ``limit``."""

    channel: str
    first: date
    last: date
    limit: int


class Spent:
    """What was spent of the shared budgets, added up over all customers."""

    def __init__(self, book: Rulebook) -> None:
        self._book = book
        self._places: Counter[Place] = Counter()

    def add(self, history: History) -> None:
        """Count the places that a customer's decisions took, whatever became of them."""
        for send in history.sends:
            limit = self._book.then(send).budgets.get(send.message.channel)
            if limit is not None and _takes_a_place(send, history):
                self._places[Place(send.message.channel, *_days(send), limit)] += 1

    def too_much(self) -> Iterator[str]:
        """Yield each stretch of UTC days in which more was spent on a channel than its days allow together.

        All places can be paid for, each by one of its own days, if no stretch of days has to pay for more than it
        allows (Hall 1935). A limit changed meanwhile binds from then on: the largest of a stretch is taken.
        """
        for channel in sorted({place.channel for place in self._places}):
            mine = {place: count for place, count in self._places.items() if place.channel == channel}
            yield from (f"{channel}: {rule}" for rule in _stretches(mine))


def _takes_a_place(send: Send, history: History) -> bool:
    """Transactional messages pass; one that displaces another on its channel goes in the other's place."""
    if send.message.purpose == "transactional":
        return False
    other = next((each for each in history.sends if each.decision_id == send.displaces), None)
    return other is None or other.message.channel != send.message.channel


def _days(send: Send) -> tuple[date, date]:
    """A single decision is paid for by the day on which it is made, a plan's by any of the plan's days."""
    words = send.request_id.split(":", 3)
    if len(words) < 4 or words[0] != _PLAN:  # noqa: PLR2004 - plan:DATE:DAYS:CUSTOMER
        day = moment(send.decided_at).date()
        return day, day
    first = date.fromisoformat(words[1])
    return first, first + timedelta(days=int(words[2]) - 1)


def _stretches(places: dict[Place, int]) -> Iterator[str]:
    for first in sorted({place.first for place in places}):
        for last in sorted({place.last for place in places}):
            inside = [place for place in places if first <= place.first and place.last <= last]
            allowed = max((place.limit for place in inside), default=0) * ((last - first).days + 1)
            sends = sum(places[place] for place in inside)
            if sends > allowed:
                yield f"{sends} sends of {allowed} from {first} to {last}"
