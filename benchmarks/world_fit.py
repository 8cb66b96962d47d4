"""Do the simulated worlds look like real message logs? Every family's figures beside the log it is matched to.

Yardstick: figures of two public message logs, within the tolerance that each family states.

    python -m benchmarks.world_fit [--customers N] [--days N] [--seeds K] [--json]

Figures are means over seeds, with a 95% interval (Student's t) of the mean; targets and tolerances are the
families' own, and a mean outside its tolerance is said to be out. Beside them, from the truth: how much likelier
the best permitted hour makes it that a message is seen (`send_time_reach`), and what one e-mail every three days
is worth per customer in 60 days (`static_mail_euros`).

Rates are of e-mails sent. `opened_gap_1_2`: opened, where the message before went 1–2 days earlier; `person_mean`
and `person_spread`: mean and standard deviation of people's own rates of opening; `within_24_hours`: of the
opens; `median_hours`: from sending to opening.

The test suite holds the tolerances on 60 days of history. Here it is the 150 that worlds have before day 0, and
an address that bounced hard gets no more e-mail, so that rate falls as history goes on.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
from rich.text import Text

from benchmarks.arguments import positive
from benchmarks.machine import line, machine
from measures.intervals import mean
from measures.outcome import NotComputable
from pipelines.console import answer
from simulation.account import Account
from simulation.arena.opportunity import Opportunity
from simulation.calendar import HOUR
from simulation.families import FAMILIES
from simulation.fit.figures import figures, mails, send_time_reach
from simulation.fit.logs import targets
from simulation.messages import Messages
from simulation.world import World

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from simulation.family import Family

STATIC_DAYS = 60
REFILL = 2
"""The offer of the static mail: a small incentive."""


def one(family: Family, *, customers: int, days: int, seed: int) -> Mapping[str, float]:
    """Return every figure of one world by name."""
    world = World.of(family, customers=customers, seed=seed, history=days)
    log = pa.concat_tables([day.events for day in world.past()])
    found = figures(mails(log), world.people.proxy)
    reach = send_time_reach(world, Opportunity(), np.arange(min(customers, 500)))
    return {
        **{name: figure.value for name, figure in found.items()},
        "send_time_reach": float(reach.mean()),
        "static_mail_euros": _static(world).value / customers,
    }


def _static(world: World) -> Account:
    """Return what an e-mail every three days at noon UTC does."""
    account, asked = Account(), Opportunity()
    for day in range(STATIC_DAYS):
        who = asked.asked(world.state.size, day)
        same = np.zeros(len(who), dtype=np.int64)
        noon = same + world.calendar.midnight(day) + 12 * HOUR
        account += world.live(Messages.of(who, same + REFILL, same, noon)).account
    return account


def run(
    names: Iterable[str] = tuple(FAMILIES), *, customers: int = 2000, days: int = 150, seeds: int = 5
) -> Mapping[str, Any]:
    """Return by family its log and, by figure, value, interval, target, tolerance and whether it is ``within`` it.

    The last three are null where the family states no tolerance.
    """
    result = {}
    for name in names:
        family = FAMILIES[name]
        worlds = [one(family, customers=customers, days=days, seed=seed) for seed in range(seeds)]
        shown = {figure: _summary([world[figure] for world in worlds if figure in world]) for figure in worlds[0]}
        aims = targets(family)
        result[name] = {
            "matched_to": family.matched_to,
            "figures": {
                figure: {**summary, **_judged(summary["value"], aims.get(figure), family.tolerances.get(figure))}
                for figure, summary in shown.items()
            },
        }
    return {"customers": customers, "days": days, "seeds": seeds, "families": result}


def _summary(values: Sequence[float]) -> Mapping[str, Any]:
    """Return mean and interval; of one world alone no interval can be said."""
    found = mean(values)
    if isinstance(found, NotComputable):
        return {"value": float(np.mean(values)), "interval": None}
    return {"value": found.estimate, "interval": [found.low, found.high]}


def _judged(value: float, target: float | None, tolerance: float | None) -> Mapping[str, Any]:
    within = None if target is None or tolerance is None else abs(value - target) <= tolerance * target
    return {"target": target, "tolerance": tolerance, "within": within}


def table(result: Mapping[str, Any]) -> str:
    """Return the result as lines to read."""
    lines = []
    for name, family in result["families"].items():
        lines.append(f"{name} (matched to {family['matched_to']})")
        lines += [f"  {figure:18} {_line(shown)}" for figure, shown in family["figures"].items()]
    return "\n".join(lines)


def _line(shown: Mapping[str, Any]) -> str:
    interval = "" if shown["interval"] is None else "[{:.4f}, {:.4f}]".format(*shown["interval"])
    return f"{shown['value']:8.4f}  {interval:20}  {_aim(shown)}".rstrip()


def _aim(shown: Mapping[str, Any]) -> str:
    if shown["target"] is None:
        return ""
    return f"target {shown['target']:.4f} ± {shown['tolerance']:.0%}{'' if shown['within'] else ': out'}"


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=positive, default=2000)
    parser.add_argument("--days", type=positive, default=150, help="of history")
    parser.add_argument("--seeds", type=positive, default=5)
    parser.add_argument("--json", action="store_true", help="one object on the last line")
    given, begin = parser.parse_args(), time.monotonic()
    result = run(customers=given.customers, days=given.days, seeds=given.seeds)
    found, seconds = machine(), time.monotonic() - begin
    shown = Text(f"{table(result)}\n{line(found)}; {seconds:.0f} s")
    answer([shown], {**result, "machine": found, "seconds": seconds}, as_json=given.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
