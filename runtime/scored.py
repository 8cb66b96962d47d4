"""What the models say of customers, whatever is away: features, models, or both. Never an error, always a note."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pyarrow as pa

from decisions.ledger import LedgerError
from decisions.scorers.base import UNTRAINED
from decisions.scoring import score
from features.expressions import parse
from runtime.champions import priors
from runtime.logs import report
from runtime.news import news_of
from runtime.online import FeaturesNotBuiltError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from decisions.catalogue import Catalogue
    from decisions.policy import Policy
    from decisions.records import Scores
    from decisions.scorers.base import Scorers
    from decisions.worth.news import News
    from runtime.news import Telling

NO_FEATURES = "no_features"
FEATURES_AWAY = "features_away"
SCORING_FAILED = "scoring_failed"
"""How the notes of priors end that stand in for something else than data that were never there."""

_KEYS = ("customer_id", "event_timestamp")
_LOG = "kairos.scored"


class Features(Protocol):
    """What reads the present features of customers (:class:`runtime.online.OnlineFeatures`)."""

    def online(self, customer_ids: Sequence[str], *, now: datetime) -> pa.Table:
        """Return the feature frame at ``now``, one row per customer in the order given; null is unknown."""
        ...


class Scored:
    """Scores by customer id: one read of features and one call per model for all of them."""

    def __init__(
        self,
        *,
        scorers: Callable[[], Scorers],
        features: Features,
        policy: Policy,
        catalogue: Catalogue,
        telling: Telling | None = None,
    ) -> None:
        """Read ``features``, and what ``telling`` (the ledger) heard since they were built, where it is given."""
        self._scorers = scorers
        self._features = features
        self._telling = telling
        self._policy = policy
        self._catalogue = catalogue
        self._named = _names_in_expressions(catalogue)

    def of(self, customer_ids: Sequence[str], *, now: datetime) -> Mapping[str, Scores]:
        """Return the scores of each customer; priors, with a note, where features or models fail."""
        ids = list(dict.fromkeys(customer_ids))
        if not ids:
            return {}
        frame, without = self._frame(ids, now)
        scorers = self._scorers() if without is None else priors(without)
        try:
            scores = self._score(frame, scorers, self._news(frame, scorers, now))
        except Exception as error:  # noqa: BLE001  # whatever a model raises, the priors must answer
            report(_LOG, "scoring failed", error=type(error).__name__)
            scores = self._score(_empty(ids), priors(SCORING_FAILED))
        return {each.customer_id: each for each in scores}

    def _frame(self, ids: Sequence[str], now: datetime) -> tuple[pa.Table, str | None]:
        try:
            return self._features.online(ids, now=now), None
        except FeaturesNotBuiltError:
            return _empty(ids), NO_FEATURES
        except Exception as error:  # noqa: BLE001  # whatever the store raises, a decision must be made
            report(_LOG, "features away", error=type(error).__name__)
            return _empty(ids), FEATURES_AWAY

    def _news(self, frame: pa.Table, scorers: Scorers, now: datetime) -> News | None:
        """Return what the ledger knows of the messages and the features do not, where anything is counted by it.

        A ledger that is away tells nothing: whoever decides notices it next.
        """
        if self._telling is None or scorers.worth.version == UNTRAINED:
            return None
        try:
            return news_of(frame, self._telling, now)
        except LedgerError as error:
            report(_LOG, "ledger away", error=type(error).__name__)
            return None

    def _score(self, frame: pa.Table, scorers: Scorers, news: News | None = None) -> list[Scores]:
        return score(
            frame,
            scorers,
            priors=self._policy.priors,
            offers=self._catalogue.offers,
            news=news,
            # The other names are the customer's own attributes, which come with the ledger's state.
            attributes=[name for name in frame.column_names if name in self._named and name not in _KEYS],
        )


def _empty(ids: Sequence[str]) -> pa.Table:
    """Return the frame of customers of whom nothing can be read."""
    moments = pa.nulls(len(ids), pa.timestamp("us", "UTC"))
    return pa.table({"customer_id": pa.array(ids, pa.string()), "event_timestamp": moments})


def _names_in_expressions(catalogue: Catalogue) -> frozenset[str]:
    texts = [offer.eligibility for offer in catalogue.offers] + [each.audience for each in catalogue.campaigns]
    return frozenset(name for text in texts if text for name in parse(text).names)
