"""Customers out of every store: the ledger at once, then lake, quarantine, snapshots and online store.

The ledger remembers who is still to be forgotten elsewhere, and forgets that last. So this may be killed anywhere
and run again: each step takes out whatever is left, and only when all are through does the entry go.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from decisions.ledger.actor import acting, actor
from features.erasing import erase_features
from features.files import clear_spill
from features.progress import Progress, quiet
from pipelines.jobs.taking_turns import taking_turns
from runtime.lake import lake_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from decisions.ledger import Pending
    from runtime.build import Kairos

STEPS = 3
"""Lake with quarantine, features, and the ledger's freed pages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureReport:
    """What an erasure took out: rows by store, the ledger's as ``ledger.<table>``.

    ``customers`` were asked for now, ``finished`` are all whom every store has forgotten with this run: those and
    whoever was asked for earlier, over HTTP for instance.
    """

    customers: int
    finished: int
    rows: Mapping[str, int]


def erase_customers(kairos: Kairos, customer_ids: Sequence[str], *, progress: Progress = quiet) -> ErasureReport:
    """Erase customers from every store, and with them whoever else is still pending."""
    rows: Counter[str] = Counter()
    with acting(actor() or "kairos customers erase"):
        for each in customer_ids:
            gone = kairos.ledger.privacy.erase(each, kairos.clock.now())
            rows.update({f"ledger.{table}": count for table, count in gone.items()})
    rest = finish_erasures(kairos, progress=progress)
    return ErasureReport(customers=len(customer_ids), finished=rest.finished, rows={**rows, **rest.rows})


def finish_erasures(kairos: Kairos, *, progress: Progress = quiet) -> ErasureReport:
    """Take out of the slower stores whomever the ledger has forgotten already; with nobody pending, do nothing."""
    with taking_turns(kairos.settings):
        pending = kairos.ledger.privacy.pending()
        if not pending:
            return ErasureReport(customers=0, finished=0, rows={})
        progress("erase", 0, STEPS)
        people = _people(pending)
        rows = _forget(kairos, people, progress) if people else {}
        kairos.ledger.privacy.finish([each.erasure_id for each in pending])
        progress("erase", STEPS, STEPS)
    return ErasureReport(customers=0, finished=len(pending), rows=rows)


def forget_in_the_lake(kairos: Kairos) -> None:
    """Take out of lake and quarantine whomever the ledger has forgotten; the erasure itself stays pending.

    The ledger takes an event under an id that somebody erased once had. So the lake has to let go of it before new
    events go in, or it would know the id still, and drop the new one.
    """
    if people := _people(kairos.ledger.privacy.pending()):
        lake_of(kairos.settings).erase(*people)


def _people(pending: Sequence[Pending]) -> list[str]:
    return [each.customer_id for each in pending if each.customer_id is not None]


def _forget(kairos: Kairos, people: Sequence[str], progress: Progress) -> dict[str, int]:
    lake = lake_of(kairos.settings)
    for spill in (lake.root / ".spill", lake.quarantine / ".spill"):
        clear_spill(spill)
    erased = lake.erase(*people)
    progress("erase", 1, STEPS)
    forgotten = erase_features(kairos.settings.features, people)
    progress("erase", 2, STEPS)
    return {
        "lake.events": erased.events,
        "lake.customers": erased.customers,
        "quarantine": erased.quarantined,
        "features.snapshots": forgotten.snapshots,
        "features.online": forgotten.online,
    }
