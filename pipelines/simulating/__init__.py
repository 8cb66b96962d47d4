"""The closed loop: the product itself, day by day, in a world whose truth is known.

Nothing of the product is stood in for: lake, features, models with their gates, decisions under the ledger's lock,
the send protocol, the recount. Only the clock is moved, and the world plays customers and delivery layer.
"""

from pipelines.simulating.loop import run_loop
from pipelines.simulating.records import Looped, Pairs, Watcher

__all__ = ["Looped", "Pairs", "Watcher", "run_loop"]
