"""What Kairos's own gates said of its models: whether there was anything to gain, in its own words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.world.units import Record


def said(models: Mapping[int, Sequence[Mapping[str, Any]]]) -> dict[str, dict[str, Any]]:
    """Return by model what came of its last training, given all outcomes by day, and whether it ever passed."""
    last = models[max(models)] if models else []
    ever = {each["model"] for outcomes in models.values() for each in outcomes if each["promoted"]}
    return {
        each["model"]: {
            "promoted": each["promoted"],
            "ever": each["model"] in ever,
            "reason": each["reason"],
        }
        for each in last
    }


def sayings(records: Sequence[Record]) -> dict[str, dict[str, Any]]:
    """Return by model in how many worlds its last training was promoted, and the reasons, most frequent first.

    Records without a word of Kairos's (it was not asked) count in none.
    """
    told = [record["says"] for record in records if record.get("says")]
    return {model: _of([says[model] for says in told if model in says]) for model in _models(told)}


def _models(told: Sequence[Mapping[str, Any]]) -> list[str]:
    return list(dict.fromkeys(model for says in told for model in says))


def _of(outcomes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    reasons = [each["reason"] for each in outcomes]
    ranked = sorted(dict.fromkeys(reasons), key=lambda reason: -reasons.count(reason))
    return {"promoted": sum(each["promoted"] for each in outcomes), "of": len(outcomes), "reasons": ranked}
