"""The policy: what a company wants, in one typed YAML file. docs/policy.md explains it key by key."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, ValidationError, field_validator, model_validator

from decisions.documents import fingerprint, load
from decisions.layers import PARTS, minus, overlap, placed, shown
from decisions.policy_parts import (
    Blackout,
    Cooldowns,
    DaysOff,
    Displacement,
    Experiment,
    Exploration,
    Frequency,
    Holdback,
    QuietHours,
    SmartPause,
)
from decisions.priors import Priors
from features.advice import advice
from features.contracts import Cap, Channel, Purpose
from features.contracts.words import LOOK_BACK_DAYS, Contract, Country, Currency, TimeZone

if TYPE_CHECKING:
    from collections.abc import Mapping

    from decisions.policy_parts import Arm

__all__ = ["Policy", "load_policy", "overlaid"]


_SHARED = {"experiments", "daily_budget"}
_LONGEST_GAP = LOOK_BACK_DAYS * 24


class Policy(Contract):
    """Everything a decision may depend on that people decide. Frozen; ``version`` names its content.

    The customer's own preferences bind on top of all of it.
    """

    currency: Currency = "EUR"
    """What every amount here and in the catalogue is in."""
    channels: tuple[Channel, ...] = Field(min_length=1)
    """The channels that may be used at all."""

    time_zones: tuple[TimeZone, ...] = ()
    """Where a customer without zone and country may live; each of them must be outside quiet hours."""
    countries: tuple[Country, ...] = ()
    """The same by country, where ``time_zones`` is empty; also whose holidays hold for such a customer."""

    horizon_hours: int = Field(default=168, ge=1, le=24 * 28)
    """How far ahead a send may lie."""
    window_hours: float = Field(default=4.0, gt=0, le=168)
    """How long ``send_at … expires_at`` may be; shorter where permitted time ends earlier."""
    least_window_minutes: int = Field(default=15, ge=1)
    """A stretch of permitted time shorter than this is not used."""
    reservation_ttl_hours: int = Field(default=192, ge=1)
    """A reservation that is not confirmed so many hours after the decision is gone."""

    caps: tuple[Cap, ...] = ()
    """At most so many messages per window, in all or by channel, category, offer or campaign."""
    min_gap_hours: float = Field(default=24.0, ge=0, le=_LONGEST_GAP)
    """Between any two messages of ``gap_purposes``; 0 asks for none."""
    channel_gap_hours: dict[Channel, float] = Field(default_factory=dict)
    """Between two messages on the same channel, on top of ``min_gap_hours``."""
    gap_purposes: tuple[Purpose, ...] = ("marketing",)
    """Which messages gaps count and bind."""

    quiet_hours: tuple[QuietHours, ...] = (QuietHours(from_hour=21, until_hour=8),)
    """Local hours without messages. All rules that fit a message hold together."""
    transactional_in_quiet_hours: bool = False
    """Whether transactional messages may go at night, against the customer's own quiet hours too."""
    days_off: DaysOff = DaysOff()
    """Local days without messages."""
    blackouts: tuple[Blackout, ...] = ()
    """Stretches of the calendar without messages."""
    smart_pause: SmartPause | None = None
    """A rest for customers who answer nothing."""
    cooldowns: Cooldowns = Cooldowns()
    """Rests before the same thing is said again."""

    opt_in_purposes: tuple[Purpose, ...] = ("marketing", "service")
    """Purposes that need a granted consent. Any purpose is stopped by a withdrawal of its own."""
    soft_bounced_purposes: tuple[Purpose, ...] = ("transactional",)
    """Purposes for which a soft-bounced contact is tried again."""

    unsubscribe_days: int = Field(default=400, ge=30, le=3650)
    """How long after ``send_at`` a message's unsubscribe link works. Law asks for 30 days at least (CAN-SPAM)."""

    holdout_share: float = Field(default=0.0, ge=0, lt=1)
    """Customers who never get marketing, for the long-run effect."""
    holdback: Holdback = Holdback()
    """Would-be sends withheld at random."""
    exploration: Exploration = Exploration()
    """What learning may cost."""
    frequency: Frequency = Frequency()
    """How often to write, once that is learned."""
    displacement: Displacement = Displacement()
    """When a better message may take the place of one not yet confirmed."""
    priors: Priors = Priors()
    """What is believed before there are data."""
    daily_budget: dict[Channel, int] = Field(default_factory=dict)
    """Messages a UTC day on a channel, for all workers and plans together; 0 is none, no entry is no limit."""
    experiments: tuple[Experiment, ...] = ()
    """Comparisons of policies on shares of the customers."""

    @field_validator("opt_in_purposes")
    @classmethod
    def _marketing_needs_consent(cls, purposes: tuple[Purpose, ...]) -> tuple[Purpose, ...]:
        if "marketing" not in purposes:
            raise ValueError("marketing always needs a granted consent: keep 'marketing' in the list")
        return purposes

    @field_validator("channel_gap_hours")
    @classmethod
    def _gaps_can_be_kept(cls, gaps: dict[Channel, float]) -> dict[Channel, float]:
        beyond = {channel: hours for channel, hours in gaps.items() if not 0 <= hours <= _LONGEST_GAP}
        if beyond:
            raise ValueError(f"a gap is at least 0 hours and at most {_LONGEST_GAP}, got {beyond}")
        return gaps

    @field_validator("daily_budget")
    @classmethod
    def _budgets_are_not_negative(cls, places: dict[Channel, int]) -> dict[Channel, int]:
        below = {channel: count for channel, count in places.items() if count < 0}
        if below:
            raise ValueError(f"a budget is at least 0 messages, got {below}; leave the channel out for no limit")
        return places

    @model_validator(mode="after")
    def _channels_are_known(self) -> Policy:
        named = {
            *self.channel_gap_hours,
            *self.daily_budget,
            *(cap.channel for cap in self.caps if cap.channel),
            *(
                channel
                for rule in (*self.quiet_hours, *self.blackouts, self.days_off)
                for channel in rule.channels
            ),
        }
        unknown = sorted(named - set(self.channels))
        if unknown:
            raise ValueError(f"channels {unknown} are used below but are not among channels {list(self.channels)}")
        return self

    @model_validator(mode="after")
    def _holidays_need_a_country(self) -> Policy:
        if self.days_off.public_holidays and not self.countries:
            raise ValueError(
                "days_off.public_holidays needs countries: whose holidays hold for a customer of unknown country?"
            )
        return self

    @model_validator(mode="after")
    def _experiments_fit_together(self) -> Policy:
        names = [experiment.experiment_id for experiment in self.experiments]
        if len(names) != len(set(names)):
            raise ValueError(f"experiments {names} must have different ids")
        for layer, share in self._layers().items():
            if share > 1 + 1e-9:
                raise ValueError(f"experiments of layer {layer!r} take {share:g} of the customers: at most 1")
            self._places_are_taken_once(layer)
        for experiment in self.experiments:
            for arm in experiment.arms:
                self._can_be(experiment, arm)
        return self

    def _can_be(self, experiment: Experiment, arm: Arm) -> None:
        try:
            overlaid(self, arm.policy)
        except ValidationError as error:  # it would be taken for this policy's own, with a place that is not in it
            faults = (
                f"{'.'.join(map(str, each['loc'])) or 'it'}: {advice(each, Policy)}" for each in error.errors()
            )
            raise ValueError(
                f"the policy of arm {arm.name!r} of experiment {experiment.experiment_id!r}: {'; '.join(faults)}"
            ) from error

    def _places_are_taken_once(self, layer: str) -> None:
        inside = [experiment for experiment in self.experiments if experiment.in_layer == layer]
        parts = [part for experiment in inside for part in experiment.parts]
        if overlap(parts):
            names = sorted(experiment.experiment_id for experiment in inside if experiment.places)
            raise ValueError(
                f"experiments {names} of layer {layer!r} have places in common; free are "
                f"{shown(minus([(0, PARTS)], parts))}"
            )

    def _layers(self) -> dict[str, float]:
        shares: dict[str, float] = {}
        for experiment in self.experiments:
            shares[experiment.in_layer] = shares.get(experiment.in_layer, 0.0) + experiment.share
        return shares

    @cached_property
    def layers(self) -> Mapping[str, tuple[tuple[int, int, Experiment], ...]]:
        """Which parts of each layer (from, until) belong to which experiment."""
        taken = placed(self.experiments)
        found: dict[str, tuple[tuple[int, int, Experiment], ...]] = {}
        for experiment in self.experiments:
            parts = tuple((start, end, experiment) for start, end in taken[experiment.experiment_id])
            found[experiment.in_layer] = (*found.get(experiment.in_layer, ()), *parts)
        return found

    @cached_property
    def version(self) -> str:
        """A short hash of the content."""
        return fingerprint(self)

    def __hash__(self) -> int:
        """Hash by content, so that what follows from a policy can be kept."""
        return hash(self.version)


def load_policy(path: Path | str) -> Policy:
    """Return the policy written in the YAML file at ``path``.

    Raises:
        DocumentError: naming the key, the value and the rule it breaks.
    """
    return load(Policy, Path(path))


def overlaid(policy: Policy, overlay: dict[str, Any]) -> Policy:
    """Return ``policy`` with ``overlay`` on top: mappings are merged, everything else is replaced.

    Raises:
        ValueError: where the result is not a policy, or the overlay speaks of what all arms share.
    """
    if shared := sorted(_SHARED & set(overlay)):
        raise ValueError(f"an arm's policy cannot change {shared}: all arms share them")
    base = policy.model_dump(exclude={"experiments"})
    return Policy.model_validate(_merged(base, overlay))


def _merged(base: Any, top: Any) -> Any:
    if not (isinstance(base, dict) and isinstance(top, dict)):
        return top
    return {**base, **{key: _merged(base.get(key), value) for key, value in top.items()}}
