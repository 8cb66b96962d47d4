"""The static floor: one offer, channel, hour and interval for everybody."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from simulation.oracles import Hold
from simulation.oracles.static import Static
from tests.worlds.oracles import start


def test_the_static_policy_that_never_messages_sends_nothing():
    here = start()
    played = here.play(Static().strategy(here.customers, here.world.calendar), days=9)
    assert played.account.sent == 0


@pytest.mark.parametrize("every", [3, 7, 14])
def test_a_static_policy_keeps_its_interval_channel_and_hour(every):
    here = start()
    static = Static(offer=1, channel=0, hour=12, every_days=every)
    sent = []
    strategy = static.strategy(here.customers, here.world.calendar)
    original = strategy.hear
    strategy.hear = lambda events, day: (sent.append(events) if day >= 0 else None, original(events, day))
    here.play(strategy, days=40)
    events = pa.concat_tables(sent)
    events = events.filter(pc.equal(events["type"], "sent"))
    assert set(events["channel"].to_pylist()) == {"email"}
    assert set(events["offer_id"].to_pylist()) == {"ten-off"}
    moments = np.sort(
        pc.cast(events.filter(pc.equal(events["customer_id"], "c0"))["occurred_at"], "int64").to_numpy()
    )
    if len(moments) > 1:
        assert np.diff(moments).min() >= (every - 0.5) * 86_400e6


class Looking(Hold):
    """Says nothing, and remembers until when it might have."""

    def __init__(self):
        self.latest = []

    def choose(self, asked):
        self.latest.append(asked.day + int(asked.free.any(axis=0).nonzero()[0].max(initial=-1)) // 24)
        return super().choose(asked)


def test_nothing_may_go_after_the_last_day_of_a_play():
    looking = Looking()
    start().play(looking, days=5)
    assert looking.latest == [2, 3, 4, 4, 4]
