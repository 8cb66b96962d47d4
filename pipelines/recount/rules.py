"""What is promised, as plain data: the recount reads no policy of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

Promise = Literal["caps", "gaps", "quiet", "consent", "once", "window", "whole"]
PROMISES: tuple[Promise, ...] = ("caps", "gaps", "quiet", "consent", "once", "window", "whole")
"""``window``: confirmed after it expired. ``whole``: a place lost or leaked, a decision without its record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The policy's limits as plain data: what ``policy.model_dump()`` and each offer's ``model_dump()`` hold.

    ``zones`` are the zones of each country, for customers whose own is unknown; ``anywhere`` those of a customer
    whose country is unknown too. Empty: such customers are not judged on quiet hours and calendar caps.
    """

    caps: tuple[Mapping[str, Any], ...] = ()
    gaps: tuple[tuple[float, str | None], ...] = ()
    gap_purposes: tuple[str, ...] = ("marketing",)
    quiet: tuple[Mapping[str, Any], ...] = ()
    quiet_passes: tuple[str, ...] = ()
    opt_in: tuple[str, ...] = ("marketing", "service")
    zones: Mapping[str, tuple[str, ...]]
    anywhere: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        policy: Mapping[str, Any],
        offers: Iterable[Mapping[str, Any]] = (),
        *,
        zones: Mapping[str, tuple[str, ...]] | None = None,
    ) -> Rules:
        """Return the rules of a policy and a catalogue's offers."""
        own = [{**cap, "offer_id": offer["offer_id"]} for offer in offers for cap in offer.get("caps", ())]
        channels = policy.get("channel_gap_hours", {})
        gaps = [
            (policy.get("min_gap_hours", 0.0), None),
            *((hours, channel) for channel, hours in channels.items()),
        ]
        return cls(
            caps=(*policy.get("caps", ()), *own),
            gaps=tuple((hours, channel) for hours, channel in gaps if hours > 0),
            gap_purposes=tuple(policy.get("gap_purposes", ("marketing",))),
            quiet=tuple(policy.get("quiet_hours", ())),
            quiet_passes=("transactional",) if policy.get("transactional_in_quiet_hours") else (),
            opt_in=tuple(policy.get("opt_in_purposes", ("marketing", "service"))),
            zones=zones or {},
            anywhere=tuple(policy.get("time_zones", ())),
        )
