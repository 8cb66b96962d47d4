"""The rivals Kairos is scored against: rules as their makers document them, seeing what a shop sees.

A rival hears the log and knows public facts. It is made of four rules (hour, channel, offer, volume) that can be
swapped one at a time, or is a package's bandit. :class:`Twin` is Kairos's own rule on the same axes.
"""

from benchmarks.world.rivals.catalogue import AXES, CAPS, SWAPS, WHOLE, Factory, composite, tune_cap
from benchmarks.world.rivals.facts import Facts
from benchmarks.world.rivals.frequency import Capped
from benchmarks.world.rivals.metered import Metered
from benchmarks.world.rivals.scene import Answers, Rival
from benchmarks.world.rivals.twin import Twin

__all__ = [
    "AXES",
    "CAPS",
    "SWAPS",
    "WHOLE",
    "Answers",
    "Capped",
    "Factory",
    "Facts",
    "Metered",
    "Rival",
    "Twin",
    "composite",
    "tune_cap",
]
