"""P7 and P4 over whole homes: random histories by file and over HTTP, then every file read for who was erased."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.promises.tally import Tally


def search_homes(*, homes: int, seed: int, tally: Tally) -> None:
    """Play ``homes`` random histories to the product, each in a home of its own, and look for what is left.

    Somebody erased is a case of P7; an event, however often it is told, is one of P4: every store holds it once.
    """
    from benchmarks.lakes.comparing import LEFT_BEHIND, differences  # noqa: PLC0415  # imports the whole product
    from benchmarks.lakes.history import history  # noqa: PLC0415
    from benchmarks.lakes.running import be_quiet  # noqa: PLC0415

    be_quiet()
    for number in range(seed * 1_009, seed * 1_009 + homes):
        steps = history(number).steps
        tally.cases["P7"] += len({who for step in steps if step.verb == "erase" for who in step.people})
        tally.cases["P4"] += len({event["event_id"] for step in steps for event in step.events})
        for found in differences(number):
            tally.broken("P7" if LEFT_BEHIND in found else "P4", f"lakes seed {number}: {found}")
