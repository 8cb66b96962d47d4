"""P7: whoever is erased is in no table of the ledger, and not in a byte of its file."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import MetaData, create_engine, make_url, select, text

from benchmarks.promises.world import NOW, consent, decider, open_ledger, people, settle
from decisions.records import Ask
from features.contracts import Event

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

    from benchmarks.promises.stores import Store
    from benchmarks.promises.tally import Tally
    from decisions.ledger import Ledger
    from features.contracts import Customer


def erase_people(store: Store, *, count: int, seed: int, tally: Tally) -> None:
    """Let ``count`` people live in a ledger, erase every other one, and look for what is left of them."""
    url, dice = store.fresh(), random.Random(seed)  # noqa: S311  # repeatable, not a secret
    who = _someone(count, seed)
    with open_ledger(url) as ledger:
        settle(ledger, who)
        for each in who:
            _live(ledger, each.customer_id, dice)
        gone, staying = who[::2], who[1::2]
        for each in gone:
            ledger.erase(each.customer_id, NOW)
            tally.cases["P7"] += 1
        _come_late(ledger, [each.customer_id for each in gone], tally)
        # Here there is no other store: what is left is what the ledger's own file still holds of them.
        ledger.privacy.finish([each.erasure_id for each in ledger.privacy.pending()])
    for trace in traces(url, [each.customer_id for each in gone]):
        tally.broken("P7", trace)
    here = [each.customer_id for each in staying]
    if len(found_in_tables(url, here)) < len(here) or len(list(traces(url, here))) <= len(here) * _has_file(url):
        tally.broken("P7", "somebody who stayed is gone, or the search finds nobody")


def _someone(count: int, seed: int) -> list[Customer]:
    """Return people of whom no name is the beginning of another's: they are searched for in bytes."""
    every = enumerate(people(count, seed=seed), start=100_000)
    return [each.model_copy(update={"customer_id": f"someone-{seed}-{number}"}) for number, each in every]


def _live(ledger: Ledger, customer_id: str, dice: random.Random) -> None:
    desk = decider(ledger)
    asks = [Ask(request_id=f"{customer_id}-{n}", customer_id=customer_id, purpose="service") for n in range(2)]
    made = desk.decide(asks, now=NOW)
    if made[0].send_at and dice.random() < 0.5:  # noqa: PLR2004  # every other one
        ledger.confirm(made[0].decision_id, made[0].send_at)
    ledger.take_events([_event(customer_id, "sent"), _event(customer_id, "clicked")], NOW)
    ledger.append_consents([consent(customer_id, "sms", "marketing", "withdrawn", at=NOW)], NOW)


def _event(customer_id: str, kind: str) -> Event:
    return Event.model_validate(
        {
            "event_id": f"{customer_id}-{kind}",
            "customer_id": customer_id,
            "type": kind,
            "occurred_at": NOW,
            "channel": "email",
            "message_id": f"m-{customer_id}",
        }
    )


def _come_late(ledger: Ledger, gone: list[str], tally: Tally) -> None:
    for each in gone:
        (verdict,) = ledger.take_events([_event(each, "opened")], NOW)
        if verdict.status != "erased":
            tally.broken("P7", f"a late event brought somebody back: {verdict.status}")


def traces(url: str, customer_ids: list[str]) -> Iterator[str]:
    """Yield where erased people are still found."""
    for each, table in found_in_tables(url, customer_ids).items():
        yield f"{each} is still in table {table}"
    path = make_url(url).database
    if _has_file(url) and path:
        yield from _in_bytes(Path(path), customer_ids)


def _has_file(url: str) -> bool:
    return url.startswith("sqlite")


def found_in_tables(url: str, customer_ids: list[str]) -> dict[str, str]:
    """Return the people found anywhere in a row, whatever its column, each with the table."""
    engine, tables = create_engine(url), MetaData()
    with engine.connect() as connection:
        tables.reflect(connection)
        found = {who: name for name in tables.tables for who in _in_table(connection, tables, name, customer_ids)}
    engine.dispose()
    return found


def _in_table(connection: Connection, tables: MetaData, name: str, customer_ids: list[str]) -> list[str]:
    rows = connection.execute(select(tables.tables[name])).all()
    everything = "\n".join(_readable(value) for row in rows for value in row)
    return [each for each in customer_ids if f"{each}\n" in everything or f'{each}"' in everything]


def _readable(value: object) -> str:
    plain = bytes(value).decode(errors="replace") if isinstance(value, (bytes, memoryview)) else str(value)
    return f"{plain}\n"


def _in_bytes(path: Path, customer_ids: list[str]) -> Iterator[str]:
    """Read the file as it lies on the disk, with its write-ahead log; a checkpoint empties the log first."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
    engine.dispose()
    content = b"".join(each.read_bytes() for each in sorted(path.parent.glob(f"{path.name}*")))
    left = sum(each.encode() in content for each in customer_ids)
    if left:
        yield f"{left} of {len(customer_ids)} erased people are still in the bytes of the file"
