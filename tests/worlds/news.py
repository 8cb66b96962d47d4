"""Events of messages that the ledger is told early or late, and features that know a part of them."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

import orjson

from decisions.worth.told import REACTIONS, SENT, Told
from features.contracts import Event
from features.vocabulary import TALLY_COUNTS
from tests.worlds.features import utc
from tests.worlds.sent import END, histories

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
BUILT, NOW = date(2017, 12, 30), date(2018, 1, 1)
WATERMARK, MIDNIGHT = utc(2017, 12, 30), utc(2018, 1, 1)
HEARD = WATERMARK + 2 * HOUR
"""When the build that knows what happened before the watermark began to read."""

_SHRUNK = 12


@dataclass(frozen=True, slots=True)
class Heard:
    """One event, and when the ledger was told of it."""

    row: dict
    at: object

    @property
    def known_to_features(self) -> bool:
        return self.at <= HEARD

    @property
    def event(self) -> Event:
        return Event.model_construct(**{**self.row, "campaign_id": None, "currency": None, "properties": {}})


def heard(seed: int) -> list[Heard]:
    """Histories of sixteen months within six weeks before midnight, told at once, or late, or very late."""
    draw = random.Random(f"news {seed}")
    rows = [{**row, "occurred_at": _near(row["occurred_at"])} for row in histories(seed, people=40)]
    return [Heard(row, _told(draw, row["occurred_at"])) for row in rows]


def _near(moment):
    micros = (END - moment) // timedelta(microseconds=1)
    return END - timedelta(microseconds=micros // _SHRUNK)


def _told(draw, at):
    later = (timedelta(), timedelta(), 5 * HOUR, 3 * DAY, 60 * DAY)
    return min(at + draw.choice(later), MIDNIGHT)


def told_of(every) -> list[Told]:
    """The events as the ledger gives them to whoever asks at midnight."""
    found = [
        Told(
            row["customer_id"],
            row["event_id"],
            row["type"],
            _micros(row["occurred_at"]),
            _micros(each.at),
            row["channel"],
            row["decision_id"],
            row["message_id"],
            row["offer_id"],
            int(row["automated"]),
        )
        for each in every
        if (row := each.row)["type"] in (SENT, *REACTIONS) and row["occurred_at"] < MIDNIGHT
    ]
    return sorted(found, key=lambda each: (each.customer_id, each.occurred, each.event_id))


def _micros(moment):
    return (moment - utc(1970, 1, 1)) // timedelta(microseconds=1)


def by_pair(row) -> dict:
    """A row of the tally table as counts by pair."""
    lists = zip(*(row[name] for name in TALLY_COUNTS), strict=True)
    return {
        pair: dict(zip(TALLY_COUNTS, counts, strict=True))
        for pair, counts in zip(row["tally_pairs"], lists, strict=True)
    }


def added(known: dict, news, customers) -> dict:
    """What features know by customer and pair, and the news on top."""
    found = {who: {pair: dict(counts) for pair, counts in pairs.items()} for who, pairs in known.items()}
    for place, (row, pair) in enumerate(zip(news.row.tolist(), news.pair.tolist(), strict=True)):
        counts = found.setdefault(customers[row], {}).setdefault(
            news.pairs[pair], dict.fromkeys(TALLY_COUNTS, 0.0)
        )
        for name in TALLY_COUNTS:
            counts[name] += news.counts[name.removeprefix("tally_")][place]
    return found


def differing(found: dict, wanted: dict, *, by: float = 1e-8) -> list:
    """Name every count that is another; what is missing is nought."""
    pairs = {(who, pair) for each in (found, wanted) for who, of in each.items() for pair in of}
    nothing = dict.fromkeys(TALLY_COUNTS, 0.0)
    return [
        (who, pair, name, one[name], other[name])
        for who, pair in sorted(pairs)
        for one in [found.get(who, {}).get(pair, nothing)]
        for other in [wanted.get(who, {}).get(pair, nothing)]
        for name in TALLY_COUNTS
        if abs(one[name] - other[name]) > by
    ]


def as_import(row: dict) -> dict:
    """A row as the importer hands it on."""
    return {**row, "properties": orjson.dumps({}).decode()}
