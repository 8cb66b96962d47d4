"""Which time zones a customer may live in; an unknown zone is never less protected than a known one (P3)."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from decisions.timing.localtime import Days, stretches

if TYPE_CHECKING:
    from decisions.policy import Policy
    from features.contracts import Customer

_BETWEEN = (
    "America/St_Johns",
    "Pacific/Marquesas",
    "Asia/Tehran",
    "Asia/Kabul",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Yangon",
    "Australia/Eucla",
    "Australia/Darwin",
    "Australia/Adelaide",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
)
"""A zone of every place whose clock does not stand at a whole hour from UTC, now or in summer."""

WORLD: tuple[str, ...] = (
    *(f"Etc/GMT{'-' if hours >= 0 else '+'}{abs(hours)}" for hours in sorted(range(-12, 15), key=abs)),
    *_BETWEEN,
)
"""One zone for every whole hour from UTC−12 to UTC+14 (these names count backwards), and what lies between.

A span of an hour or more, forbidden at two neighbouring whole hours, is forbidden between them too; a shorter one
is not.
"""


@lru_cache(maxsize=1)
def _zone_table() -> dict[str, tuple[str, ...]]:
    """Return the zones of each country as the tz database lists them, the most populous among the first."""
    table: dict[str, list[str]] = {}
    text = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    for line in text.splitlines():
        if line and not line.startswith("#"):
            country, _, name = line.split("\t")[:3]
            table.setdefault(country, []).append(name)
    table["XK"] = table["RS"]  # Kosovo is no part of ISO 3166, and keeps Belgrade's time
    return {country: tuple(names) for country, names in table.items()}


def countries() -> tuple[str, ...]:
    """Return every country that has zones (ISO 3166 codes)."""
    return tuple(_zone_table())


def zones_of_country(country: str) -> tuple[str, ...]:
    """Return every zone of ``country`` (ISO 3166 code); the whole world for a code that is not listed."""
    return _zone_table().get(country, WORLD)


def possible_zones(customer: Customer, policy: Policy) -> tuple[str, ...]:
    """Return the zones in one of which ``customer`` lives; one alone where it is known.

    Without a zone: every zone of the customer's country; without a country that has any: those the policy names
    (``time_zones``, else ``countries``); with neither: the world, in which every moment is somebody's night. A
    code that no country has (imported before such were refused) would otherwise hold its customer for ever.
    """
    if customer.time_zone:
        return (customer.time_zone,)
    if customer.country in _zone_table():
        return zones_of_country(customer.country)
    if policy.time_zones:
        return policy.time_zones
    named = tuple(name for country in policy.countries for name in zones_of_country(country))
    return named or WORLD


@lru_cache(maxsize=4096)
def distinct(zones: tuple[str, ...], days: Days) -> tuple[str, ...]:
    """Return one zone of each group that shows the same time throughout ``days``, the first of each."""
    first: dict[object, str] = {}
    for name in zones:
        first.setdefault(stretches(name, days), name)
    return tuple(first.values())
