"""The families of worlds that policies are scored in: the core, and those that strain what is taken for granted.

Each is matched to a public log (:mod:`simulation.fit.logs`) within the tolerances it states: relative distances,
sampling error apart. What a log lacks is taken from the other or left out. ``messages`` knows no spread between
people, ``emails`` no gaps. Where everybody reacts alike no target can bend the curve of opens by gap: it is left
out. Purchases are left out everywhere: that log's are few that one session brought, a world's all that a message
wins.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from simulation.family import Attention, Change, Effect, Family, Noise, Peak, Rhythm

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHOP = Attention(
    seen=(0.168, 0.12, 0.45),
    click=(0.044, 0.08, 0.04),
    spread=0.75,
    left=(0.0018, 0.0013, 0.0036),
    complained=0.00013,
    hard_bounce=0.0077,
    soft_bounce=0.0023,
)
_LETTERS = replace(_SHOP, seen=(0.22, 0.08, 0.35), click=(0.08, 0.10, 0.05), spread=1.8)
_ALIKE = replace(_SHOP, seen=(0.215, 0.12, 0.45))
_KEENER = Effect(lift=0.06)
"""Of e-mails fewer are seen, by people whom they move more."""

_REACTIONS = {
    "opened": 0.12,
    "clicked": 0.2,
    "unsubscribed": 0.3,
    "bounced_hard": 0.2,
    "bounced_soft": 0.2,
    "complained": 0.5,
}
_DELAYS = {"within_1_hour": 0.1, "within_24_hours": 0.05, "within_7_days": 0.03, "median_hours": 0.2}
_GAPS = {
    "opened_gap_0_1": 0.2,
    "opened_gap_1_2": 0.2,
    "opened_gap_2_4": 0.2,
    "opened_gap_4_7": 0.25,
    "opened_gap_7_up": 0.2,
}
_PEOPLE = {"opened": 0.2, "person_mean": 0.25, "person_spread": 0.3}

_CLUSTERS = Family(
    name="clusters",
    says="a handful of daily rhythms, each shared by many",
    matched_to="messages",
    attention=_SHOP,
    tolerances={**_REACTIONS, **_GAPS, **_DELAYS},
)
_NO_CLUSTERS = replace(
    _CLUSTERS,
    name="no_clusters",
    says="everybody has a rhythm of their own",
    matched_to="emails",
    attention=_LETTERS,
    rhythm=Rhythm(clusters=0),
    effect=_KEENER,
    aim=-0.3,  # in that log who gets much opens less: 9.1% of all e-mails, 12.3% of an average person's
    tolerances={**_REACTIONS, **_PEOPLE, **_DELAYS},
)

CORE: Mapping[str, Family] = {
    family.name: family
    for family in (
        _CLUSTERS,
        _NO_CLUSTERS,
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
            _NO_CLUSTERS,
            name="no_send_time",
            says="the hour of a message changes nothing",
            rhythm=Rhythm(pull=0.0),
        ),
        replace(
            _CLUSTERS,
            name="no_heterogeneity",
            says="everybody reacts alike",
            attention=_ALIKE,
            rhythm=Rhythm(pull=0.5),
            alike=True,
            tolerances={**_REACTIONS, **_DELAYS},
        ),
        replace(_CLUSTERS, name="low_effects", says="messages move almost nobody", effect=Effect(lift=0.008)),
    )
}
"""What means over families are taken over."""
STRAINED: Mapping[str, Family] = {
    family.name: family
    for family in (
        replace(
            _CLUSTERS,
            name="taste_carries",
            says="what people buy of their own accord tells which offers move them",
            effect=Effect(carried=0.5),
        ),
        replace(
            _CLUSTERS,
            name="loose_claims",
            says="three in ten orders that a message brought do not name it, one in ten that came anyway does",
            noise=Noise(unclaimed=0.3, claimed=0.1),
        ),
        replace(
            _CLUSTERS, name="priors_high", says="as clusters; what Kairos is told to believe is twice too high"
        ),
        replace(_CLUSTERS, name="priors_low", says="as clusters; what Kairos is told to believe is half as high"),
        replace(
            _CLUSTERS,
            name="peak_season",
            says="for four weeks people order two and a half times as often",
            peak=Peak(day=14, days=28, orders=2.5),
        ),
    )
}
"""Each shown by itself."""
FAMILIES: Mapping[str, Family] = {**CORE, **STRAINED}


def named(name: str) -> Family:
    """Return the family called ``name``.

    Raises:
        ValueError: where there is none.
    """
    if name not in FAMILIES:
        raise ValueError(f"there is no family of worlds {name!r}: choose among {', '.join(FAMILIES)}")
    return FAMILIES[name]
