"""A random history: who there is, what they did, and the order in which the product hears of it."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MONTHS = 13
"""Within the 400 days that the ledger keeps of every message."""

# An id is searched for in bytes: none is part of another, and none is spelled anywhere by chance.
_ODD = (
    "{}",
    "{}",
    "{}",
    "00{}",
    '{}"q"',
    "{}\\b",
    "{}'s",
    "{},x",
    "{} in the middle",
    "{}ü",
    "{}日本",
    "{};--",
    "{}%",
    "A{}",
)
_TYPES = ("session", "purchased", "purchased", "viewed", "sent", "delivered", "opened", "clicked", "x_own")
_MESSAGES = frozenset({"sent", "delivered", "opened", "clicked"})
_CATEGORIES = ("drinks", "food", None)

Event = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """One thing the product hears: ``verb`` is import, http, customers, erase or build."""

    verb: str
    events: tuple[Event, ...] = ()
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class History:
    """The people, each with a household or none, and the steps in their order."""

    homes: dict[str, str | None]
    steps: tuple[Step, ...] = field(default_factory=tuple)


def history(seed: int) -> History:
    """Return the history of ``seed``, always the same one."""
    dice = random.Random(seed)  # noqa: S311  # repeatable, not a secret
    people = [dice.choice(_ODD).format(f"who{seed:05d}n{number:03d}e") for number in range(_size(dice))]
    homes = {each: dice.choice((None, None, f"house{dice.randrange(5)}", each)) for each in people}
    told = _retold(_lived(people, dice, seed), people, dice)
    steps = [*_told(told, dice), *_known(homes, dice), *_erasures(people, dice)]
    dice.shuffle(steps)
    return History(homes, (*steps, *_again(steps, dice)))


def _size(dice: random.Random) -> int:
    return dice.choice((2, 8, 20, 40, 40, 70))


def _lived(people: list[str], dice: random.Random, seed: int) -> list[Event]:
    counts = [(who, dice.choice((0, 1, 1, 1, 2, 2, 3, 3, 12))) for who in people]
    owners = [who for who, count in counts for _ in range(count)]
    return [_event(f"e{seed:05d}x{number:04d}z", who, dice) for number, who in enumerate(owners)]


def _event(event_id: str, who: str, dice: random.Random) -> Event:
    kind = dice.choice(_TYPES)
    at = NOW - timedelta(days=dice.randrange(1, 30 * MONTHS), microseconds=dice.choice((0, 1, 86_399_999_999)))
    made: Event = {"event_id": event_id, "customer_id": who, "type": kind, "occurred_at": at, "properties": {}}
    if kind == "purchased":
        named = {"order_id": f"o{dice.randrange(4)}"} if dice.random() < 0.5 else {}  # noqa: PLR2004  # half of them
        category = dice.choice(_CATEGORIES)
        made |= {"value": dice.randrange(1, 400) / 4, "currency": "EUR"}
        made["properties"] = named | ({"category": category} if category else {})
    if kind in _MESSAGES:
        made |= {"channel": dice.choice(("email", "sms")), "message_id": f"m{dice.randrange(6)}"}
    return made


def _retold(lived: list[Event], people: list[str], dice: random.Random) -> list[Event]:
    """Some are told twice in the same words, some in others, even of another customer."""
    told = list(lived)
    for each in lived:
        if dice.random() < 0.1:  # noqa: PLR2004  # a tenth
            told.append(dict(each))
        if dice.random() < 0.04:  # noqa: PLR2004  # one in twenty-five
            told.append({**_event(each["event_id"], dice.choice(people), dice)})
    dice.shuffle(told)
    return told


def _told(events: list[Event], dice: random.Random) -> list[Step]:
    steps, left = [], events
    while left:
        size = dice.choice((1, 5, 30, 100, len(left)))
        verb = dice.choice(("import", "import", "http"))
        steps.append(Step(verb, events=tuple(left[:size])))
        left = left[size:]
    return steps


def _known(homes: dict[str, str | None], dice: random.Random) -> list[Step]:
    """Customers come in up to three files, some of them twice, some never."""
    return [
        Step("customers", people=tuple(who for who in homes if dice.random() < 0.7))  # noqa: PLR2004  # most
        for _ in range(dice.randrange(3))
    ]


def _erasures(people: list[str], dice: random.Random) -> list[Step]:
    gone = dice.sample(people, k=min(len(people) - 1, dice.choice((0, 1, 2, 5))))
    builds = [Step("build")] * dice.choice((0, 1))
    return [*(Step("erase", people=(who,)) for who in gone), *builds]


def _again(steps: list[Step], dice: random.Random) -> list[Step]:
    """Old files are imported again in the end: nothing may change, and nobody come back."""
    return [each for each in steps if each.verb in {"import", "customers"} and dice.random() < 0.5]  # noqa: PLR2004
