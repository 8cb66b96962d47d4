"""What lake, ledger and features should hold after a history: dictionaries, and arithmetic on them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from benchmarks.lakes.history import NOW

if TYPE_CHECKING:
    from benchmarks.lakes.history import Event, History

YEAR, QUARTER = timedelta(days=365), timedelta(days=90)
TODAY = NOW.replace(hour=0)


class Oracle:
    """What stands after each step: the first of each event id, the last household of each customer, who went."""

    def __init__(self) -> None:
        self.events: dict[str, Event] = {}
        self.homes: dict[str, str | None] = {}
        self.gone: set[str] = set()

    def live(self, history: History) -> None:
        """Take every step of ``history``."""
        for step in history.steps:
            for event in step.events:
                if event["customer_id"] not in self.gone:
                    self.events.setdefault(event["event_id"], event)
            if step.verb == "customers":
                self.homes |= {who: history.homes[who] for who in step.people if who not in self.gone}
            if step.verb == "erase":
                self._forget(step.people)

    def _forget(self, people: tuple[str, ...]) -> None:
        self.gone |= set(people)
        self.homes = {who: home for who, home in self.homes.items() if who not in people}
        self.events = {key: event for key, event in self.events.items() if event["customer_id"] not in people}

    def folder(self, event: Event, buckets: int) -> str:
        """Return where in the lake the event lies."""
        who = event["customer_id"]
        digest = hashlib.md5((self.homes.get(who) or who).encode(), usedforsecurity=False).hexdigest()
        return f"bucket={int(digest[:8], 16) % buckets:04d}/month={event['occurred_at']:%Y-%m}"

    def activity(self) -> dict[str, dict[str, Any]]:
        """Return of everybody with an event before today: orders and sessions of a year, spend of 90 days."""
        known = [event for event in self.events.values() if event["occurred_at"] < TODAY]
        return {who: self._active(who, known) for who in {event["customer_id"] for event in known}}

    def _active(self, who: str, known: list[Event]) -> dict[str, Any]:
        own = [event for event in known if event["customer_id"] == who]
        starts = _orders([event for event in own if event["type"] == "purchased"])
        recent = [event for event in own if event["occurred_at"] >= TODAY - QUARTER]
        return {
            "orders_365d": sum(at >= TODAY - YEAR for at in starts),
            "recency_days": (TODAY - max(starts)) / timedelta(days=1) if starts else None,
            "spend_90d": sum(event["value"] for event in recent if event["type"] == "purchased"),
            "sessions_90d": sum(event["type"] == "session" for event in recent),
        }

    def sent(self) -> dict[str, int]:
        """Return how many messages each customer was sent, a message told by several sources once."""
        told: defaultdict[str, set[str]] = defaultdict(set)
        for event in self.events.values():
            if event["type"] == "sent":
                told[event["customer_id"]].add(event["message_id"])
        return {who: len(messages) for who, messages in told.items()}


def _orders(bought: list[Event]) -> list[Any]:
    """Return when each order began."""
    begun: dict[str, Any] = {}
    for event in bought:
        key = event["properties"].get("order_id") or f"event {event['event_id']}"
        begun[key] = min(begun.get(key, event["occurred_at"]), event["occurred_at"])
    return list(begun.values())
