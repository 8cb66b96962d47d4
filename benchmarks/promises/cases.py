"""Many small worlds, decided by the real ``decide()`` and judged by the recount; each record replayed."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from benchmarks.promises.world import (
    CATALOGUE,
    CHANNELS,
    COUNTRIES,
    KEYS,
    NOW,
    POLICY,
    PURPOSES,
    consent,
    decider,
    open_ledger,
    people,
    policy,
    settle,
)
from decisions.records import Ask
from decisions.replay import replay, versions_of
from features.contracts import Event
from pipelines.recount import Rules, recount

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.promises.stores import Store
    from benchmarks.promises.tally import Tally
    from decisions.ledger import Ledger
    from decisions.policy import Policy
    from decisions.records import Decision

_PEOPLE = 25
_WINDOWS = ("12h", "24h", "72h", "7d", "2w", "day", "week", "month")


def try_worlds(store: Store, *, worlds: int, asks: int, seed: int, tally: Tally) -> Iterator[int]:
    """Decide ``asks`` questions in each of ``worlds`` random worlds; yield the number of each world done."""
    for number in range(worlds):
        dice = random.Random(f"{seed}-{number}")  # noqa: S311  # repeatable, not a secret
        changes, url = _rules(dice), store.fresh()
        rules = policy(**changes)
        with open_ledger(url, synchronous="normal", rules=rules) as ledger:
            settle(ledger, people(_PEOPLE, seed=dice.randrange(2**31)), refused=0.1)
            made = _decide(ledger, rules, dice, asks)
            _replay(ledger, made, tally)
        tally.count(recount(url, Rules.of(POLICY | changes, CATALOGUE["offers"], zones=COUNTRIES)))
        yield number + 1


def _rules(dice: random.Random) -> dict[str, Any]:
    """Return limits by the throw of dice: caps of every kind, gaps, and quiet hours over midnight or not."""
    return {
        "caps": tuple(_cap(dice) for _ in range(dice.randrange(1, 5))),
        "min_gap_hours": dice.choice((0, 1, 6, 24)),
        "channel_gap_hours": {dice.choice(CHANNELS): dice.choice((3, 48))},
        "quiet_hours": tuple(_quiet(dice) for _ in range(dice.randrange(3))),
        "holdback": {"share": dice.choice((0, 0.1))},
    }


def _cap(dice: random.Random) -> dict[str, Any]:
    scope = dice.choice(({}, {"channel": dice.choice(CHANNELS)}, {"category": "food"}, {"offer_id": "tea"}))
    purposes = dice.choice((("marketing",), ("marketing", "service"), ("service",)))
    return {"limit": dice.randrange(4), "window": dice.choice(_WINDOWS), "purposes": purposes, **scope}


def _quiet(dice: random.Random) -> dict[str, Any]:
    begin, long = dice.randrange(48), dice.randrange(1, 24)
    return {
        "from_hour": _clock(begin),
        "until_hour": _clock((begin + long) % 48),
        "channels": dice.choice(((), ("sms",))),
    }


def _clock(half_hours: int) -> str:
    return f"{half_hours // 2:02}:{half_hours % 2 * 30:02}"


def _decide(ledger: Ledger, rules: Policy, dice: random.Random, asks: int) -> list[Decision]:
    """Ask about people at random while the clock runs, other systems send, and some change their mind."""
    desk, now, made = decider(ledger, rules=rules), NOW, []
    for number in range(asks):
        now += timedelta(minutes=dice.randrange(120))
        purpose = dice.choice(("marketing", *PURPOSES))
        ask = Ask(request_id=f"r{number}", customer_id=f"c{dice.randrange(_PEOPLE)}", purpose=purpose)
        made += desk.decide([ask], now=now)
        _meanwhile(ledger, dice, made, now, number)
    return made


def _meanwhile(ledger: Ledger, dice: random.Random, made: list[Decision], now: Any, number: int) -> None:
    some, who = dice.choice(made), f"c{dice.randrange(_PEOPLE)}"
    match dice.randrange(8):
        case 0 if some.send_at:
            ledger.confirm(some.decision_id, now)
        case 1:
            ledger.release(some.decision_id, now)
        case 2:
            sent = Event(event_id=f"e{number}", customer_id=who, type="sent", occurred_at=now, channel="email")
            ledger.take_events([sent], now)
        case 3:
            status = dice.choice(("granted", "granted", "withdrawn"))
            ledger.append_consents([consent(who, dice.choice(CHANNELS), "marketing", status, at=now)], now)


def _replay(ledger: Ledger, made: list[Decision], tally: Tally) -> None:
    """P6: the record alone gives the decision again, whatever became of it since."""
    contents: dict[str, bytes] = {}
    for decision in made:
        record = ledger.record(decision.decision_id)
        for kind, version in versions_of(record).items():
            contents.setdefault(version, ledger.content(kind, version) or b"")
        tally.cases["P6"] += 1
        if replay(record, KEYS, contents=contents) != decision:
            tally.broken("P6", f"the record gives another decision ({decision.decision_id})")
