"""What two public message logs look like: the figures that a world's own log is held against.

``messages``: 708 million messages of a shop. ``emails``: 14.9 million e-mails. Both know what only a log knows, so
nothing here says what any message caused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from simulation.family import Family, Log

GAPS = ((0, 1), (1, 2), (2, 4), (4, 7), (7, None))
"""Days since the message before, by which opens are told apart."""

_MESSAGES = {
    "opened": 0.187,
    "clicked": 0.0106,
    "unsubscribed": 0.0024,
    "bounced_hard": 0.0070,
    "bounced_soft": 0.0023,
    "complained": 0.0002,
    "opened_gap_0_1": 0.266,
    "opened_gap_1_2": 0.184,
    "opened_gap_2_4": 0.175,
    "opened_gap_4_7": 0.162,
    "opened_gap_7_up": 0.150,
}
_EMAILS = {
    "opened": 0.0909,
    "person_mean": 0.123,
    "person_spread": 0.205,
    "within_1_hour": 0.259,
    "within_24_hours": 0.712,
    "within_7_days": 0.930,
    "median_hours": 6 + 25 / 60,
}
LOGS: Mapping[Log, Mapping[str, float]] = {"messages": _MESSAGES, "emails": _EMAILS}
"""Rates are of e-mails sent; ``person_mean`` and ``person_spread`` of people's own rates of opening; ``within`` of
the opens."""


def targets(family: Family) -> Mapping[str, float]:
    """Return the figures that ``family`` states a tolerance for: its log's, or the other's where it lacks one."""
    known = {**_EMAILS, **_MESSAGES, **LOGS[family.matched_to]}
    return {name: known[name] for name in family.tolerances}
