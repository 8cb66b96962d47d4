"""Whatever arrives in whatever order, the lake holds each event once, where its household is now."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from features.lake import Appended, Lake, bucket_of
from tests.worlds.lake import NOON, customer, customers, event, events, everything

BUCKETS = 5
PEOPLE = ["c0", "C0", "007", "7", 'a"b', "a\\b", "Müller", " x", *(f"p{n}" for n in range(30))]
"""Many, with odd ids: what went wrong before went wrong with many customers of one to three events each."""

_owners = st.sampled_from(PEOPLE)
_event = st.builds(
    lambda number, owner, days: event(
        f"e{number}", owner, occurred_at=NOON + timedelta(days=days), value=number / 2
    ),
    st.integers(0, 200),
    _owners,
    st.integers(0, 400),
)
_household = st.builds(customer, _owners, st.sampled_from([None, "H1", "H2", "p3"]))
_step = st.one_of(
    st.tuples(st.just("append"), st.lists(_event, max_size=8)),
    st.tuples(st.just("append"), st.lists(_event, min_size=60, max_size=90)),
    st.tuples(st.just("put"), st.lists(_household, max_size=12)),
    st.tuples(st.just("compact"), st.just([])),
    st.tuples(st.just("erase"), _owners.map(lambda owner: [owner])),
)  # fmt: skip


class Model:
    """What the lake should hold, in two dictionaries."""

    def __init__(self) -> None:
        self.events: dict[str, dict] = {}
        self.homes: dict[str, str | None] = {}

    def take(self, verb: str, rows: list) -> Appended | None:
        if verb == "append":
            before = len(self.events)
            stands = [self.events.setdefault(row["event_id"], row) for row in rows]
            new = len(self.events) - before
            others = sum(stood != row for stood, row in zip(stands, rows, strict=True))
            return Appended(new=new, duplicates=len(rows) - new, conflicts=others)
        for row in rows if verb == "put" else []:
            self.homes[row["customer_id"]] = row["household_id"]
        for who in rows if verb == "erase" else []:
            self.homes.pop(who, None)
            self.events = {i: row for i, row in self.events.items() if row["customer_id"] != who}
        return None

    def bucket(self, who: str) -> int:
        return bucket_of(self.homes.get(who) or who, BUCKETS)


@settings(max_examples=8, deadline=None)
@given(steps=st.lists(_step, min_size=2, max_size=7))
def test_the_lake_agrees_with_two_dictionaries(steps):
    with tempfile.TemporaryDirectory() as folder:
        lake, model = Lake(Path(folder), buckets=BUCKETS), Model()
        for verb, rows in steps:
            expected = model.take(verb, rows)
            if verb == "append":
                assert lake.append(events(*rows)) == expected
            elif verb == "put":
                lake.put_customers(customers(*rows))
            elif verb == "erase":
                lake.erase(rows[0])
            else:
                lake.compact()
        _agree(lake, model)


def _agree(lake: Lake, model: Model) -> None:
    held = {row["event_id"]: (bucket, row["customer_id"], row["occurred_at"], row["value"])
            for bucket, rows in everything(lake).items() for row in rows}  # fmt: skip
    assert held == {
        i: (model.bucket(row["customer_id"]), row["customer_id"], row["occurred_at"], row["value"])
        for i, row in model.events.items()
    }
    assert lake.check().faults == {}
    assert sum(lake.counts().values()) == len(model.events)
    known = {*model.homes, *(row["customer_id"] for row in model.events.values())}
    assert {who: b for b in range(BUCKETS) for who in lake.customer_ids(b)} == {w: model.bucket(w) for w in known}
