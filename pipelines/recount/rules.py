"""What is promised, as plain data: the recount reads no policy of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from typing import TYPE_CHECKING, Any, Literal, get_args

if TYPE_CHECKING:
    from collections.abc import Iterable

Promise = Literal[
    "caps",
    "gaps",
    "rests",
    "quiet",
    "days",
    "wishes",
    "consent",
    "once",
    "window",
    "whole",
    "displaced",
    "budgets",
]
PROMISES: tuple[Promise, ...] = get_args(Promise)
"""What each is about.

``rests``: cooldowns and exclusive offers. ``days``: blackouts and days off. ``wishes``: the customer's own limits.
``once``: confirmed, or one request answered, more than once. ``window``: confirmed after it expired. ``whole``: a
place lost or leaked, a decision without its record. ``displaced``: a place taken that was not yet given up.
"""

_NO_DAYS_OFF: Mapping[str, Any] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rests:
    """How long the same thing, or its rival, is not said again; in days of 24 hours, 0 for none."""

    after_sent: float = 0.0
    after_conversion: float = 0.0
    exclusive: float = 0.0
    own: Mapping[str, float] = field(default_factory=dict)
    """The offer's own rest, which holds where it is longer."""
    groups: Mapping[str, str] = field(default_factory=dict)
    """The exclusivity group of each offer that has one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """A policy's and a catalogue's limits as plain data.

    ``zones`` are the zones of each country where they differ from the tz database's; ``anywhere`` those of a
    customer whose country is unknown too, ``countries`` whose days off and zones then hold.
    """

    caps: tuple[Mapping[str, Any], ...] = ()
    gaps: tuple[tuple[float, str | None], ...] = ()
    gap_purposes: tuple[str, ...] = ("marketing",)
    rests: Rests = Rests()
    quiet: tuple[Mapping[str, Any], ...] = ()
    quiet_passes: tuple[str, ...] = ()
    days_off: Mapping[str, Any] = field(default_factory=dict)
    blackouts: tuple[Mapping[str, Any], ...] = ()
    opt_in: tuple[str, ...] = ("marketing", "service")
    zones: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    anywhere: tuple[str, ...] = ()
    countries: tuple[str, ...] = ()
    budgets: Mapping[str, int] = field(default_factory=dict)
    policy: Mapping[str, Any] = field(default_factory=dict)
    offers: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(
        cls,
        policy: Mapping[str, Any],
        offers: Iterable[Mapping[str, Any]] = (),
        *,
        zones: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Rules:
        """Return the rules of a policy and of a catalogue's offers, as ``model_dump()`` writes them, or JSON."""
        offers = tuple(offers)
        own = [{**cap, "offer_id": offer["offer_id"]} for offer in offers for cap in offer.get("caps") or ()]
        return cls(
            caps=(*policy.get("caps", ()), *own),
            gaps=_gaps(policy),
            gap_purposes=tuple(policy.get("gap_purposes", ("marketing",))),
            rests=_rests(policy.get("cooldowns", {}), offers),
            quiet=tuple(policy.get("quiet_hours", ())),
            quiet_passes=("transactional",) if policy.get("transactional_in_quiet_hours") else (),
            days_off=policy.get("days_off", _NO_DAYS_OFF),
            blackouts=tuple(policy.get("blackouts", ())),
            opt_in=tuple(policy.get("opt_in_purposes", ("marketing", "service"))),
            zones=zones or {},
            anywhere=tuple(policy.get("time_zones", ())),
            countries=tuple(policy.get("countries", ())),
            budgets=policy.get("daily_budget", {}),
            policy=policy,
            offers=offers,
        )

    def for_arms(self, arms: Mapping[str, str]) -> Rules:
        """Return the rules as the arms (experiment to arm) change them, in the order the policy lists them."""
        overlays = [
            arm["policy"]
            for experiment in self.policy.get("experiments", ())
            for arm in experiment["arms"]
            if arms.get(experiment["experiment_id"]) == arm["name"] and arm.get("policy")
        ]
        merged: Any = reduce(_merged, overlays, self.policy)
        return Rules.of(merged, self.offers, zones=self.zones) if overlays else self


def _gaps(policy: Mapping[str, Any]) -> tuple[tuple[float, str | None], ...]:
    channels = policy.get("channel_gap_hours", {})
    gaps = [(policy.get("min_gap_hours", 0.0), None), *((hours, channel) for channel, hours in channels.items())]
    return tuple((hours, channel) for hours, channel in gaps if hours > 0)


def _rests(cooldowns: Mapping[str, float], offers: tuple[Mapping[str, Any], ...]) -> Rests:
    return Rests(
        after_sent=cooldowns.get("after_sent_days", 0.0),
        after_conversion=cooldowns.get("after_conversion_days", 0.0),
        exclusive=cooldowns.get("exclusivity_days", 0.0),
        own={offer["offer_id"]: offer.get("cooldown_days") or 0 for offer in offers},
        groups={offer["offer_id"]: group for offer in offers if (group := offer.get("exclusivity_group"))},
    )


def _merged(base: Any, top: Any) -> Any:
    """An overlay's mappings are merged into the base's; everything else it names is replaced."""
    if not (isinstance(base, dict) and isinstance(top, dict)):
        return top
    return base | {name: _merged(base.get(name), value) for name, value in top.items()}
