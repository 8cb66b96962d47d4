"""Which arrival of an id is the first: that one counts everywhere, and a later one that says otherwise is told.

What came over the API or bears on decisions is known by the inbox; imported events that bear on none have passed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from decisions.ledger.events import inbox, passed
from decisions.ledger.events.digests import digest

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pyarrow as pa

    from decisions.ledger.storage.session import Session
    from features.contracts import Event


class Arrivals:
    """The first arrivals of the ids of a block, as far as they are known. ``key`` is that of what has passed."""

    def __init__(self, session: Session, events: Sequence[Event], key: bytes | None) -> None:
        self._key = key
        ids = [each.event_id for each in events]
        self._received = inbox.digests(session, ids)
        self._passed = passed.known(session, ids, key)

    def __contains__(self, event: Event) -> bool:
        """Return whether the event's id has arrived before."""
        return event.event_id in self._received or event.event_id in self._passed

    def contradict(self, event: Event) -> bool:
        """Return whether the first arrival of the event's id says something else; False where there was none."""
        if event.event_id in self._received:
            return self._received[event.event_id] not in {None, digest(event)}
        return self._passed.get(event.event_id) not in {None, passed.digest(event, self._key)}

    def add(self, event: Event) -> None:
        """Count the event as the first of its id."""
        self._received[event.event_id] = digest(event)


def pass_by(session: Session, rows: pa.Table, key: bytes | None) -> tuple[int, list[str]]:
    """Keep the ids of imported events that bear on no decision, of those that are new.

    Returns:
        How many ids passed before with another content, and which ids the inbox knows.
    """
    received = inbox.digests(session, rows["event_id"].to_pylist())
    table = passed.of_table(rows, key)
    new = {number: said for event_id, number, said in table if event_id not in received}
    if passed.keep(session, new) == len(new):
        return 0, list(received)
    before = passed.said(session, new)
    return sum(before[number] != said for number, said in new.items()), list(received)
