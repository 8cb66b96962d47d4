"""How true the value model's expectations were."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.world.expectations import slope
from pipelines.simulating.records import Pairs
from simulation.messages import Messages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.world.player.playing import Expected
    from simulation.world import Day


def slopes(expected: Sequence[Expected], days: Sequence[Day]) -> dict[str, dict[str, float | None]]:
    """Return by channel the slope of each message's true effect on its V (:func:`..expectations.slope`).

    A message is found by whom it went to and when: nobody gets two at one moment.
    """
    told = {
        (who, at): value
        for each in expected
        for who, at, value in zip(each.who.tolist(), each.at.tolist(), each.value.tolist(), strict=True)
    }
    sent = Messages.joined([Messages.none(), *(day.messages for day in days)])
    keys = zip(sent.customer.tolist(), sent.sent_at.tolist(), strict=True)
    true = np.concatenate([np.zeros(0), *(day.net for day in days)])
    return slope(Pairs(channel=sent.channel, expected=np.array([told[key] for key in keys]), true=true))
