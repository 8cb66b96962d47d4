"""Erasures that die on the way: ``python -m tests.worlds.erasure_workers HOME...`` kills one run in each home.

One process imports what is slow and forks a child for each home, so that a death costs no start. A home's name
ends in the step at which its run dies, as in ``killed-7``; at 0 it lives, and the number of steps is printed.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from decisions.ledger.storage.session import Database
from pipelines.jobs.erasing import finish_erasures
from runtime.build import build
from tests.worlds.privacy import home_in


def _changes_a_file(event: str, given: tuple) -> bool:
    if event == "open":
        return isinstance(given[1], str) and bool(set(given[1]) & set("wax+"))
    return event in {"os.rename", "os.remove", "shutil.rmtree", "sqlite3.connect"}


def finish(home: Path, die_at: int) -> int:
    """Finish what is pending; die at the given step, or return how many steps there were."""
    count = 0

    def step():
        nonlocal count
        count += 1
        if count == die_at:
            os.kill(os.getpid(), signal.SIGKILL)

    honest = Database.scrub

    def scrub(database):
        step()  # by now the id is struck out
        honest(database)
        step()  # by now the file is rewritten

    Database.scrub = scrub
    with build(home_in(home)) as kairos:
        sys.addaudithook(lambda event, given: step() if _changes_a_file(event, given) else None)
        finish_erasures(kairos)
        return count


def main(homes: list[str]) -> None:
    for home in homes:
        child = os.fork()
        if not child:
            print(finish(Path(home), int(home.rpartition("-")[2])), flush=True)  # noqa: T201 - its answer
            os._exit(0)
        _, status = os.waitpid(child, 0)
        died = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        assert died or home.endswith("-0"), f"{home} ended otherwise: {status}"


if __name__ == "__main__":
    main(sys.argv[1:])
