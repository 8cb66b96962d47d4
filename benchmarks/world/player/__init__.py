"""Kairos's value model (:mod:`decisions.worth`) as a strategy in the arena: the same counts, the same choice.

It hears what rivals hear. It plays a world in seconds, so that an idea is tried on many seeds before the whole
product plays on a few.
"""

from benchmarks.world.player.candidates import Candidates
from benchmarks.world.player.playing import BELIEFS, Player, declared

__all__ = ["BELIEFS", "Candidates", "Player", "declared"]
