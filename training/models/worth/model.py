"""Worth: what a message leads to, learned from counts of what everybody's messages did.

What is learned are the numbers that hold for everybody (:mod:`decisions.worth`); each customer's own counts are
read when a decision is made. The backtest is on the messages of the last weeks: how many of them are followed by
an order that names them, customer by customer, as told by the counts before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from decisions.scorers.base import FloatArray, Kind
from decisions.scorers.tallies import life_of, tally_of
from decisions.scorers.worth import INPUTS, WorthScorer
from decisions.worth.beliefs import Beliefs
from decisions.worth.model import WorthModel
from features.tables.tally import counts
from features.vocabulary import TALLY, TALLY_COUNTS
from training.models import Backtest, Facts, Fitted, NoLabels, mean_score
from training.models.worth.hours import factors
from training.sets import at_midnight, clusters, fingerprint, numbers, spine, with_features

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    import ibis.expr.types as ir

    from decisions.priors import Priors
    from decisions.worth.life import Life
    from decisions.worth.tally import Tally
    from training.sources import TrainingSources

_RARE = 1e-9
"""Nobody is expected to order less than that: a logarithm of nothing has no value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Look:
    """Everybody who was ever sent a message, as known at one moment: a row a customer, in one order."""

    frame: pa.Table
    channels: tuple[str, ...]
    offers: tuple[str, ...]

    @property
    def tally(self) -> Tally:
        return tally_of(self.frame, self.channels, self.offers)

    @property
    def life(self) -> Life:
        return life_of(self.frame)

    def seen_by(self, scorer: WorthScorer) -> _Look:
        """Return the same customers, counted by the channels and offers that ``scorer`` knows."""
        return _Look(frame=self.frame, channels=scorer.channels, offers=scorer.offers)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainWorth:
    """The value model. ``days``: how much of the latest time is held out; ``least`` orders must fall into it.

    Few are enough: what is learned is shrunk to what is declared, and decides unless it is shown to be worse. What
    holds for everybody is learned from ``most`` customers at most, drawn where there are more: counts are kept by
    person, channel and offer.
    """

    name: Kind = "worth"
    days: int = 28
    least: int = 1
    most: int = 100_000

    def fit(self, sources: TrainingSources, *, tune: int = 0, seed: int) -> Fitted | NoLabels:  # noqa: ARG002  # a model's signature; nothing is tuned
        """Learn from all messages so far, and backtest what those before the last weeks taught."""
        now = at_midnight(sources.now)
        told = _tallies(sources, now)
        if not told.num_rows:
            return NoLabels(reason="no message that names its channel was sent: there is nothing to count")
        people = self._drawn(told["customer_id"], seed)
        earlier = now - timedelta(days=self.days)
        after = _look(sources, people, now, told)
        before = _look(sources, people, earlier, _tallies(sources, earlier))
        held = _Later.of(before, after)
        if held.ordered.sum() < self.least:
            return NoLabels(
                reason=f"{held.ordered.sum():.0f} messages of the last {self.days} days were followed by an order "
                f"that names them (a 'converted' event with the message's id), {self.least} are needed to judge"
            )
        return self._fitted(sources, before, after, held)

    def _drawn(self, everybody: pa.ChunkedArray, seed: int) -> pa.ChunkedArray:
        """Return the customers that are learned from, in order."""
        if len(everybody) <= self.most:
            return everybody
        drawn = np.random.default_rng(seed).choice(len(everybody), self.most, replace=False)
        return everybody.take(pa.array(np.sort(drawn)))

    def _fitted(self, sources: TrainingSources, before: _Look, after: _Look, held: _Later) -> Fitted:
        beliefs = beliefs_of(sources.priors, before.channels)
        learned, earlier = _learned(after, beliefs), _learned(before, beliefs)
        hours = factors(sources, learned.model, after.channels, after.offers, at_midnight(sources.now))
        scorer = WorthScorer.of(learned.model, after.channels, after.offers, hours)

        def rescore(other: WorthScorer) -> FloatArray:
            return held.loss(other, before, after) if not other.is_prior else held.declared(beliefs)

        scores = {
            "worth": rescore(earlier),
            "declared": held.declared(beliefs),
            "everybody_alike": held.alike(earlier.model),
        }
        return Fitted(
            scorer=scorer,
            backtest=Backtest(
                metric="order_loss",
                direction="lower",
                statistic=mean_score,
                truth=held.ordered,
                scores=scores,
                clusters=clusters(held.customers),
                model="worth",
                baseline="declared",
                binary=False,
                shrunk=True,
            ),
            rescore=rescore,
            fingerprint=fingerprint(after.frame.select([*TALLY_COUNTS, "customer_id"]), days=self.days),
            trained_on=after.frame.num_rows,
            facts=self._facts(scorer, after, held),
            inputs=INPUTS,
            parameters={"days": self.days, **_parameters(scorer)},
            caveat="prediction gate only: which messages were sent was not randomised",
        )

    def _facts(self, scorer: WorthScorer, after: _Look, held: _Later) -> Facts:
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
                f"{held.ordered.sum():.0f} orders in the last {self.days} days to judge by; hours differ for "
                f"{', '.join(scorer.artefact.facts['hourly']) or 'no offer'}."
            ),
            limits=(
                "How many orders would have come anyway is declared until randomised sends say.",
                "An order counts where it names its message; what is never attributed is never learned.",
            ),
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class _Later:
    """What happened after the look ``before``, to those who got messages then: one row a customer."""

    rows: NDArray[np.int64]
    customers: pa.ChunkedArray
    exposed: FloatArray
    """(customers, channels, offers): messages in full attention, shown or not."""
    ordered: FloatArray
    """Orders that name them, by customer."""

    @classmethod
    def of(cls, before: _Look, after: _Look) -> _Later:
        exposed = _exposed(after.tally) - _exposed(before.tally)
        ordered = _orders(after.tally) - _orders(before.tally)
        rows = np.flatnonzero(exposed.sum(axis=(1, 2)) > 0)
        return cls(
            rows=rows,
            customers=before.frame["customer_id"].take(pa.array(rows)),
            exposed=np.maximum(0.0, exposed[rows]),
            ordered=np.maximum(0.0, ordered[rows]),
        )

    def loss(self, scorer: WorthScorer, before: _Look, after: _Look) -> FloatArray:
        """Return the Poisson loss of each customer by what ``scorer`` expects, given what was known before."""
        mine = before.seen_by(scorer)
        exposed = _exposed(after.seen_by(scorer).tally) - _exposed(mine.tally)
        personal = scorer.model.personal(mine.tally, mine.life)
        rate = personal.lift + personal.anyway[:, None]
        seen = np.maximum(0.0, exposed) * personal.attention[:, :, None] * personal.alive[:, None, None]
        return self._poisson((seen.sum(axis=1) * rate).sum(axis=1)[self.rows])

    def alike(self, model: WorthModel) -> FloatArray:
        """Return the same where everybody is taken for the mean person."""
        seen = self.exposed * model.attention.level[:, None]
        return self._poisson((seen.sum(axis=1) * model.effect.orders).sum(axis=1))

    def declared(self, beliefs: Beliefs) -> FloatArray:
        """Return the same by what is declared."""
        seen = self.exposed.sum(axis=2) * np.array(beliefs.attention)
        return self._poisson(seen.sum(axis=1) * beliefs.conversion)

    def _poisson(self, expected: FloatArray) -> FloatArray:
        expected = np.maximum(expected, _RARE)
        loss: FloatArray = expected - self.ordered * np.log(expected)
        return loss


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


def _learned(look: _Look, beliefs: Beliefs) -> WorthScorer:
    lost, sent = _lost(look)
    model = WorthModel.learn(look.tally, look.life, beliefs, lost=lost, sent=sent)
    return WorthScorer.of(model, look.channels, look.offers)


def _lost(look: _Look) -> tuple[FloatArray, FloatArray]:
    """Return channels lost and messages sent in the last 90 days, by channel."""
    counts = [
        [np.nan_to_num(numbers(look.frame, f"{channel}_{what}_90d")).sum() for channel in look.channels]
        for what in ("unsubscribed", "sent")
    ]
    lost, sent = (np.array(each, dtype=np.float64) for each in counts)
    return lost, sent


def _look(sources: TrainingSources, people: pa.ChunkedArray, moment: datetime, told: pa.Table) -> _Look:
    """Return what was known of ``people`` at ``moment``, whose tallies are ``told``."""
    asked = spine(people, pa.array([moment] * len(people), pa.timestamp("us", "UTC")))
    return _Look(
        frame=_with_tally(with_features(sources.store, asked), told),
        channels=sources.vocabulary.channels,
        offers=tuple(sorted(offer.offer_id for offer in sources.offers)),
    )


def _tallies(sources: TrainingSources, moment: datetime) -> pa.Table:
    """Return everybody's tally as arrays, one row a customer."""
    counted = sources.collect(lambda events: _by_pair(counts(events, until=moment.date())))
    # One row a customer and pair, sorted by both: a customer's rows are a run.
    runs = pc.run_end_encode(counted["customer_id"].combine_chunks())
    ends = runs.run_ends.cast(pa.int32())
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    arrays = {name: pa.ListArray.from_arrays(offsets, counted[name].combine_chunks()) for name in TALLY}
    return pa.table({"customer_id": runs.values, **arrays})


def _by_pair(counted: ir.Table) -> ir.Table:
    return counted.select("customer_id", *TALLY_COUNTS, tally_pairs="pair").relocate("customer_id", "tally_pairs")


def _with_tally(frame: pa.Table, tallies: pa.Table) -> pa.Table:
    """Return ``frame`` with the tallies of its customers; who has none has null."""
    place = pc.index_in(frame["customer_id"], value_set=tallies["customer_id"].combine_chunks())
    others = frame.drop_columns([name for name in TALLY if name in frame.column_names])
    for name in TALLY:
        others = others.append_column(name, tallies[name].combine_chunks().take(place))
    return others


def _exposed(counted: Tally) -> FloatArray:
    return counted.exposed + counted.hidden


def _orders(counted: Tally) -> FloatArray:
    found: FloatArray = (counted.ordered + counted.hidden_ordered).sum(axis=(1, 2))
    return found


def _parameters(scorer: WorthScorer) -> dict[str, float]:
    attention = dict(zip(scorer.channels, scorer.model.attention.level.tolist(), strict=True))
    orders = dict(zip((*scorer.offers, "other"), scorer.model.effect.orders.tolist(), strict=True))
    return {
        **{f"seen_{name}": value for name, value in attention.items()},
        **{f"orders_per_seen_{name}": value for name, value in orders.items()},
    }
