"""The attainable oracle: the exact posterior of each person, given all that can be known, and a plan on its means.

It is told the family's parameters (a change of regime and a season among them) and hears what everybody hears. Of
people it knows nothing else; in particular not how the sender before chose whom to write to.
"""

from benchmarks.world.posterior.playing import Posterior

__all__ = ["Posterior"]
