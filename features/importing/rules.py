"""The contracts' rules over columns: a row that the pydantic contract refuses is refused here, by name.

Rules stand in order; a row is counted under the first it breaks. An agreement test holds them and the
contracts together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, get_args

import ibis

from features.contracts import CONTACT_STATES, EVENT_TYPES, PURPOSES, ConsentStatus
from features.contracts.event import OWN_TYPE
from features.contracts.ids import NOBODY, PLACEHOLDERS
from features.contracts.places import OTHER_CODES, known_countries
from features.contracts.words import FIRST_PLAUSIBLE, GRACE
from features.importing.macros import contact_states, flat_object, json_kind, json_text, known_zone
from features.importing.moments import moment_literal

Target = Literal["customers", "events", "consents", "preferences"]

_ID = r"^[^\x00-\x1f\x7f]{1,200}$"
_CHANNEL = r"^[a-z][a-z0-9_]{0,31}$"
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
_HOURS = 24
_LABELS = ("campaign_id", "offer_id")
"""Ids that are names of a few things: a campaign may well be called none, and merges nobody."""
_ASKS_COUNTRY = "country is a code of ISO 3166, or XK; " + ", ".join(
    f"{wrong} is {right}" for wrong, right in OTHER_CODES.items()
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: its name, what it asks for, and the rows that break it (as a column of a contract's table)."""

    name: str
    asks: str
    broken: Callable[[Any], Any]


def contract_rules(target: Target, now: datetime, *, placeholders: bool = False) -> list[Rule]:
    """Return the rules of ``target``, in order. ``now`` bounds the future: a day's grace for foreign clocks.

    ``placeholders`` lets ids through that stand for none.
    """
    rules = [*_required("customer_id"), *_printable("customer_id"), *_BY_TARGET[target](now)]
    named = (rule.name.removesuffix("_printable") for rule in rules if rule.name.endswith("_printable"))
    return rules if placeholders else [*rules, *(_names_somebody(name) for name in named if name not in _LABELS)]


def _required(name: str) -> list[Rule]:
    return [Rule(f"{name}_required", f"{name} is there", lambda t: t[name].isnull())]


def _printable(name: str) -> list[Rule]:
    asks = f"{name} has 1 to 200 characters, none of them a control character"
    return [_matches(f"{name}_printable", asks, name, _ID)]


def _names_somebody(name: str) -> Rule:
    asks = (
        f"{name} is an id, without blanks around it and none of {', '.join(PLACEHOLDERS)}; "
        "if yours are called so: allow_placeholder_ids: true in the mapping"
    )
    return Rule(f"{name}_placeholder", asks, lambda t: t[name].notnull() & t[name].re_search(NOBODY))


def _matches(rule: str, asks: str, name: str, pattern: str) -> Rule:
    # RE2's $ would also match before a final line break; \z would not.
    whole = pattern.removesuffix("$") + r"\z"
    return Rule(rule, asks, lambda t: t[name].notnull() & ~t[name].re_search(whole))


def _one_of(rule: str, name: str, known: tuple[str, ...], *, asks: str = "") -> Rule:
    asks = asks or f"{name} is one of {', '.join(known)}"
    return Rule(rule, asks, lambda t: t[name].notnull() & t[name].notin(known))


def _channel() -> list[Rule]:
    asks = "channel is a short lower-case word: a letter, then letters, digits or _, at most 32"
    return [_matches("channel_word", asks, "channel", _CHANNEL)]


def _moment(name: str, now: datetime, *, since: datetime = _BEGINNING) -> list[Rule]:
    first, last = moment_literal(since), moment_literal(now + GRACE)
    asks = f"{name} lies between {since.year} and a day from now"
    return [Rule(f"{name}_plausible", asks, lambda t: t[name].notnull() & ~t[name].between(first, last))]


def _finite(name: str) -> list[Rule]:
    return [
        Rule(
            f"{name}_finite",
            f"{name} is a finite number",
            lambda t: t[name].notnull() & (t[name].isnan() | t[name].isinf()),
        )
    ]


def _flat(name: str) -> list[Rule]:
    asks = f"{name} is a JSON object of single, finite values"
    return [Rule(f"{name}_flat", asks, lambda t: ~flat_object(t[name]).fill_null(False))]


def _range(name: str, last: int | None) -> list[Rule]:
    asks = f"{name} is at least 0" if last is None else f"{name} lies between 0 and {last}"
    return [
        Rule(
            f"{name}_range",
            asks,
            lambda t: t[name].notnull() & ((t[name] < 0) if last is None else ~t[name].between(0, last)),
        )
    ]


def _events(now: datetime) -> list[Rule]:
    own = OWN_TYPE.removesuffix("$") + r"\z"
    return [
        *_required("event_id"),
        *_printable("event_id"),
        *_required("type"),
        Rule(
            "type_known",
            "type is one of the event types, or x_<name>",
            lambda t: t["type"].notin(EVENT_TYPES) & ~t["type"].re_search(own),
        ),
        *_required("occurred_at"),
        *_moment("occurred_at", now),
        *_channel(),
        *(rule for name in ("decision_id", "message_id", "campaign_id", "offer_id") for rule in _printable(name)),
        *_finite("value"),
        _matches("currency_code", "currency is three capitals, like USD", "currency", r"^[A-Z]{3}$"),
        *_flat("properties"),
        Rule(
            "assigned_drawn",
            "an assigned event has properties.treatment, a text, and properties.propensity, a number between 0 "
            "and 1 (both excluded): the chance with which that arm was drawn",
            lambda t: (t["type"] == "assigned") & ~_drawn(t["properties"]).fill_null(False),
        ),
    ]


def _drawn(properties: Any) -> Any:
    """Tell whether properties say which arm was drawn, and with which chance."""
    told = ibis.ifelse(flat_object(properties).fill_null(False), properties, ibis.literal("{}"))
    arm, chance = "/treatment", "/propensity"
    is_number = json_kind(told, chance).isin(["DOUBLE", "BIGINT", "UBIGINT", "HUGEINT"])
    number = json_text(told, chance).try_cast("float64")
    is_arm = (json_kind(told, arm) == "VARCHAR") & (json_text(told, arm) != "")
    return is_arm & is_number & (number > 0) & (number < 1)


def _customers(now: datetime) -> list[Rule]:
    return [
        *_printable("household_id"),
        Rule(
            "time_zone_known",
            "time_zone is an IANA zone, like Europe/Berlin",
            lambda t: t["time_zone"].notnull() & ~known_zone(t["time_zone"]),
        ),
        _matches("country_code", "country is two capitals, like US", "country", r"^[A-Z]{2}$"),
        _one_of("country_known", "country", tuple(sorted(known_countries())), asks=_ASKS_COUNTRY),
        *_moment("registered_at", now),
        *_flat("attributes"),
        Rule(
            "contacts_states",
            f"contacts is a JSON object of channels, each {', '.join(CONTACT_STATES)}",
            lambda t: ~contact_states(t["contacts"]).fill_null(False),
        ),
    ]


def _consents(now: datetime) -> list[Rule]:
    return [
        *_required("channel"),
        *_channel(),
        *_required("purpose"),
        _one_of("purpose_known", "purpose", PURPOSES),
        *_required("status"),
        _one_of("status_known", "status", get_args(ConsentStatus)),
        *_required("at"),
        *_moment("at", now, since=FIRST_PLAUSIBLE),
        *_required("source"),
        *(
            _matches(f"{name}_text", f"{name} holds no NUL", name, r"^[^\x00]*$")
            for name in ("source", "evidence")
        ),
    ]


def _preferences(now: datetime) -> list[Rule]:
    del now  # a pause may well end in the future
    word = _CHANNEL.removesuffix("$") + r"\z"
    return [
        Rule(
            "channels_off_words",
            "channels_off holds channels: short lower-case words",
            lambda t: (
                t["channels_off"].isnull()
                | t["channels_off"].map(lambda c: ~c.re_search(word).fill_null(False)).anys().fill_null(False)
            ),
        ),
        *_range("quiet_from", _HOURS),
        *_range("quiet_until", _HOURS),
        Rule(
            "quiet_hours_paired",
            "quiet_from and quiet_until are both there or neither",
            lambda t: t["quiet_from"].isnull() != t["quiet_until"].isnull(),
        ),
        *_range("max_per_week", None),
    ]


_BY_TARGET: dict[Target, Callable[[datetime], list[Rule]]] = {
    "customers": _customers,
    "events": _events,
    "consents": _consents,
    "preferences": _preferences,
}


def first_broken(rules: list[tuple[str, Any]]) -> Any:
    """Return a text column: the name of the first rule whose condition holds, null where none does."""
    if not rules:
        return ibis.null("string")
    return ibis.cases(*((broken.fill_null(False), name) for name, broken in rules), else_=ibis.null("string"))
