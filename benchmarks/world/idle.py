"""Families in which choosing by person gains nothing on an axis: what Kairos says there, and what choosing costs.

Two things are told apart. Its *word*: that nothing is to be gained by the hour, read off the sends so far; it is
right only where no hour is better than another for anybody. Its *gate*: where no model was ever promoted, a prior
decides that treats everybody alike.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.world.comparing import KAIROS, TWIN
from benchmarks.world.figures import euros
from benchmarks.world.verdicts import LITTLE
from training.models.send_time.observed import NOTHING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from benchmarks.world.panel import Panel

IDLE = {"no_send_time": ("timing",), "no_heterogeneity": ("timing", "offer")}
"""By family: the axes on which no person differs, or on which nothing matters."""
WORD = {("no_send_time", "timing"): NOTHING}
"""By family and axis: the phrase that would be right. Where everybody reacts alike the hour still matters."""
ALIKE = {"timing": "timing:best_global_hour", "offer": "offer:best_single"}
"""By axis: the swapped rule that treats everybody alike."""
_MODEL = {"timing": "send_time", "offer": "offer"}


def idle(panel: Panel) -> list[dict[str, Any]]:
    """Return a row for every axis that is idle in a family that was played.

    ``said``: in how many worlds of ``of`` Kairos's last training said that nothing is to be gained, None where no
    word would be right. ``prior``: in how many no model was ever promoted. ``gained``: the twin less the twin that
    treats everybody alike; ``explored``: the product less its twin, which never explores or holds back. Both in
    euros per customer, each with its own 95% interval: they are looked at one by one.
    """
    return [row for family in panel.families for row in _of_family(panel.of(family), family)]


def shown(row: Mapping[str, Any]) -> str:
    """Return what the worlds show of an idle axis: that nothing is gained or lost, or what is, or nothing yet."""
    interval = row["gained"]["interval"]
    if interval is None:
        return "one world a family says nothing about chance"
    low, high = interval
    if low > 0 or high < 0:
        size = "" if max(abs(low), abs(high)) >= LITTLE else ", less than one SMS costs"
        return f"choosing by person {'gains' if low > 0 else 'loses'}{size}"
    return "nothing to gain, and nothing lost" if max(-low, high) < LITTLE else "cannot be told"


def elsewhere(by_family: Mapping[str, Mapping[str, Any]]) -> str | None:
    """Return in how many worlds the word is said where the hour does matter: how far it can be trusted.

    A reason that holds the word holds its figures, too, so that two worlds do not share one. None where no such
    family was played, or the model was never trained.
    """
    matters = [
        found["says"]["send_time"]
        for family, found in by_family.items()
        if (family, "timing") not in WORD and "send_time" in found["says"]
    ]
    if not matters:
        return None
    said = sum(NOTHING in reason for row in matters for reason in row["reasons"])
    of = sum(row["of"] for row in matters)
    return f"Where the hour does matter, the same words are said in {said} of {of} worlds."


def admitted(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a sentence a family: in how many worlds Kairos says that choosing gains nothing, and how."""
    families = dict[str, list[str]]()
    for row in rows:
        families.setdefault(row["family"], []).append(_admitted(row))
    return [
        f"That choosing by person gains nothing in `{family}`, Kairos says {'; '.join(parts)}."
        for family, parts in families.items()
    ]


def _admitted(row: Mapping[str, Any]) -> str:
    if row["said"] is None:
        return f"of {row['axis']} by never promoting a model in {row['prior']} of {row['of']} worlds"
    words = f"of {row['axis']} in words in {row['said']} of {row['of']} worlds"
    return f"{words}, by never promoting a model in {row['prior']} of {row['of']}"


def _of_family(panel: Panel, family: str) -> Iterator[dict[str, Any]]:
    for axis in IDLE.get(family, ()):
        rule, word = ALIKE[axis], WORD.get((family, axis))
        if not {KAIROS, TWIN, rule} <= set(panel.policies):
            continue
        told = [record["says"][_MODEL[axis]] for record in panel.records]
        yield {
            "family": family,
            "axis": axis,
            "rule": rule,
            "said": None if word is None else sum(word in each["reason"] for each in told),
            "prior": sum(not each["ever"] for each in told),
            "of": len(told),
            "gained": euros(panel, panel.column(TWIN) - panel.column(rule)),
            "explored": euros(panel, panel.column(KAIROS) - panel.column(TWIN)),
        }
