"""Which channels and categories a deployment speaks of, and the feature columns that follow from them.

Channels and categories are data, so the feature tables' columns are too: this one frozen value names them for
the tables, for Feast's definitions, for the training sets and for the scorers, in one order.
"""

from __future__ import annotations

from dataclasses import dataclass

WINDOWS: tuple[int, ...] = (7, 30, 90)
"""The days over which activity, pressure and response are counted."""

LONG_WINDOW = 365
HOURS_OF_WEEK = 168
"""Slots: local hours of a week, 0 = Monday 00:00."""


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
        orders, ``spend_*`` summed value, ``active_days_*`` distinct local days with an order, ``sessions_*``;
        ``gap_mean_days``/``gap_sd_days`` between orders' days, ``overdue`` recency over mean gap.
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
        """Columns of the daily ``pressure`` snapshot, all float, per channel.

        ``sent``, ``opened``, ``clicked``, ``converted``, ``bounced`` and ``unsubscribed`` over each window, and
        ``days_since_sent``. Automated opens and clicks are not counted.
        """
        counted = ("sent", "opened", "clicked", "converted", "bounced", "unsubscribed")
        return tuple(
            column
            for channel in self.channels
            for column in (
                *(f"{channel}_{what}_{days}d" for what in counted for days in WINDOWS),
                f"{channel}_days_since_sent",
            )
        )

    @property
    def category_arrays(self) -> tuple[str, ...]:
        """Float arrays of the daily ``categories`` snapshot, each aligned with :attr:`categories`.

        ``category_share`` is the share of spend in the last year (null while nothing was bought),
        ``category_orders_90d`` the orders that touched the category, ``category_recency_days`` since the last.
        """
        return ("category_share", "category_orders_90d", "category_recency_days")

    @property
    def rhythm_arrays(self) -> tuple[str, ...]:
        """Float arrays of 168 local hours, built at cut-offs only: counted behaviour and opens, with half-life."""
        return ("rhythm",)
