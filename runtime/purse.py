"""The purse: the places of shared budgets that this worker has in hand, and what it spends of them.

Leases are taken in short transactions of their own, before a decision is made; so what is exhausted is fixed
before the draw, and the propensity stays exact. The places are spent in the transaction that records the decision.
Where a lease ran out in between, nothing is repaired: the decision is made anew, with what is in hand then.
"""

from __future__ import annotations

from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, timedelta
from threading import Lock
from types import MappingProxyType
from typing import TYPE_CHECKING

from decisions.ledger import Lease, LeaseLost, LedgerError
from decisions.records import BudgetState

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from decisions.ledger import Budgets, Standing, Transaction
    from decisions.records import CustomerState, Decision
    from runtime.clock import Clock

LASTS = timedelta(minutes=3)
"""How long a lease is for: so long the places of a worker that died are missing."""
MARGIN = timedelta(seconds=30)
"""A lease with less time left is exchanged before it is used: a block takes a moment to decide."""


@dataclass(slots=True)
class _Held:
    """A lease in hand. ``left`` is this worker's own count; the ledger's row has the last word.

    ``tabs`` are open on it just now. Each is sure of a place: were two to draw for the last one, who comes second
    would be decided anew because of how the draw fell, and the propensity recorded for it would be wrong.
    """

    lease: Lease
    left: int
    tabs: int = 0

    @property
    def free(self) -> int:
        """Places that no open tab is sure of."""
        return self.left - self.tabs


class Tab:
    """What may be spent between two looks at the purse, and what was. ``state`` is fixed from its beginning."""

    def __init__(self, state: BudgetState, held: Mapping[str, _Held], clock: Clock) -> None:
        self.state = state
        self.taken: Counter[str] = Counter()
        self.leases = {channel: each.lease for channel, each in held.items()}
        self._left = {channel: each.free for channel, each in held.items()}
        self._clock = clock

    def take(self, decision: Decision, known: CustomerState) -> None:
        """Take note of a decision that was just made on ``known``."""
        if decision.channel in self.leases and takes_a_place(decision, known):
            self.taken[decision.channel] += 1

    @property
    def used_up(self) -> bool:
        """Whether a channel that was not exhausted has no place left: look into the purse again."""
        return any(count >= self._left[channel] for channel, count in self.taken.items())

    def settle(self, transaction: Transaction) -> None:
        """Spend what was taken, together with what the transaction records.

        Raises:
            LeaseLost: where a lease ran out meanwhile; nothing of the transaction may stand.
        """
        for channel, count in sorted(self.taken.items()):
            transaction.spend(self.leases[channel], count, self._clock.now())


class Purse:
    """The places one worker, or one plan, has in hand. Safe to share between threads.

    Args:
        budgets: Where places are leased.
        limits: Places of one day by channel; a channel without an entry has no limit.
        clock: Says how long leases last (a plan's decisions may all carry the moment at which it began).
        days: The UTC days whose places may be spent; empty: the UTC day on which each decision is made.
        prices: What a place costs, by channel, before the draw.
    """

    def __init__(
        self,
        budgets: Budgets,
        limits: Mapping[str, int],
        *,
        clock: Clock,
        days: Sequence[date] = (),
        prices: Mapping[str, float] = MappingProxyType({}),
    ) -> None:
        self._budgets = budgets
        self._limits = dict(limits)
        self._clock = clock
        self._days = tuple(days)
        self._prices = dict(prices)
        self._hand: dict[str, _Held] = {}
        self._lock = Lock()

    @contextmanager
    def open(self, moment: datetime) -> Iterator[Tab]:
        """Lend a tab for decisions made at ``moment``, with places leased for every channel that has some left.

        Open it outside any transaction of the ledger, and settle it inside the one that records.

        Raises:
            LeaseLost: as :meth:`Tab.settle`; the lost lease is then out of hand: open anew and decide again.
        """
        with self._lock:
            held = {channel: each for channel in self._limits if (each := self._in_hand(channel, moment))}
            tab = Tab(self._state(set(self._limits) - set(held)), held, self._clock)
            for each in held.values():
                each.tabs += 1
        spent: Counter[str] = Counter()
        try:
            yield tab
            spent = tab.taken
        except LeaseLost as lost:
            self._drop(tab.leases[lost.channel])
            raise
        finally:
            self._close_tab(held, spent)

    def look(self, moment: datetime) -> BudgetState:
        """Return what a decision at ``moment`` would find, leasing nothing."""
        in_hand = {channel for channel, held in self._hand.items() if held.left > 0}
        standing = self.standing(moment)
        return self._state({name for name, each in standing.items() if not each.left} - in_hand)

    def standing(self, moment: datetime) -> dict[str, Standing]:
        """Return how the budgets of the days that a decision at ``moment`` may spend stand, by channel."""
        if not self._limits:
            return {}
        return self._budgets.standing(self._days_of(moment), self._limits, self._clock.now())

    def close(self) -> None:
        """Give back what is in hand and not spent; the purse may be opened again."""
        with self._lock:
            leases = [held.lease.lease_id for held in self._hand.values()]
            self._hand.clear()
            self._budgets.release(leases)

    def _state(self, exhausted: set[str]) -> BudgetState:
        return BudgetState(prices=self._prices, exhausted=frozenset(exhausted))

    def _days_of(self, moment: datetime) -> tuple[date, ...]:
        return self._days or (moment.astimezone(UTC).date(),)

    def _in_hand(self, channel: str, moment: datetime) -> _Held | None:
        """Return a lease with a place left, of the right day and with time enough, leasing one where need be."""
        days, now, held = self._days_of(moment), self._clock.now(), self._hand.get(channel)
        if held and held.free > 0 and held.lease.day in days and held.lease.until - now > MARGIN:
            return held
        if held and not held.tabs:
            del self._hand[channel]
            self._budgets.release([held.lease.lease_id])
        lease = self._budgets.lease(channel, days, limit=self._limits[channel], now=now, ttl=LASTS)
        if lease is None:
            return None
        self._hand[channel] = _Held(lease, lease.places)  # the last tab of the one before gives its rest back
        return self._hand[channel]

    def _close_tab(self, held: Mapping[str, _Held], spent: Mapping[str, int]) -> None:
        """Count what a tab spent, and give back what is left of leases that are no longer in hand."""
        with self._lock:
            for channel, each in held.items():
                each.tabs -= 1
                each.left -= spent.get(channel, 0)
            over = [
                each.lease.lease_id
                for channel, each in held.items()
                if not each.tabs and self._hand.get(channel) is not each
            ]
        with suppress(LedgerError):  # the decision stands already; what is not given back runs out
            self._budgets.release(over)

    def _drop(self, lease: Lease) -> None:
        """Put a lease out of hand: it has run out, or the ledger knows of more places spent than this worker."""
        with self._lock:
            held = self._hand.get(lease.channel)
            if held and held.lease == lease:
                del self._hand[lease.channel]
        self._budgets.release([lease.lease_id])


def takes_a_place(decision: Decision, known: CustomerState) -> bool:
    """Return whether a decision takes a place of its channel's budget.

    A message that is sent for marketing or service does, whatever becomes of it. One that displaces another on
    the same channel goes in the other's place.
    """
    if decision.action != "send" or decision.purpose == "transactional":
        return False
    return all(
        place.channel != decision.channel
        for place in known.pressure
        if decision.displaces and place.decision_id == decision.displaces
    )
