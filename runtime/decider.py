"""From questions to recorded decisions: the one road that the service, the plan and the command line all take.

Features are read and models asked first, for all questions at once and outside any lock. Then, customer by
customer and under that customer's lock, one transaction reads the ledger's state, decides, reserves and records.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from decisions.canonical import canonical, digest
from decisions.decide import AskError, decide
from decisions.ledger import Recording, RequestConflict
from decisions.records import Ask, BudgetState, CustomerState, Decision
from decisions.replay import freeze
from features.contracts import Customer

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from decisions.catalogue import Catalogue
    from decisions.ledger import Ledger, Transaction
    from decisions.policy import Policy
    from decisions.records import Keys, Scores
    from runtime.clock import Clock
    from runtime.scored import Scored

NO_BUDGETS = BudgetState()
"""Nothing is priced and nothing exhausted."""

Refusal = RequestConflict | AskError
"""What is the caller's to mend: the id is taken by another question, or the question names what is not there."""


class Purse(Protocol):
    """Shared budgets, as a plan spends them decision by decision."""

    def open(self, transaction: Transaction) -> None:
        """Find out what is left, under the block's lock and before its first draw."""
        ...

    def state(self) -> BudgetState:
        """Return the prices and exhausted channels as they stand before the next draw."""
        ...

    def spend(self, decision: Decision) -> None:
        """Take note of a decision that was just made."""
        ...


class Decider:
    """Answers questions. Safe to use from many threads; the ledger serialises those about one customer."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        scored: Scored,
        policy: Policy,
        catalogue: Catalogue,
        keys: Keys,
        keys_id: str,
        clock: Clock,
    ) -> None:
        self._ledger = ledger
        self._scored = scored
        self._policy = policy
        self._catalogue = catalogue
        self._keys = keys
        self._keys_id = keys_id
        self._clock = clock

    def decide(
        self,
        asks: Sequence[Ask],
        *,
        budgets: BudgetState = NO_BUDGETS,
        now: datetime | None = None,
    ) -> list[Decision]:
        """Return the decision on each question, in order. The same request again gives the same decision.

        Raises:
            RequestConflict: where a request id was answered for another question.
            AskError: where a question names a campaign or offer that the catalogue has not.
        """
        answers = self.attempt(asks, budgets=budgets, now=now)
        return [_or_raise(answer) for answer in answers]

    def attempt(
        self,
        asks: Sequence[Ask],
        *,
        budgets: BudgetState = NO_BUDGETS,
        now: datetime | None = None,
    ) -> list[Decision | Refusal]:
        """Return the decision on each question, or why that one cannot be answered; the others stand."""
        moment = now or self._clock.now()
        scores = self._scored.of([ask.customer_id for ask in asks], now=moment)
        return [self._one(ask, scores[ask.customer_id], budgets, moment) for ask in asks]

    def decide_block(self, asks: Sequence[Ask], *, purse: Purse, now: datetime | None = None) -> list[Decision]:
        """Decide for a block of different customers in one transaction, spending ``purse`` as it goes.

        The plan's road: one lock and one write for the block. Keep blocks at some hundreds; others wait meanwhile.

        Raises:
            ValueError: where a customer is asked about twice: the second answer would not know of the first.
            RequestConflict, AskError: as :meth:`decide`; nothing of the block is then recorded.
        """
        _refuse_doubles(asks)
        moment = now or self._clock.now()
        scores = self._scored.of([ask.customer_id for ask in asks], now=moment)
        with self._ledger.transaction_many(list(scores)) as transaction:
            known = transaction.find_requests([ask.request_id for ask in asks])
            states = transaction.states(list(scores), moment)
            purse.open(transaction)
            block = _Block(self, purse, moment)
            answers = [
                _same(ask, *known[ask.request_id])
                if ask.request_id in known
                else block.decide(ask, scores[ask.customer_id], states[ask.customer_id])
                for ask in asks
            ]
            transaction.record_many(block.recordings)
        return answers

    def scores(self, customers: Sequence[str], *, now: datetime | None = None) -> Mapping[str, Scores]:
        """Return what the models say of each customer now, by customer."""
        return self._scored.of(customers, now=now or self._clock.now())

    def preview(
        self, asks: Sequence[Ask], *, budgets: BudgetState = NO_BUDGETS, now: datetime | None = None
    ) -> list[Decision]:
        """Return what the decision on each question would be; nothing is reserved and nothing recorded."""
        moment = now or self._clock.now()
        customers = [ask.customer_id for ask in asks]
        scores, states = self._scored.of(customers, now=moment), self._ledger.states(customers, moment)
        made = (self.make(ask, scores[ask.customer_id], states[ask.customer_id], budgets, moment) for ask in asks)
        return [each.decision for each in made]

    def rehearse(self) -> None:
        """Decide for a customer nobody knows and record nothing, so that the first real answer need not wait."""
        ask = Ask(request_id="rehearsal", customer_id="rehearsal")
        nobody = CustomerState(customer=Customer(customer_id=ask.customer_id), known=False)
        now = self._clock.now()
        self.make(ask, self._scored.of([ask.customer_id], now=now)[ask.customer_id], nobody, NO_BUDGETS, now)

    def _one(self, ask: Ask, scores: Scores, budgets: BudgetState, now: datetime) -> Decision | Refusal:
        try:
            with self._ledger.transaction(ask.customer_id) as transaction:
                return self._within(transaction, ask, scores, budgets, now)
        except (RequestConflict, AskError) as refusal:
            return refusal

    def _within(
        self, transaction: Transaction, ask: Ask, scores: Scores, budgets: BudgetState, now: datetime
    ) -> Decision:
        if known := transaction.find_request(ask.request_id):
            return _same(ask, *known)
        made = self.make(ask, scores, transaction.state(ask.customer_id, now), budgets, now)
        return transaction.record(made.decision, body_hash=made.body_hash, frozen=made.frozen)

    def make(
        self, ask: Ask, scores: Scores, state: CustomerState, budgets: BudgetState, now: datetime
    ) -> Recording:
        """Return the decision with all that recording and replaying it takes; write nothing."""
        decision = decide(
            ask,
            policy=self._policy,
            catalogue=self._catalogue,
            scores=scores,
            state=state,
            now=now,
            keys=self._keys,
            budgets=budgets,
        )
        frozen = freeze(
            ask,
            policy=self._policy,
            catalogue=self._catalogue,
            scores=scores,
            state=state,
            now=now,
            keys_id=self._keys_id,
            budgets=budgets,
            whole=False,  # the ledger keeps each version of policy and catalogue once (runtime.build)
        )
        return Recording(decision=decision, body_hash=body_hash(ask), frozen=frozen)


class _Block:
    """The decisions of one block as they are made, and what is to be recorded of them."""

    def __init__(self, decider: Decider, purse: Purse, now: datetime) -> None:
        self.recordings: list[Recording] = []
        self._decider = decider
        self._purse = purse
        self._now = now

    def decide(self, ask: Ask, scores: Scores, state: CustomerState) -> Decision:
        made = self._decider.make(ask, scores, state, self._purse.state(), self._now)
        self.recordings.append(made)
        self._purse.spend(made.decision)
        return made.decision


def body_hash(ask: Ask) -> str:
    """Return what tells two questions apart that came under one request id."""
    return digest(canonical(ask))


def _same(ask: Ask, decision: Decision, known_hash: str) -> Decision:
    if known_hash != body_hash(ask):
        raise RequestConflict(ask.request_id)
    return decision


def _or_raise(answer: Decision | Refusal) -> Decision:
    if isinstance(answer, Decision):
        return answer
    raise answer


def _refuse_doubles(asks: Iterable[Ask]) -> None:
    seen: set[str] = set()
    for ask in asks:
        if ask.customer_id in seen:
            raise ValueError("a block holds each customer once; ask again in a later block")
        seen.add(ask.customer_id)
