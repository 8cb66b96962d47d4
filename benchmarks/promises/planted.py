"""A violation planted behind the ledger's back: a recount that finds nothing has to be able to find something."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import create_engine, text

from benchmarks.promises.kills import judge
from benchmarks.promises.world import NOW, decider, open_ledger, people, settle
from decisions.records import Ask

if TYPE_CHECKING:
    from benchmarks.promises.stores import Store
    from pipelines.recount import Promise

_PLANTS: dict[Promise, str] = {
    "gaps": "UPDATE decision SET send_at = (SELECT max(send_at) FROM decision),"
    " expires_at = (SELECT max(expires_at) FROM decision) WHERE action = 'send'",
    "caps": "UPDATE decision SET channel = 'email', category = 'drinks', purpose = 'marketing'",
    "quiet": "UPDATE decision SET expires_at = expires_at + 86400000000",
    "consent": "DELETE FROM consent",
    "once": "INSERT INTO audit (customer_id, decision_id, what, at)"
    " SELECT a.customer_id, a.decision_id, 'confirmed', a.at"
    " FROM audit a, (SELECT 1 UNION ALL SELECT 2) AS twice WHERE a.what = 'reserved'",
    "whole": "DELETE FROM record",
}
"""What is done to the rows, by what the recount must then find."""


def finds_what_was_planted(store: Store) -> bool:
    """Return whether an honest ledger recounts to nothing, and one tampered with in any of these ways does not."""
    honest = _recounted(store, None)
    return not any(honest.values()) and all(_recounted(store, plant)[what] for what, plant in _PLANTS.items())


def _recounted(store: Store, plant: str | None) -> dict[Promise, int]:
    url = store.fresh()
    with open_ledger(url, synchronous="normal") as ledger:
        settle(ledger, people(20, seed=5))
        desk = decider(ledger)
        asks = [Ask(request_id=f"r{number}", customer_id=f"c{number % 20}") for number in range(60)]
        for number, ask in enumerate(asks):
            desk.decide([ask], now=NOW + timedelta(hours=number))
    if plant:
        _tamper(url, plant)
    return dict(judge(url).counts)


def _tamper(url: str, statement: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()
