"""Eight processes on the same hundred customers: caps hold, one request has one answer, one confirm is given."""

from __future__ import annotations

import random
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING, Any

from benchmarks.promises.kills import check_once, judge
from benchmarks.promises.processes import side_by_side
from benchmarks.promises.worker import Said, digest
from benchmarks.promises.world import NOW, PURPOSES, decider, open_ledger, people, settle
from decisions.records import Ask

if TYPE_CHECKING:
    from benchmarks.promises.stores import Store
    from benchmarks.promises.tally import Tally
    from decisions.records import Decision

HAMMERS = 8
CUSTOMERS = 100


def hammer(store: Store, *, processes: int, asks: int, seed: int, tally: Tally) -> None:
    """Let ``processes`` ask at once about the same customers, and then ask all permissions at once."""
    url = store.fresh()
    with open_ledger(url) as ledger:
        settle(ledger, people(CUSTOMERS, seed=seed), refused=0.05)
    answers = side_by_side(_ask, [(url, f"{seed}-{each}", asks) for each in range(processes)])
    same = side_by_side(_ask_the_same, [(url, seed, asks // 4)] * processes)
    sends = [key for key, at in chain.from_iterable(answers) if at]
    verdicts = side_by_side(_confirm, [(url, sends, seed + each) for each in range(processes)])
    check_once([*chain.from_iterable(same), *chain.from_iterable(verdicts)], tally)
    _check_permissions(url, sends, list(chain.from_iterable(verdicts)), tally)
    tally.count(judge(url))


def _ask(barrier: Any, url: str, name: str, asks: int) -> list[tuple[str, bool]]:
    """Ask questions of one's own; return each decision and whether it is a send."""
    with open_ledger(url, synchronous="normal") as ledger:
        desk, dice = decider(ledger), random.Random(name)  # noqa: S311  # repeatable, not a secret
        barrier.wait()
        made = [_one(desk, dice, f"{name}-{number}") for number in range(asks)]
    return [(each.decision_id, each.action == "send") for each in made]


def _one(desk: Any, dice: random.Random, request_id: str) -> Decision:
    purpose = dice.choice(("marketing", "marketing", *PURPOSES[:2]))
    who = f"c{dice.randrange(CUSTOMERS)}"
    (decision,) = desk.decide([Ask(request_id=request_id, customer_id=who, purpose=purpose)], now=NOW)
    made: Decision = decision
    return made


def _ask_the_same(barrier: Any, url: str, seed: int, asks: int) -> list[Said]:
    """Ask what every other process asks at the same moment."""
    with open_ledger(url, synchronous="normal") as ledger:
        desk, dice = decider(ledger), random.Random(seed)  # noqa: S311  # as above
        barrier.wait()
        made = [_one(desk, dice, f"same-{number}") for number in range(asks)]
    return [
        Said(what="decided", key=each.decision_id, request_id=each.request_id, digest=digest(each))
        for each in made
    ]


def _confirm(barrier: Any, url: str, keys: list[str], seed: int) -> list[Said]:
    """Ask permission for everything, each process in an order of its own; return what was permitted."""
    with open_ledger(url, synchronous="normal") as ledger:
        moments = {key: ledger.decision(key).send_at or NOW for key in keys}
        random.Random(seed).shuffle(keys)  # noqa: S311  # as above
        barrier.wait()
        verdicts = [ledger.confirm(key, moments[key]) for key in keys]
    return [Said(what="confirmed", key=each.decision_id) for each in verdicts if each.status == "confirmed"]


def _check_permissions(url: str, keys: list[str], permitted: list[Said], tally: Tally) -> None:
    """What stands as confirmed is what somebody was given permission for, neither more nor less."""
    given = Counter(each.key for each in permitted)
    with open_ledger(url) as ledger:
        for key in keys:
            if (ledger.decision(key).state == "confirmed") != (given[key] > 0):
                tally.lost += 1
                tally.broken("P5", f"confirmed for nobody, or a permission lost ({key})")
