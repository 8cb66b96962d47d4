"""Which channels and categories a deployment speaks of, and the feature columns that follow from them.

Channels and categories are data, so the feature tables' columns are too: this one frozen value names them for
the tables, for Feast's definitions, for the training sets and for the scorers, in one order.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

ATTRIBUTES = "customer_attributes"
"""The feature column that holds a customer's own attributes as of the last build: a JSON object, null for none."""

CUSTOMER = "customer_id"
"""The column, and Feast's join key, that says whose a row is."""

WINDOWS: tuple[int, ...] = (7, 30, 90)
"""The days over which activity, pressure and response are counted."""

LONG_WINDOW = 365
MESSAGE_COUNTS: tuple[str, ...] = ("sent", "opened", "clicked", "converted", "bounced", "unsubscribed")
"""The event types counted per channel: what was sent and what came back."""

TALLY_PAIRS = "tally_pairs"
"""The column that says of which pair, ``"offer|channel"``, each element beside it is."""

TALLY_COUNTS: tuple[str, ...] = (
    "tally_sent",
    "tally_exposed",
    "tally_pressed",
    "tally_hidden",
    "tally_hidden_pressed",
    "tally_opened",
    "tally_seen",
    "tally_clicked",
    "tally_hidden_clicked",
    "tally_ordered",
    "tally_hidden_ordered",
)
"""What is counted of a customer's own messages, pair by pair (:mod:`features.tables.tally`)."""
TALLY = (TALLY_PAIRS, *TALLY_COUNTS)
"""All of it."""

RIPE_SCALE_DAYS, RIPE_SHAPE = 0.5, 0.6
"""How reactions arrive, declared and not fitted, as a Weibull distribution: half of them within six and a half
hours, yet one in ten later than two days. Some read at once, others at their next sitting or the one after: such a
mixture has a shape below one."""

PRESSURE_HALF_LIFE_DAYS = 7.0
"""The age at which an earlier message weighs half: caps and gaps are thought of in weeks."""

_COUNTED = rf"({'|'.join(MESSAGE_COUNTS)})_({'|'.join(map(str, WINDOWS))})d"
_OF_A_CHANNEL = re.compile(rf"[a-z][a-z0-9_]{{0,31}}_({_COUNTED}|days_since_sent|contact)")


@lru_cache(maxsize=4096)
def is_own_name(name: str) -> bool:
    """Return whether conditions read ``name`` as what Kairos knows or computes, of whichever channel.

    A customer attribute of that name is never read.

    >>> [is_own_name(each) for each in ("spend_90d", "email_sent_7d", "tally_sent", "tier", "email_sent")]
    [True, True, True, False, False]
    """
    anybody = Vocabulary((), ())
    arrays = {*anybody.category_arrays, *anybody.rhythm_arrays, *anybody.tally_arrays}
    return (
        name in {*anybody.activity, *anybody.contact, *arrays} | {"churn", "locale"}
        or _OF_A_CHANNEL.fullmatch(name) is not None
    )


HOURS_OF_WEEK = 168
"""Slots: local hours of a week, 0 = Monday 00:00."""
DAYS_A_WEEK = 7


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The channels and offer categories of a deployment, each sorted and unique."""

    channels: tuple[str, ...]
    categories: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse an order that would let two readers disagree about a position."""
        for name, words in (("channels", self.channels), ("categories", self.categories)):
            if list(words) != sorted(set(words)):
                raise ValueError(f"{name} must be sorted and unique, got {words!r}")

    @property
    def activity(self) -> tuple[str, ...]:
        """Columns of the daily ``activity`` snapshot, all float (null: cannot be computed).

        ``recency_days`` since the last order, ``tenure_days`` since the first event, ``orders_*`` distinct
        orders, ``spend_*`` summed value, ``active_days_*`` distinct UTC days with an order (the days snapshots
        are cut by), ``sessions_*``; ``gap_mean_days``/``gap_sd_days`` between orders' days, ``overdue`` recency
        over mean gap.
        """
        windows = (*WINDOWS, LONG_WINDOW)
        counted = ("orders", "spend", "active_days", "sessions")
        return (
            "recency_days",
            "tenure_days",
            *(f"{what}_{days}d" for what in counted for days in windows),
            "gap_mean_days",
            "gap_sd_days",
            "overdue",
        )

    @property
    def pressure(self) -> tuple[str, ...]:
        """Columns of the daily ``pressure`` snapshot, all float, channel by channel (:meth:`pressure_of`)."""
        return tuple(column for channel in self.channels for column in self.pressure_of(channel))

    def pressure_of(self, channel: str) -> tuple[str, ...]:
        """Columns about one channel: what :data:`MESSAGE_COUNTS` names over each window, and ``days_since_sent``.

        Automated opens and clicks are not counted.
        """
        counted = (f"{channel}_{what}_{days}d" for what in MESSAGE_COUNTS for days in WINDOWS)
        return (*counted, f"{channel}_days_since_sent")

    @property
    def contact(self) -> tuple[str, ...]:
        """Columns of the ``contact`` snapshot, all text and of the last build only: a state has no history.

        ``<channel>_contact`` is one of ``CONTACT_STATES``; ``time_zone`` and ``country`` are null where unknown.
        """
        return (*(f"{channel}_contact" for channel in self.channels), "time_zone", "country")

    @property
    def category_arrays(self) -> tuple[str, ...]:
        """Float arrays of the daily ``categories`` snapshot, each aligned with :attr:`categories`.

        ``category_share`` is the share of spend in the last year (elements null while nothing was bought),
        ``category_orders_90d`` the orders that touched the category, ``category_recency_days`` since the last.
        """
        return ("category_share", "category_orders_90d", "category_recency_days")

    @property
    def rhythm_arrays(self) -> tuple[str, ...]:
        """Float arrays of 168 local hours, built at cut-offs only: counted behaviour and opens, with half-life."""
        return ("rhythm",)

    @property
    def tally_arrays(self) -> tuple[str, ...]:
        """Arrays of the ``tally`` snapshot, of the last build only: one element a pair of offer and channel.

        ``tally_pairs`` are texts, sorted, each named as decisions name a pair; beside them the floats of
        :data:`TALLY_COUNTS`, null like them for a customer who was never sent a message on any channel.
        """
        return TALLY
