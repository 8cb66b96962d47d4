"""Until when a play counts, in days from day 0 (excluded)."""

from __future__ import annotations

FIRST = 60
"""Days of the first part of a score: the cost of learning is in them."""
LATER = 180
"""The day on which the later part ends."""
