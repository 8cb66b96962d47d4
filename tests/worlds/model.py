"""The ledger done by hand: dictionaries of one customer after another, and the rules tried moment by moment."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from features.contracts import Customer, Preference
from tests.worlds.oracle import Message, is_quiet, too_close, too_many

CHANNELS = ("email", "sms")
EARLY = timedelta(minutes=1)
UNKNOWN_ZONES = ["Europe/Lisbon", "Atlantic/Madeira", "Atlantic/Azores"]
LIMITS: list[dict[str, Any]] = [
    {"limit": 3, "window": "7d"},
    {"limit": 1, "window": "day", "channel": "email"},
    {"limit": 2, "window": "week", "category": "drinks"},
    {"limit": 1, "window": "2d", "offer_id": "tea"},
]
GAPS: dict[str | None, float] = {None: 6.0, "sms": 30.0}
QUIET = ("21:30", "07:50")
REST = 20.0
"""Hours between two messages with the same offer."""


@dataclass
class Place:
    """A decision to send as it should be in the ledger.

    Its message was promised for ``promised``; it ``counts`` while it is pressure, and ``waits`` while the outbox
    has a line for it, which is lent until ``lent``.
    """

    message: Message
    promised: Message
    decided: datetime
    state: str = "reserved"
    permitted: datetime | None = None
    told: datetime | None = None
    unasked: bool = False
    counts: bool = True
    waits: bool = True
    lent: datetime | None = None

    def is_lent(self, now: datetime) -> bool:
        """Whether a sender has it, and neither acknowledged it nor let its time pass."""
        return self.waits and self.lent is not None and self.lent > now and self.promised.until > now


@dataclass
class Person:
    """One customer as the ledger should hold them."""

    customer_id: str
    zone: str | None
    places: dict[str, Place] = field(default_factory=dict)
    foreign: dict[str, Message] = field(default_factory=dict)
    journal: dict[tuple[str, str], list[tuple[datetime, str]]] = field(default_factory=dict)
    wish: Preference | None = None
    erased: bool = False

    def customer(self) -> Customer:
        contacts = dict.fromkeys(CHANNELS, "valid")
        return Customer(customer_id=self.customer_id, time_zone=self.zone, country="PT", contacts=contacts)

    @property
    def zones(self) -> list[str]:
        return [self.zone] if self.zone else UNKNOWN_ZONES

    def consent(self, channel: str, purpose: str) -> str | None:
        """The latest word; of two at one moment the withdrawal counts."""
        entries = self.journal.get((channel, purpose), [])
        return max(entries, key=lambda entry: (entry[0], entry[1] == "withdrawn"))[1] if entries else None

    def messages(self, *, but: str | None = None) -> list[Message]:
        """Everything that counts, but one decision's own."""
        mine = [place.message for key, place in self.places.items() if place.counts and key != but]
        return [*mine, *self.foreign.values()]

    def end(self, key: str, state: str) -> None:
        """An unconfirmed place is free again; anything else stays as it is."""
        place = self.places[key]
        if place.state == "reserved":
            place.state, place.counts, place.waits = state, False, False

    def lapse(self, now: datetime, *, but: str | None = None) -> None:
        for key, place in self.places.items():
            if key != but and place.message.until <= now:
                self.end(key, "expired")

    def permit(self, key: str, now: datetime) -> None:
        """The place is used for good: the message goes now, or at its time where that is later."""
        place = self.places[key]
        if place.state == "reserved":
            at = max(now, place.message.at)
            place.state, place.permitted, place.message = "confirmed", at, replace(place.message, at=at, until=at)

    def hear(self, key: str, at: datetime) -> None:
        """A sign that a message went, with or without permission: the earliest sign counts until its sender's word."""
        place = self.places[key]
        at = max(at, place.decided)
        if not place.counts or place.told:
            return
        place.waits = False
        if place.state == "reserved":
            place.state, place.unasked, place.message = "confirmed", True, replace(place.message, at=at, until=at)
        elif place.unasked and at < place.message.at:
            place.message = replace(place.message, at=at, until=at)

    def went(self, key: str, at: datetime) -> None:
        """A sender says it was sent: whatever became of the decision, the customer got it.

        Of several reports the earliest counts; but no message goes before it is decided and permitted, whatever a
        clock says.
        """
        self.hear(key, at)
        place = self.places[key]
        place.told, place.counts = min(at, place.told or at), True
        went = max(place.told, place.permitted or place.decided)
        place.message = replace(place.message, at=went, until=went)

    def forbids(self, mine: Message, t: datetime, others: list[Message]) -> bool:
        """Whether ``mine`` may not go at ``t``, by the clock, by the customer's wish or for other messages."""
        return self._crowded(mine, t, others) or self._asleep(mine, t)

    def _crowded(self, mine: Message, t: datetime, others: list[Message]) -> bool:
        limits = list(LIMITS)
        if self.wish and self.wish.max_per_week is not None:
            limits.append({"limit": self.wish.max_per_week, "window": "7d"})
        if any(too_many(cap, t, mine, others, self.zones) for cap in limits):
            return True
        marketing = [each for each in others if each.purpose == "marketing"]
        gaps = GAPS if mine.purpose == "marketing" else {}
        if any(
            too_close(hours, t, [each for each in marketing if channel in (None, each.channel)])
            for channel, hours in gaps.items()
            if channel in (None, mine.channel)
        ):
            return True
        return too_close(REST, t, [each for each in others if each.offer_id == mine.offer_id])

    def _asleep(self, mine: Message, t: datetime) -> bool:
        wish = self.wish
        if is_quiet(t, *QUIET, self.zones):
            return True
        if wish is None:
            return False
        own = [f"{hour or 0:02}:00" for hour in (wish.quiet_from, wish.quiet_until)]
        if wish.quiet_from is not None and is_quiet(t, *own, self.zones):
            return True
        if mine.channel in wish.channels_off:
            return True
        return mine.purpose != "transactional" and wish.pause_until is not None and t < wish.pause_until

    def may_confirm(self, key: str, now: datetime) -> str:  # noqa: PLR0911 - one line a rule
        """What a confirm should leave the decision in: confirmed, reserved (too early or not now), or over."""
        place = self.places[key]
        message = place.message
        if place.state != "reserved":
            return place.state
        if now >= message.until:
            return "expired"
        if now + EARLY < message.at:
            return "reserved"
        consent = self.consent(message.channel, message.purpose)
        if consent == "withdrawn" or (consent is None and message.purpose != "transactional"):
            return "withdrawn"
        if self.wish and message.channel in self.wish.channels_off:
            return "withdrawn"
        if (
            self.wish
            and message.purpose != "transactional"
            and self.wish.pause_until
            and now < self.wish.pause_until
        ):
            return "withdrawn"
        self.lapse(now, but=key)
        others = self.messages(but=key)
        moment = now  # a little early is allowed, and it may go at once
        if not self.forbids(message, moment, others):
            return "confirmed"
        return "reserved" if self._opens(message, moment, others) else "withdrawn"

    def _opens(self, message: Message, moment: datetime, others: list[Message]) -> bool:
        """Whether some minute between ``moment`` and the expiry is free."""
        minutes = int((message.until - moment) / timedelta(minutes=1))
        return any(
            not self.forbids(message, moment + timedelta(minutes=each), others) for each in range(1, minutes)
        )


def whole(moment: datetime) -> datetime:
    """The minute a moment lies in: all that happens here happens on whole minutes."""
    return moment.astimezone(UTC).replace(second=0, microsecond=0)
