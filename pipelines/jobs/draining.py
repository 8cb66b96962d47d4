"""Events that came over HTTP, from the ledger's inbox into the lake: from there to features and models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from features.progress import quiet
from pipelines.jobs.erasing import forget_in_the_lake
from pipelines.jobs.taking_turns import taking_turns
from runtime.lake import lake_of

if TYPE_CHECKING:
    from features.progress import Progress
    from runtime.build import Kairos

BATCH = 20_000
"""Events moved at a time."""


def drain_events(kairos: Kairos, *, progress: Progress = quiet) -> int:
    """Move what waits in the inbox into the lake, and return how many events were new to it.

    An event is marked only once the lake has it, and the lake knows it by its id: killed in between and run again,
    this loses nothing and doubles nothing.
    """
    lake, new = lake_of(kairos.settings), 0
    with taking_turns(kairos.settings):
        forget_in_the_lake(kairos)
        while len(waiting := kairos.ledger.drain_inbox(BATCH)):
            new += lake.append(waiting).new
            kairos.ledger.mark_drained(waiting["event_id"].to_pylist())
            progress("drain", new, new)
    return new
