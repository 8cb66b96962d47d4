"""Many customers with one to five messages over many months each, and whatever came of them."""

from __future__ import annotations

import random
from datetime import date, timedelta
from itertools import count

from features.vocabulary import TALLY_COUNTS, Vocabulary
from tests.worlds.features import event, events_table, utc

WORDS = Vocabulary(channels=("email", "push"), categories=("milk",))
UNTIL = date(2018, 1, 1)
END = utc(2018, 1, 1)
BEGIN = utc(2016, 9, 1)

_ODD = (
    "it's",
    'say "hi"',
    "Zoë",
    "名前",
    "007",
    "7",
    "a b",
    "a\\b",
    "x,y",
    "100%",
    "[1]",
    "nan",
    "a|b",
    "\n",
    " ",
)
_OFFERS = (None, None, "coffee", "coffee beans", 'the "best"', "Ü|ber", "|", "~", "[]", "名前")
_ANSWERS = ("opened", "opened", "clicked", "converted", "bounced", "delivered", "unsubscribed")


def histories(seed: int, *, people: int = 60) -> list[dict]:
    """Draw the events of many customers, in an order of their own."""
    draw, ids, rows = random.Random(seed), count(), []
    for who in [*_ODD, *(f"c{number}" for number in range(people - len(_ODD)))]:
        moments = [_moment(draw) for _ in range(2)]  # few: messages of one moment follow each other by event id
        for number in range(draw.randrange(6)):
            at = draw.choice(moments) if draw.random() < 0.2 else _moment(draw)
            rows += _message(draw, who, at, number, ids)
        if draw.random() < 0.5:
            rows.append(_event(draw, ids, who, "purchased", _moment(draw), value=1.0))
    draw.shuffle(rows)
    return rows


def _moment(draw):
    edges = (END, END - timedelta(microseconds=1), END + timedelta(hours=9), END - timedelta(hours=3))
    return draw.choice((*edges, *(BEGIN + timedelta(seconds=draw.randrange(500 * 86_400)) for _ in range(9))))


def _message(draw, who, at, number, ids):
    """Draw the reports of a message, with either name or both, and reactions that know one of them."""
    named = {"decision": f"d{number}", "message": draw.choice([f"m{number}", f"d{number}", "m0"])}
    facts = {"channel": draw.choice([None, *WORDS.channels * 4]), "offer": draw.choice(_OFFERS)}
    told = [
        _event(draw, ids, who, "sent", at + draw.choice([0, 0, 30, 86_400]) * timedelta(seconds=1), **facts, **_some(draw, named))
        for _ in range(draw.choice([1, 1, 2, 3]))
    ]  # fmt: skip
    answers = [
        _event(
            draw, ids, who, draw.choice(_ANSWERS), at + timedelta(seconds=draw.randrange(-3600, 9 * 86_400)),
            channel=draw.choice([facts["channel"], None]), automated=draw.random() < 0.3, **_some(draw, named),
        )
        for _ in range(draw.choice([0, 1, 2, 4]))
    ]  # fmt: skip
    return told + answers


def _some(draw, named):
    return {name: value for name, value in named.items() if draw.random() < 0.7}


def _event(draw, ids, who, kind, at, **given):
    return event(who, kind, at, event_id=f"{draw.choice('abé~')}{next(ids)}", **given)


def by_customer(rows):
    found = {}
    for row in rows:
        found.setdefault(row["customer_id"], []).append(row)
    return found


def cut(rows, moment):
    return [row for row in rows if row["occurred_at"] < moment]


def batches(rows, seed: int):
    """The same events in another order, cut into batches of any size."""
    draw = random.Random(seed)
    left = draw.sample(rows, len(rows))
    while left:
        size = draw.randint(1, len(left))
        yield events_table(left[:size])
        left = left[size:]


def arrays(row):
    return {name: row[name] for name in ("tally_pairs", *TALLY_COUNTS)}
