"""The families of worlds that policies are scored in."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simulation.family import Attention, Change, Effect, Family, Rhythm

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOP = Attention(
    seen=(0.20, 0.12, 0.45),
    click=(0.055, 0.10, 0.05),
    spread=0.55,
    left=(0.0020, 0.0015, 0.0040),
    complained=0.0002,
    hard_bounce=0.007,
    soft_bounce=0.0023,
)
_LETTERS = replace(_SHOP, seen=(0.095, 0.08, 0.35), click=(0.09, 0.10, 0.05), spread=1.0)

_CLUSTERS = Family(
    name="clusters",
    says="a handful of daily rhythms, each shared by many",
    matched_to="messages",
    attention=_SHOP,
)

FAMILIES: Mapping[str, Family] = {
    family.name: family
    for family in (
        _CLUSTERS,
        replace(
            _CLUSTERS,
            name="no_clusters",
            says="everybody has a rhythm of their own",
            matched_to="emails",
            attention=_LETTERS,
            rhythm=Rhythm(clusters=0),
        ),
        replace(
            _CLUSTERS,
            name="offer_and_slot",
            says="each offer has its part of the day",
            effect=Effect(daypart=0.35),
        ),
        replace(
            _CLUSTERS,
            name="regime_change",
            says="on day 30 habits, channels and tastes turn",
            change=Change(day=30, hours=6, channels=(1, 0, 2), lift=(0.3, 1.6, 1.0, 1.3)),
        ),
        replace(
            _CLUSTERS,
            name="no_send_time",
            says="the hour of a message changes nothing",
            matched_to="emails",
            attention=_LETTERS,
            rhythm=Rhythm(pull=0.0),
        ),
        replace(_CLUSTERS, name="no_heterogeneity", says="everybody reacts alike", alike=True),
        replace(_CLUSTERS, name="low_effects", says="messages move almost nobody", effect=Effect(lift=0.008)),
    )
}
