"""Answers about customers: what they allow and ask for, what happened, what was forgotten."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from features.contracts import Purpose
from features.contracts.words import ConsentStatus
from serving.answers.base import Answer
from serving.problems import Problem


class ConsentOut(Answer):
    """One entry of the journal. Its evidence is not given back here."""

    channel: str
    purpose: Purpose
    status: ConsentStatus
    at: datetime
    source: str


class ConsentsOut(Answer):
    """What a customer consents to now, one entry a channel and purpose, and the whole journal in its order."""

    customer_id: str
    current: list[ConsentOut]
    journal: list[ConsentOut]


class EntryVerdictOut(Answer):
    """What became of one entry; `refused` ones carry a `problem` that names the field."""

    status: Literal["accepted", "duplicate", "erased", "refused"]
    problem: Problem | None = None


class EntryVerdictsOut(Answer):
    """One verdict per entry, in the same order, and their counts."""

    counts: dict[str, int]
    verdicts: list[EntryVerdictOut]


class PreferenceOut(Answer):
    """A customer's own limits; null and empty where there are none."""

    customer_id: str
    channels_off: list[str]
    quiet_from: int | None
    quiet_until: int | None
    max_per_week: int | None
    pause_until: datetime | None


class PreferredOut(PreferenceOut):
    """The limits as they hold now, and the unconfirmed decisions that they ended."""

    withdrawn: list[str]


class UnsubscribedOut(Answer):
    """What is withdrawn now, whether by this click or before."""

    status: Literal["withdrawn"]
    channel: str
    purpose: Purpose


class EventVerdictOut(Answer):
    """What became of one event; `refused` ones carry a `problem` that names the field.

    A `duplicate` with `conflict` says something else than the first arrival of its `event_id`, which stands.
    """

    event_id: str | None
    status: Literal["accepted", "duplicate", "erased", "refused"]
    conflict: bool = False
    problem: Problem | None = None


class EventVerdictsOut(Answer):
    """One verdict per event, in the same order, and their counts."""

    counts: dict[str, int]
    verdicts: list[EventVerdictOut]


class MomentOut(Answer):
    """One line of a customer's timeline."""

    at: datetime
    kind: str
    what: str
    decision_id: str | None
    channel: str | None
    offer_id: str | None
    detail: str | None


class TimelineOut(Answer):
    """What happened with a customer, oldest first."""

    customer_id: str
    moments: list[MomentOut]


class ErasedOut(Answer):
    """What the ledger has forgotten by now; the other stores follow with the next build of the features."""

    status: str = Field(examples=["erased"])
    rows: dict[str, int] = Field(description="Rows that went, by table")
    pending: list[str] = Field(description="Stores that still have to forget")
