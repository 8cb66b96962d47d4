"""Worth: what a message leads to, learned from counts of what everybody's messages did.

What is learned are the numbers that hold for everybody (:mod:`decisions.worth`); each customer's own counts are
read when a decision is made. The backtest is on the messages of the last weeks: how many of them are followed by
an order that names them, customer by customer, as told by the counts before.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from decisions.scorers.base import FloatArray, Kind
from decisions.scorers.worth import INPUTS, WorthScorer
from decisions.worth.beliefs import Beliefs
from decisions.worth.model import WorthModel
from decisions.worth.shifts import shift
from features.vocabulary import TALLY_COUNTS
from training.evidence.gathering import drawn, gathered
from training.evidence.ratios import LEDGER, Evidence, weigh
from training.evidence.shares import Proposal, suggested
from training.evidence.words import metrics_of, words_of, words_of_share
from training.looks import Look, look, tallies
from training.models import Backtest, Facts, Fitted, NoLabels, mean_score
from training.models.worth.attending import Seen, orders_told, without_orders
from training.models.worth.hours import factors
from training.models.worth.later import Later
from training.models.worth.sends import lately, of_look
from training.sets import at_midnight, clusters, fingerprint, numbers
from training.spans import first_of, horizons, shortened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from decisions.priors import Priors
    from decisions.worth.shifts import Shift
    from training.sources import TrainingSources


_TOLD, _TOLD_FROM = 0.5, 0.05
"""From which probability a turn of levels is told of, and the change of a level, in logs."""
_HOURS_TOLD_FROM = 0.02
"""The least difference between hours that is told of."""
_GATE = "prediction gate only: which messages were sent was not randomised."


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainWorth:
    """The value model. ``days``: how much of the latest time is held out; ``least`` orders must fall into it.

    Few are enough: what is learned is shrunk to what is declared, and decides unless it is shown to be worse. What
    holds for everybody is learned from ``most`` customers at most, drawn where there are more: counts are kept by
    person, channel and offer.
    """

    name: Kind = "worth"
    days: int = 28
    exact: bool = False
    least: int = 1
    most: int = 100_000

    def fit(self, sources: TrainingSources, *, tune: int = 0, seed: int) -> Fitted | NoLabels:  # noqa: ARG002  # a model's signature; nothing is tuned
        """Learn from all messages so far, and backtest what those before the last weeks taught."""
        now = at_midnight(sources.now)
        told = tallies(sources, now)
        if not told.num_rows:
            return NoLabels(reason="no message that names its channel was sent: there is nothing to count")
        first = first_of(sources, ("sent",)) or now
        tried = [replace(self, days=days) for days in horizons(self.days, exact=self.exact)]
        fitting = next((each for each in tried if first + 2 * timedelta(days=each.days) <= now), tried[-1])
        found = fitting.judged(sources, told, seed=seed)
        if isinstance(found, NoLabels) and fitting is not tried[0]:
            # One campaign long ago: the last few days hold nothing to judge by, all the days asked for may.
            fitting, short = tried[0], found
            longer = fitting.judged(sources, told, seed=seed)
            found = short if isinstance(longer, NoLabels) else longer
        said = shortened(first, now, "the worth of messages", days=fitting.days, wanted=self.days)
        if said is None or isinstance(found, NoLabels):
            return found
        return replace(found, caveat=f"{found.caveat}; {said}")

    def judged(self, sources: TrainingSources, told: pa.Table, *, seed: int) -> Fitted | NoLabels:
        """Learn from ``told``, everybody's tallies, and judge by the last ``days``."""
        now = at_midnight(sources.now)
        people = self._drawn(told["customer_id"], seed)
        earlier = now - timedelta(days=self.days)
        after = look(sources, people, now, told)
        before = look(sources, people, earlier, tallies(sources, earlier))
        held = Later.of(before, after)
        if held.ordered.sum() >= self.least:
            return self._fitted(sources, before, after, held)
        if orders := orders_told(sources):
            return NoLabels(reason=self._unnamed(held, orders))
        return self._attending(sources, before, after)

    def _unnamed(self, held: Later, told: int) -> str:
        return (
            f"{held.ordered.sum():.0f} messages of the last {self.days} days were followed by an order naming "
            f"them, {self.least} are needed to judge; map orders that messages led to (of {told}) as 'converted' "
            "events with the message's id"
        )

    def _attending(self, sources: TrainingSources, before: Look, after: Look) -> Fitted | NoLabels:
        """Learn who sees messages alone: nothing tells of orders, which stay declared."""
        beliefs = beliefs_of(sources.priors, before.channels)
        held = Seen.of(before, after, beliefs)
        if not held.seen.sum():
            return NoLabels(
                reason=f"no order was told, and no message of the last {self.days} days was opened: map "
                "'opened' events with the message's id, or orders ('purchased', 'converted')"
            )
        scorer, earlier = (_attention(look, beliefs) for look in (after, before))

        def rescore(other: WorthScorer) -> FloatArray:
            return held.declared(beliefs) if other.is_prior else held.loss(other, before)

        scores = {
            "worth": rescore(earlier),
            "declared": held.declared(beliefs),
            "everybody_alike": held.alike(earlier.model),
        }
        backtest = _backtest("seen_loss", held.seen.sum(axis=1), scores, held.customers)
        judged_by = f"{held.seen.sum():.0f} messages seen in the last {self.days} days"
        facts = self._facts(scorer, after, judged_by, Evidence())
        return Fitted(
            scorer=scorer,
            backtest=backtest,
            rescore=rescore,
            fingerprint=fingerprint(after.frame.select([*TALLY_COUNTS, "customer_id"]), days=self.days),
            trained_on=after.frame.num_rows,
            facts=replace(
                facts, limits=(*facts.limits, "No order was told: what a message leads to is declared.")
            ),
            inputs=INPUTS,
            parameters={"days": self.days, **_parameters(scorer)},
            caveat="attention only: no order was told, so what a message leads to stays declared; orders "
            "('purchased', 'converted') would tell",
        )

    def _drawn(self, everybody: pa.ChunkedArray, seed: int) -> pa.ChunkedArray:
        """Return the customers that are learned from, in order."""
        if len(everybody) <= self.most:
            return everybody
        drawn = np.random.default_rng(seed).choice(len(everybody), self.most, replace=False)
        return everybody.take(pa.array(np.sort(drawn)))

    def _fitted(self, sources: TrainingSources, before: Look, after: Look, held: Later) -> Fitted:
        beliefs = beliefs_of(sources.priors, before.channels)
        learned, earlier = _learned(after, beliefs), _learned(before, beliefs)
        hours, turned = _of_late(sources, after, learned.model)
        evidence, proposal = _evidence(sources, learned)
        now = replace(learned.model, shift=turned)
        scorer = WorthScorer.of(now, after.channels, after.offers, hours, evidence.ratios)

        def rescore(other: WorthScorer) -> FloatArray:
            return held.loss(other, before, after) if not other.is_prior else held.declared(beliefs)

        scores = {
            "worth": rescore(earlier),
            "declared": held.declared(beliefs),
            "everybody_alike": held.alike(earlier.model),
        }
        return Fitted(
            scorer=scorer,
            backtest=_backtest("order_loss", held.ordered, scores, held.customers),
            rescore=rescore,
            fingerprint=fingerprint(after.frame.select([*TALLY_COUNTS, "customer_id"]), days=self.days),
            trained_on=after.frame.num_rows,
            facts=self._facts(
                scorer, after, f"{held.ordered.sum():.0f} orders in the last {self.days} days", evidence
            ),
            inputs=INPUTS,
            parameters={"days": self.days, **_parameters(scorer)},
            metrics=metrics_of(evidence),
            caveat=" ".join([_GATE, *words_of(evidence), *words_of_share(proposal)]),
        )

    def _facts(self, scorer: WorthScorer, after: Look, judged_by: str, evidence: Evidence) -> Facts:
        watched = [name for name, shown in zip(scorer.channels, scorer.model.watched, strict=True) if shown]
        return Facts(
            question="What does one more message to this customer add, by offer and channel?",
            method=(
                "Counts, shrunk: who sees messages, by channel; orders per message seen, by offer, less those "
                "that would have come anyway; each customer's own counts weigh by how alike people are."
            ),
            data=(
                f"{after.tally.exposed.sum() + after.tally.hidden.sum():.0f} messages to {after.frame.num_rows} "
                f"customers; opens show on {', '.join(watched) or 'no channel'}; "
                f"{judged_by} to judge by; hours differ for "
                f"{', '.join(_by_hour(scorer)) or 'no offer'}. {_turned(scorer)} "
                f"{' '.join(words_of(evidence))}"
            ),
            limits=(
                "How many orders would have come anyway is declared as far as randomised sends do not say.",
                "An order counts where it names its message; what is never attributed is never learned.",
            ),
        )


def _backtest(metric: str, truth: FloatArray, scores: dict[str, FloatArray], people: pa.ChunkedArray) -> Backtest:
    """Return the losses of ``people``, held against what is declared."""
    return Backtest(
        metric=metric,
        direction="lower",
        statistic=mean_score,
        truth=truth,
        scores=scores,
        clusters=clusters(people),
        model="worth",
        baseline="declared",
        binary=False,
        shrunk=True,
    )


def beliefs_of(priors: Priors, channels: Sequence[str]) -> Beliefs:
    """Return what a policy declares, as the value model reads it."""
    declared = [priors.of(channel) for channel in channels]
    return Beliefs(
        attention=tuple(each.engage for each in declared),
        loss=tuple(each.hazard for each in declared),
        conversion=float(np.mean([each.conversion for each in declared])),
        anyway=priors.anyway,
        drop=float(-np.log1p(-priors.response_drop)),
    )


def _learned(look: Look, beliefs: Beliefs) -> WorthScorer:
    lost, sent = _lost(look)
    model = WorthModel.learn(look.tally, look.life, beliefs, lost=lost, sent=sent)
    return WorthScorer.of(model, look.channels, look.offers)


def _of_late(sources: TrainingSources, look: Look, model: WorthModel) -> tuple[Mapping[str, list[float]], Shift]:
    """Return what single messages of the last months tell: each offer's hours, and what turned."""
    now = at_midnight(sources.now)
    sent, told = of_look(lately(sources, now), look, model, now)
    personal = model.personal(look.tally, look.life)
    hours = factors(sources, sent, told.chances(personal), look.offers)
    return hours, shift(told, personal, model.attention)


def _attention(look: Look, beliefs: Beliefs) -> WorthScorer:
    """Return the scorer of who sees messages, what hangs on orders as declared."""
    learned = _learned(look, beliefs)
    return WorthScorer.of(without_orders(learned.model, beliefs), look.channels, look.offers).without_orders()


def _evidence(sources: TrainingSources, learned: WorthScorer) -> tuple[Evidence, Proposal | None]:
    """Return what draws say of the lift that ``learned`` counts, and how much to hold back from now on."""
    found = drawn(sources)
    if not found.table.num_rows:
        return Evidence(aside=found.aside), None
    sample = gathered(sources, found, learned)
    told = weigh(sample)
    proposal = None
    if LEDGER in told.sources:
        cost = {
            f"{each.offer_id}|{name}": price for each in sources.offers for name, price in each.send_cost.items()
        }
        proposal = suggested(sample, told.ratios.overall, told.sources[LEDGER].error, cost)
    return replace(told, aside={**found.aside, **told.aside}), proposal


def _lost(look: Look) -> tuple[FloatArray, FloatArray]:
    """Return channels lost and messages sent in the last 90 days, by channel."""
    counts = [
        [np.nan_to_num(numbers(look.frame, f"{channel}_{what}_90d")).sum() for channel in look.channels]
        for what in ("unsubscribed", "sent")
    ]
    lost, sent = (np.array(each, dtype=np.float64) for each in counts)
    return lost, sent


def _by_hour(scorer: WorthScorer) -> list[str]:
    """Return the offers whose hours differ by enough to tell of."""
    return [name for name, hours in scorer.artefact.facts["hourly"].items() if np.ptp(hours) > _HOURS_TOLD_FROM]


def _turned(scorer: WorthScorer) -> str:
    """Say what levels did of late."""
    found = scorer.model.shift
    if found.chance < _TOLD:
        return "Levels of late are those of all the time."
    names = (*scorer.channels, *scorer.offers, "other offers")
    factors = zip(names, [*found.attention, *found.lift], strict=True)
    said = ", ".join(f"{name} ×{factor:.2f}" for name, factor in factors if abs(np.log(factor)) > _TOLD_FROM)
    since = f"about {found.weeks} weeks ago (probability {found.chance:.2f})"
    return f"Levels turned {since}; held against all the time: {said or 'nothing by much'}."


def _parameters(scorer: WorthScorer) -> dict[str, float]:
    attention = dict(zip(scorer.channels, scorer.model.attention.level.tolist(), strict=True))
    orders = dict(zip((*scorer.offers, "other"), scorer.model.effect.orders.tolist(), strict=True))
    return {
        **{f"seen_{name}": value for name, value in attention.items()},
        **{f"orders_per_seen_{name}": value for name, value in orders.items()},
    }
