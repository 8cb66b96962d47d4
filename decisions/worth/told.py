"""What the ledger was told of messages, as the value model reads it: an event each, not yet put together."""

from __future__ import annotations

from typing import NamedTuple

SENT = "sent"
REACTIONS = ("opened", "clicked", "converted", "bounced")
"""What comes of a message, as far as it is counted."""


class Told(NamedTuple):
    """One event of a message's life. Moments are microseconds since 1970 UTC.

    ``occurred`` is when it happened, ``received`` when the ledger was told. Of a ``sent``, ``channel`` and
    ``offer_id`` are what this report says; of all others they say nothing here. ``automated``: a machine did it.
    """

    customer_id: str
    event_id: str
    kind: str
    occurred: int
    received: int
    channel: str | None
    decision_id: str | None
    message_id: str | None
    offer_id: str | None
    automated: int
