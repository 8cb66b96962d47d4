"""Trials in a mapping: which arm was drawn, and with which chance, as properties of the event that says so."""

from __future__ import annotations

from typing import Any

_KEYS = ("treatment", "propensity", "shares")


def drawn(raw: dict[Any, Any]) -> dict[Any, Any]:
    """Return a block as written, with ``treatment`` and its chance among its properties.

    Raises:
        ValueError: for one without the other, both chances at once, or properties that are a column.
    """
    told = [key for key in _KEYS if raw.get(key) is not None]
    if not told:
        return raw
    if "treatment" not in told or len(told) != len(_KEYS) - 1:
        raise ValueError(
            f"a trial is told by treatment and either propensity or shares, not by {' and '.join(told)} alone"
            if len(told) < len(_KEYS)
            else "give propensity, the chance of each row's arm, or shares, that of each arm: not both"
        )
    properties = raw.get("properties") or {}
    if not isinstance(properties, dict):
        raise ValueError(  # noqa: TRY004 - pydantic turns it into an error of the mapping
            "properties are keys where treatment is told: a column cannot be added to"
        )
    chance = raw["propensity"] if raw.get("shares") is None else _by_arm(raw["treatment"], raw["shares"])
    arm = _plain(raw["treatment"])
    return {**raw, "properties": {**properties, "treatment": {"as": "text", **arm}, "propensity": chance}}


def _by_arm(treatment: Any, shares: Any) -> dict[str, Any]:
    """Return the share of a row's arm as a value: its treatment, mapped; an arm without one is not readable."""
    arm = _plain(treatment)
    if not isinstance(shares, dict):
        raise ValueError(  # noqa: TRY004 - as above
            "shares name each arm with its share, like {control: 0.5, letter: 0.5}"
        )
    if "map" not in arm:
        return {**arm, "map": shares}
    unnamed = sorted(
        {str(to) for to in (*arm["map"].values(), arm.get("otherwise")) if to is not None} - {*shares}
    )
    if unnamed:
        raise ValueError(f"shares do not name {unnamed[0]!r}, which treatment can be")
    ends = {"otherwise": shares[arm["otherwise"]]} if arm.get("otherwise") is not None else {}
    return {**arm, "map": {name: shares[to] for name, to in arm["map"].items()}, **ends}


def _plain(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, dict) else {"value": value}
