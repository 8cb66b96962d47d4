"""From questions to recorded decisions: the one road that the service, the plan and the command line all take.

Features are read and models asked first, for all questions at once and outside any lock. Then, customer by
customer and under that customer's lock, one transaction reads the ledger's state, decides, reserves, records and
spends the place in a shared budget.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from decisions.canonical import canonical, digest
from decisions.decide import AskError, decide
from decisions.history import history_of
from decisions.ledger import CustomerErased, LeaseLost, Recording, RequestConflict
from decisions.records import Ask, BudgetState, CustomerState, Decision
from decisions.replay import freeze
from features.contracts import Customer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from decisions.catalogue import Catalogue
    from decisions.ledger import Ledger
    from decisions.policy import Policy
    from decisions.records import Keys, Scores
    from runtime.clock import Clock
    from runtime.purse import Purse, Tab
    from runtime.scored import Scored

T = TypeVar("T")

NO_BUDGETS = BudgetState()
"""Nothing is priced and nothing exhausted."""

Unanswerable = RequestConflict | AskError | CustomerErased
"""What is the caller's to mend: the id is taken by another question, the question names what is not there, or it
is about somebody who was erased."""

TRIES = 20
"""How often a decision is made anew because a lease ran out; a try fails only where others succeed meanwhile."""


class Decider:
    """Answers questions. Safe to use from many threads; the ledger serialises those about one customer."""

    def __init__(  # noqa: PLR0913 - everything a decision depends on, by name
        self,
        *,
        ledger: Ledger,
        scored: Scored,
        policy: Policy,
        catalogue: Catalogue,
        keys: Keys,
        keys_id: str,
        clock: Clock,
        purse: Purse,
    ) -> None:
        self._ledger = ledger
        self._scored = scored
        self._policy = policy
        self._catalogue = catalogue
        self._keys = keys
        self._keys_id = keys_id
        self._clock = clock
        self._purse = purse

    def decide(self, asks: Sequence[Ask], *, now: datetime | None = None) -> list[Decision]:
        """Return the decision on each question, in order. The same request again gives the same decision.

        Raises:
            RequestConflict: where a request id was answered for another question.
            AskError: where a question names a campaign or offer that the catalogue has not.
            CustomerErased: where a question is about a customer who was erased.
        """
        answers = self.attempt(asks, now=now)
        return [_or_raise(answer) for answer in answers]

    def attempt(self, asks: Sequence[Ask], *, now: datetime | None = None) -> list[Decision | Unanswerable]:
        """Return the decision on each question, or why that one cannot be answered; the others stand.

        Places of shared budgets come from this worker's own purse.
        """
        moment = now or self._clock.now()
        scores = self._scored.of([ask.customer_id for ask in asks], now=moment)
        return [self._one(ask, scores[ask.customer_id], moment) for ask in asks]

    def decide_block(self, asks: Sequence[Ask], *, purse: Purse, now: datetime | None = None) -> list[Decision]:
        """Decide for a block of different customers, spending ``purse`` as it goes.

        The plan's road: one lock and one write for the block, or for each stretch of it between two looks into
        the purse. Keep blocks at some hundreds; others wait meanwhile.

        Whoever was erased since the plan was begun is left out of the answer.

        Raises:
            ValueError: where a customer is asked about twice: the second answer would not know of the first.
            RequestConflict, AskError: as :meth:`decide`; nothing of that stretch is then recorded.
        """
        _refuse_doubles(asks)
        moment = now or self._clock.now()
        scores = self._scored.of([ask.customer_id for ask in asks], now=moment)
        answers: list[Decision | None] = []
        while rest := asks[len(answers) :]:
            answers += _anew(partial(self._stretch, rest, scores, purse, moment))
        return [each for each in answers if each]

    def _stretch(
        self, asks: Sequence[Ask], scores: Mapping[str, Scores], purse: Purse, now: datetime
    ) -> list[Decision | None]:
        """Decide for the first of ``asks``, in order, until a channel's places in hand are used up.

        None stands for somebody who was erased.
        """
        customers = [ask.customer_id for ask in asks]
        with purse.open(now) as tab, self._ledger.transaction_many(customers) as transaction:
            erased = transaction.erased(customers)
            known = transaction.find_requests([ask.request_id for ask in asks])
            states = transaction.states(customers, now)
            block = _Block(self, tab, now)
            answers: list[Decision | None] = []
            for ask in asks:
                if tab.used_up:
                    break
                found, who = known.get(ask.request_id), ask.customer_id
                if who in erased:
                    answers.append(None)
                else:
                    answers.append(_same(ask, *found) if found else block.decide(ask, scores[who], states[who]))
            tab.settle(transaction)
            transaction.record_many(block.recordings)
        return answers

    def scores(self, customers: Sequence[str], *, now: datetime | None = None) -> Mapping[str, Scores]:
        """Return what the models say of each customer now, by customer."""
        return self._scored.of(customers, now=now or self._clock.now())

    def preview(
        self, asks: Sequence[Ask], *, budgets: BudgetState | None = None, now: datetime | None = None
    ) -> list[Decision]:
        """Return what the decision on each question would be; nothing is reserved and nothing recorded.

        ``budgets`` is what to assume of shared budgets (None: what they are).
        """
        moment = now or self._clock.now()
        given = self._purse.look(moment) if budgets is None else budgets
        customers = [ask.customer_id for ask in asks]
        scores, states = self._scored.of(customers, now=moment), self._ledger.states(customers, moment)
        made = (self.make(ask, scores[ask.customer_id], states[ask.customer_id], given, moment) for ask in asks)
        return [each.decision for each in made]

    def rehearse(self) -> None:
        """Decide for a customer nobody knows and record nothing, so that the first real answer need not wait."""
        ask = Ask(request_id="rehearsal", customer_id="rehearsal")
        nobody = CustomerState(customer=Customer.model_construct(customer_id=ask.customer_id), known=False)
        now = self._clock.now()
        self.make(ask, self._scored.of([ask.customer_id], now=now)[ask.customer_id], nobody, NO_BUDGETS, now)

    def _one(self, ask: Ask, scores: Scores, now: datetime) -> Decision | Unanswerable:
        try:
            return _anew(partial(self._at_once, ask, scores, now))
        except (RequestConflict, AskError, CustomerErased) as refusal:
            return refusal

    def _at_once(self, ask: Ask, scores: Scores, now: datetime) -> Decision:
        with self._purse.open(now) as tab, self._ledger.transaction(ask.customer_id) as transaction:
            if known := transaction.find_request(ask.request_id):
                return _same(ask, *known)
            if transaction.erased((ask.customer_id,)):
                raise CustomerErased
            state = transaction.state(ask.customer_id, now)
            made = self.make(ask, scores, state, tab.state, now)
            tab.take(made.decision, state)
            tab.settle(transaction)
            return transaction.record(made.decision, body_hash=made.body_hash, frozen=made.frozen)

    def make(
        self, ask: Ask, scores: Scores, state: CustomerState, budgets: BudgetState, now: datetime
    ) -> Recording:
        """Return the decision with all that recording and replaying it takes; write nothing."""
        history = history_of(
            ask,
            policy=self._policy,
            catalogue=self._catalogue,
            scores=scores,
            state=state,
            now=now,
            budgets=budgets,
        )
        decision = decide(
            ask,
            policy=self._policy,
            catalogue=self._catalogue,
            scores=scores,
            state=state,
            now=now,
            keys=self._keys,
            budgets=budgets,
            history=history,
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
            history=history,
            arms=decision.experiments,
        )
        return Recording(decision=decision, body_hash=body_hash(ask), frozen=frozen)


class _Block:
    """The decisions of one block as they are made, and what is to be recorded of them."""

    def __init__(self, decider: Decider, tab: Tab, now: datetime) -> None:
        self.recordings: list[Recording] = []
        self._decider = decider
        self._tab = tab
        self._now = now

    def decide(self, ask: Ask, scores: Scores, state: CustomerState) -> Decision:
        made = self._decider.make(ask, scores, state, self._tab.state, self._now)
        self.recordings.append(made)
        self._tab.take(made.decision, state)
        return made.decision


def _anew(act: Callable[[], T]) -> T:
    """Do ``act``, and do it again from its beginning where a lease ran out under it."""
    for _ in range(TRIES - 1):
        with suppress(LeaseLost):
            return act()
    return act()


def body_hash(ask: Ask) -> str:
    """Return what tells two questions apart that came under one request id."""
    return digest(canonical(ask))


def _same(ask: Ask, decision: Decision, known_hash: str) -> Decision:
    if known_hash != body_hash(ask):
        raise RequestConflict(ask.request_id)
    return decision


def _or_raise(answer: Decision | Unanswerable) -> Decision:
    if isinstance(answer, Decision):
        return answer
    raise answer


def _refuse_doubles(asks: Iterable[Ask]) -> None:
    seen: set[str] = set()
    for ask in asks:
        if ask.customer_id in seen:
            raise ValueError("a block holds each customer once; ask again in a later block")
        seen.add(ask.customer_id)
