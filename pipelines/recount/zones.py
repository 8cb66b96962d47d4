"""Where a customer may live, and whose days off hold there: read from the tz database's own table."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from pipelines.recount.windows import moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.recount.history import Person
    from pipelines.recount.rules import Rules

_ODD = (  # where clocks do not stand at a whole hour from UTC
    "America/St_Johns Pacific/Marquesas Asia/Tehran Asia/Kabul Asia/Kolkata Asia/Kathmandu Asia/Yangon "
    "Australia/Eucla Australia/Darwin Australia/Adelaide Australia/Lord_Howe Pacific/Chatham"
)
_EVERYWHERE: tuple[tzinfo, ...] = (
    *(timezone(timedelta(hours=hours)) for hours in range(-12, 15)),
    *(ZoneInfo(name) for name in _ODD.split()),
)


@lru_cache(maxsize=1)
def _table() -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for line in (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            country, _, name, *_ = line.split("\t")
            table.setdefault(country, []).append(name)
    # Codes in use that the table has not; a ledger may hold others of old, which are no country.
    return table | {"UK": table["GB"], "EL": table["GR"], "XK": table["RS"]}


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset((files("tzdata") / "zones").read_text(encoding="utf-8").split()) - {"Factory"}


def zones_of(person: Person, rules: Rules, at: int, *, local: str | None = None) -> Sequence[tzinfo]:
    """Return where the customer may live: one zone where it is known, else all of the country's, else all named.

    ``local`` is the local time promised for ``at``: where the zone has another offset it has changed since, and
    the promised offset stands in for it.
    """
    if person.zone in _names():
        promised = datetime.fromisoformat(local).utcoffset() if local else None
        zone = ZoneInfo(person.zone or "")
        kept = promised is None or moment(at).astimezone(zone).utcoffset() == promised
        return (zone,) if kept else (timezone(promised or timedelta()),)
    if person.country and (person.country in rules.zones or person.country in _table()):
        return _of_country(person.country, rules)
    if rules.anywhere:
        return tuple(ZoneInfo(name) for name in rules.anywhere)
    named = tuple(zone for country in rules.countries for zone in _of_country(country, rules))
    return named or _EVERYWHERE


def _of_country(country: str, rules: Rules) -> tuple[tzinfo, ...]:
    names = rules.zones.get(country) or _table().get(country)
    return tuple(ZoneInfo(name) for name in names) if names else _EVERYWHERE


def countries_of(person: Person, rules: Rules) -> tuple[str, ...]:
    """Return whose weekends and holidays hold: the customer's country, else all that the policy names."""
    return (person.country,) if person.country else rules.countries
