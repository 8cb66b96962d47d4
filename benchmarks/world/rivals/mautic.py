"""Mautic's rule for the best hour, with its holes.

The median hour of the last 60 days' interactions, one hour before until one hour after it, on the three weekdays
with most of them; with fewer than five interactions Tuesday, Monday and Thursday from 9 to 12. The middle of a
sorted list of hours knows no midnight: hours of 23 and 0 have their median at noon or anywhere, and a median of
23 or 0 makes a window that ends before it begins and is never open, so that the message goes when it would have
begun.

Source: app/bundles/LeadBundle/Services/PeakInteractionTimer.php of mautic/mautic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from simulation.calendar import DAY, HOUR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from benchmarks.world.rivals.journal import Events
    from benchmarks.world.rivals.scene import Scene

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Flags = NDArray[np.bool_]

LEAST = 5
"""Interactions without which nothing is said about a person."""
_DAYS = 60
_LATEST = 50
_DEFAULT_HOURS = (9, 12)
_DEFAULT_DAYS = (0, 1, 3)
_BEST_DAYS = 3
_KINDS = ("opened", "session")
"""What stands for mails read and pages hit. Machine opens are left out, which is kinder than the rule."""


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """By customer: local hours from ``start`` to before ``end``, and (people, 7) the weekdays."""

    start: Ints
    end: Ints
    days: Flags


class Mautic:
    """The first hour of the window on a good day; where all of it is taken or quiet, the next one that is not."""

    def __init__(self) -> None:
        self._found: tuple[Scene, Window] | None = None

    def prefer(self, scene: Scene, channel: Ints) -> Floats:  # noqa: ARG002 - whatever the channel
        """Return good days first, then the window, then the hours after its beginning, the sooner the rather."""
        window = self._windows(scene)
        who = scene.asked.who
        hour, weekday = scene.slot % 24, scene.slot // 24
        start, end = window.start[who, None], window.end[who, None]
        good = np.take_along_axis(window.days[who], weekday, axis=1)
        inside = (hour >= start) & (hour < end)
        later = (hour - start) % 24
        order = np.arange(hour.shape[1]) / 1000
        liked: Floats = 100.0 * good + 50.0 * inside - later - order
        return liked

    def _windows(self, scene: Scene) -> Window:
        """Return the windows of a day: found once, however many channels ask."""
        if self._found is None or self._found[0] is not scene:
            self._found = scene, windows(scene)
        return self._found[1]


def windows(scene: Scene) -> Window:
    """Return the window of every customer."""
    who, hour, weekday = _interactions(scene)
    size = scene.facts.size
    count = np.bincount(who, minlength=size)
    known = count >= LEAST
    start, end = median_window(_lower_medians(who, hour, count))
    by_day = np.bincount(who * 7 + weekday, minlength=size * 7).reshape(size, 7)
    return Window(
        np.where(known, start, _DEFAULT_HOURS[0]),
        np.where(known, end, _DEFAULT_HOURS[1]),
        np.where(known[:, None], _most_frequent(by_day), np.isin(np.arange(7), _DEFAULT_DAYS)),
    )


def median_window(median: Ints) -> tuple[Ints, Ints]:
    """Return the hours from which and before which the window is open, as the rule computes them."""
    return (median + 23) % 24, (median + 1) % 24


def _interactions(scene: Scene) -> tuple[Ints, Ints, Ints]:
    """Return customer, hour and weekday of the latest interactions: of each kind at most one an hour."""
    found = [_latest(scene, scene.journal.human(kind)) for kind in _KINDS]
    who, slot = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return who, slot % 24, slot // 24


def _latest(scene: Scene, events: Events) -> tuple[Ints, Ints]:
    events = events.within(scene.now - _DAYS * DAY, scene.now)
    hours = np.unique(np.stack([events.who, -(events.at // HOUR)]), axis=1)
    who = hours[0]
    rank = np.arange(len(who)) - np.searchsorted(who, who)
    who, at = who[rank < _LATEST], -hours[1][rank < _LATEST] * HOUR
    return who, scene.facts.slot(who, at)


def _lower_medians(who: Ints, hour: Ints, count: Ints) -> Ints:
    """Return the lower median hour of each customer; 0 where there is none."""
    order = np.lexsort((hour, who))
    middle = np.cumsum(count) - count + np.maximum(count - 1, 0) // 2
    padded = np.append(hour[order], 0)
    return np.where(count > 0, padded[np.minimum(middle, len(order))], 0)


def _most_frequent(by_day: Ints) -> Flags:
    """Return the three weekdays with the most interactions, none that has no interaction."""
    rank = np.argsort(np.argsort(-by_day, axis=1, kind="stable"), axis=1)
    most: Flags = (rank < _BEST_DAYS) & (by_day > 0)
    return most
