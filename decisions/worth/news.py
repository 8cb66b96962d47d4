"""What the tally of features does not know yet: the difference that what the ledger was told since makes to it.

Features count a customer's messages up to a midnight, the ledger hears of them at once. Both sides are counted
here from the ledger's events alone, by the definitions of :mod:`features.tables.tally`: as a build at that
midnight counted them, and as a build at this moment would. The second less the first, added to the tally of
features, is what such a build would say; what both know takes itself off, so that each event counts once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from decisions.worth.joining import joined
from decisions.worth.ripening import ripe
from decisions.worth.told import REACTIONS, SENT
from features.vocabulary import PRESSURE_HALF_LIFE_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from decisions.worth.told import Told

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Marks = NDArray[np.bool_]

NEWS_DAYS = 63
"""How far back events must be known: a message nine half-lives old weighs 1/512, and is ripe but for 1e-8."""

NEVER = -(2**62)
"""Before all that happens: up to when features know of a customer of whom they know nothing. Its negative is a
moment after all."""

_DAY = 86_400_000_000.0
_KINDS = {kind: number for number, kind in enumerate((SENT, *REACTIONS))}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class News:
    """Differences of tallies: element i is of the customer of ``row[i]`` and of ``pairs[pair[i]]``.

    ``pairs`` are ``"offer|channel"``; ``counts`` has by count, as the fields of
    :class:`decisions.worth.tally.Tally` are called, what is to be added. It may be negative: a machine's open
    hides a message that was not hidden before.
    """

    row: Ints
    pair: Ints
    pairs: tuple[str, ...]
    counts: Mapping[str, Floats]


@dataclass(frozen=True, slots=True, eq=False)
class _Events:
    """Events as one matrix, a column each, so that choosing some of them is one step.

    Its rows are customer, kind, moment, whether a machine did it, two names (numbers below ``known``; ``known``
    itself: none) and the pair that a report names (−1: none).
    """

    matrix: Ints
    known: int

    def of(self, which: Ints | Marks) -> _Events:
        return _Events(self.matrix[:, which], self.known)

    @property
    def customer(self) -> Ints:
        return self._row(0)

    @property
    def kind(self) -> Ints:
        return self._row(1)

    @property
    def occurred(self) -> Ints:
        return self._row(2)

    @property
    def by_machine(self) -> Marks:
        return np.asarray(self._row(3) > 0)

    @property
    def names(self) -> Ints:
        return np.asarray(self.matrix[4:6].T)

    @property
    def pair(self) -> Ints:
        return self._row(6)

    def _row(self, number: int) -> Ints:
        return np.asarray(self.matrix[number])


def news(told: Sequence[Told], rows: Mapping[str, int], *, built: Ints, heard: int, now: int) -> News | None:
    """Return what ``told`` adds at ``now`` to the tallies of ``rows``; None where nothing was told.

    Args:
        told: Events of these customers that happened from ``now`` − 63 days on, told by ``now``; sorted by
            customer, moment and event id.
        rows: The row of each customer.
        built: By row, up to which moment features know what happened; :data:`NEVER` where they know nothing.
        heard: Up to when what was told was in those features (the build began then), or a moment beyond all.
        now: Microseconds since 1970 UTC, as all moments.
    """
    if not told:
        return None
    events, pairs = _coded(told, rows)
    received = np.array([each.received for each in told])
    before = np.flatnonzero((events.occurred < built[events.customer]) & (received <= heard))
    both = _side_by_side(events, before, np.flatnonzero(events.occurred < now), len(rows))
    moments = np.concatenate([built, np.full(len(rows), now)])
    customer, pair, counts = _counted(both, moments)
    sign = np.where(customer < len(rows), -1.0, 1.0)
    cells, summed = _by_cell((customer % len(rows)) * len(pairs) + pair, sign * np.array([*counts.values()]))
    row, place = np.divmod(cells, max(1, len(pairs)))
    return News(row=row, pair=place, pairs=pairs, counts=dict(zip(counts, summed, strict=True)))


def _by_cell(cell: Ints, values: Floats) -> tuple[Ints, Floats]:
    """Return each cell once, and the sums of the columns of ``values`` that are of it."""
    order = np.argsort(cell, kind="stable")
    ordered = cell[order]
    first = np.flatnonzero(
        np.concatenate([np.ones(min(1, len(cell)), dtype=np.bool_), ordered[1:] != ordered[:-1]])
    )
    return ordered[first], np.add.reduceat(values[:, order], first, axis=1) if len(first) else values


def _coded(told: Sequence[Told], rows: Mapping[str, int]) -> tuple[_Events, tuple[str, ...]]:
    named, pairs = _Numbers(), _Numbers()
    decisions = [named.of(each.decision_id and (each.customer_id, "decision", each.decision_id)) for each in told]
    messages = [named.of(each.message_id and (each.customer_id, "message", each.message_id)) for each in told]
    said = [
        pairs.of(f"{each.offer_id or ''}|{each.channel}" if each.kind == SENT and each.channel else None)
        for each in told
    ]
    matrix = np.array(
        [
            [rows[each.customer_id] for each in told],
            [_KINDS[each.kind] for each in told],
            [each.occurred for each in told],
            [each.automated for each in told],
            decisions,
            messages,
            said,
        ]
    )
    names = matrix[4:6]
    names[names < 0] = len(named.known)
    return _Events(matrix, len(named.known)), tuple(pairs.known)


class _Numbers:
    """Numbers things as they come; what is nothing is −1."""

    def __init__(self) -> None:
        self.known: dict[Any, int] = {}

    def of(self, thing: Any) -> int:
        return self.known.setdefault(thing, len(self.known)) if thing else -1


def _side_by_side(events: _Events, before: Ints, after: Ints, rows: int) -> _Events:
    """Return what was known then and what is known now as the events of different customers, under other names."""
    then, now = events.matrix[:, before], events.matrix[:, after]
    now[0] += rows
    now[4:6] += events.known
    then[4:6][then[4:6] == events.known] = 2 * events.known
    return _Events(np.concatenate([then, now], axis=1), 2 * events.known)


def _counted(events: _Events, moments: Ints) -> tuple[Ints, Ints, dict[str, Floats]]:
    """Return customer, pair and counts of each message that names a channel, as old as it is at ``moments``."""
    is_sent = events.kind == _KINDS[SENT]
    reports, reactions = events.of(is_sent), events.of(~is_sent)
    messages = joined(reports.names, events.known)
    heads, teller = messages.heads, messages.first(reports.pair >= 0)
    done = _done(reactions, messages.by_name, len(reports.kind))
    pressure = _pressure(reports.customer[heads], reports.occurred[heads])
    counted = teller[heads] < len(reports.kind)
    heads, pressure = heads[counted], pressure[counted]
    customer = reports.customer[heads]
    age = (moments[customer] - reports.occurred[heads]) / _DAY
    counts = _counts({name: each[heads] for name, each in done.items()}, ripe(age), pressure)
    return customer, reports.pair[teller[heads]], counts


def _done(reactions: _Events, by_name: Ints, size: int) -> dict[str, Marks]:
    """Say of each report that heads a message what was done to the message."""
    person = ~reactions.by_machine
    opened, clicked, converted, bounced = (reactions.kind == _KINDS[kind] for kind in REACTIONS)
    did = {
        "machine": opened & reactions.by_machine,
        "bounced": bounced,
        "opened": opened & person,
        "clicked": clicked & person,
        "converted": converted,
        "seen": (opened | clicked | converted) & person,
    }
    about = by_name[reactions.names]
    done = {name: np.zeros(size + 1, dtype=np.bool_) for name in did}  # the last: about no message
    for name, each in did.items():
        done[name][about[each].ravel()] = True
    return done


def _pressure(customer: Ints, occurred: Ints) -> Floats:
    """Return what each message's earlier messages weigh, half with every week; messages in their order."""
    if not len(customer):
        return np.zeros(0)
    power = np.exp2((occurred - occurred.min()) / (PRESSURE_HALF_LIFE_DAYS * _DAY))
    before = np.cumsum(power) - power
    first = np.flatnonzero(np.diff(customer, prepend=-1))
    own = np.repeat(before[first], np.diff(first, append=len(customer)))
    pressure: Floats = (before - own) / power
    return pressure


def _counts(done: Mapping[str, Marks], share: Floats, pressure: Floats) -> dict[str, Floats]:
    hidden, plain = done["machine"], ~done["machine"]
    exposed = np.where(plain & ~done["bounced"], share, 0.0)
    covered = np.where(hidden, share, 0.0)
    marks = {
        "opened": plain & done["opened"],
        "seen": plain & done["seen"],
        "clicked": plain & done["clicked"],
        "hidden_clicked": hidden & done["clicked"],
        "ordered": plain & done["converted"],
        "hidden_ordered": hidden & done["converted"],
    }
    return {
        "sent": np.ones(len(share)),
        "exposed": exposed,
        "pressed": exposed * pressure,
        "hidden": covered,
        "hidden_pressed": covered * pressure,
        **{name: each.astype(np.float64) for name, each in marks.items()},
    }
