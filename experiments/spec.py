"""What an experiment is to show: one typed YAML file, written before the first result is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from features.advice import advice
from features.contracts import EVENT_SCHEMA
from features.contracts.event import EventType
from features.contracts.words import Contract, Currency, Id
from features.documents import YamlError, read_yaml
from features.expressions import Expression, parse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

EVENT_TYPES_BY_NAME = {field.name: str(field.type) for field in EVENT_SCHEMA}
MetricKind = Literal["mean", "rate", "ratio"]


class SpecError(ValueError):
    """An analysis file that cannot be used; the message names the file and the field."""


class Measure(Contract):
    """A sum over a customer's events: how many there are, or what they are worth together.

    ``where`` is a condition of the kept language on the event's own columns (docs/expressions.md), such as
    ``channel = 'email' and offer_id = 'tea'``. ``currency`` keeps to the events in one: amounts in
    several are never summed. Machine opens and bot clicks never count.
    """

    events: tuple[EventType, ...] = Field(min_length=1)
    what: Literal["count", "value"] = "count"
    currency: Currency | None = None
    where: str | None = None

    @field_validator("where")
    @classmethod
    def _reads_events(cls, text: str | None) -> str | None:
        if text is not None:
            parse(text).check(EVENT_TYPES_BY_NAME)
        return text

    @property
    def condition(self) -> Expression | None:
        """The parsed ``where``."""
        return None if self.where is None else parse(self.where)


class Metric(Contract):
    """One number per customer, compared between arms.

    ``mean`` is the numerator's mean per customer; ``rate`` the share of customers with at least one such event;
    ``ratio`` the numerator's total over the denominator's (clicks per delivered message), where the customer is
    still the unit that varies. Events count from the assignment until ``days`` later.

    ``cuped`` uses the same measure before the assignment to take out what customers differed in already. A
    ``guardrail`` must not get worse by more than ``margin``, relative to control.
    """

    name: Id
    kind: MetricKind
    numerator: Measure
    denominator: Measure | None = None
    days: int = Field(default=14, ge=1, le=730)
    better: Literal["up", "down"] = "up"
    cuped: bool = True
    guardrail: bool = False
    margin: float = Field(default=0.05, gt=0, lt=1)

    @model_validator(mode="after")
    def _a_ratio_has_two_parts(self) -> Metric:
        if (self.kind == "ratio") != (self.denominator is not None):
            raise ValueError(
                f"metric {self.name!r} is a {self.kind}: a ratio needs a denominator, nothing else takes one"
            )
        return self

    @property
    def parts(self) -> Iterator[tuple[str, Measure]]:
        """The numerator and, of a ratio, the denominator: each by its name, and what it sums."""
        yield "numerator", self.numerator
        if self.denominator is not None:
            yield "denominator", self.denominator


class AnalysisSpec(Contract):
    """The whole plan of an analysis: who is compared, by what, and how sure the answer must be.

    ``arms`` gives each arm the share of customers it was meant to get. ``level`` is of every interval; ``fdr``
    bounds the expected share of false discoveries among all metrics that are no guardrails.
    """

    experiment_id: Id
    control: Id
    arms: dict[Id, float] = Field(min_length=2)
    metrics: tuple[Metric, ...] = Field(min_length=1)
    covariate_days: int = Field(default=28, ge=1, le=730)
    level: float = Field(default=0.95, gt=0.5, lt=1)
    fdr: float = Field(default=0.05, gt=0, lt=0.5)

    @model_validator(mode="after")
    def _hangs_together(self) -> AnalysisSpec:
        if self.control not in self.arms:
            raise ValueError(f"control {self.control!r} is none of the arms {sorted(self.arms)}")
        if any(share <= 0 for share in self.arms.values()):
            raise ValueError(f"arms {self.arms}: every share must be above 0")
        names = [metric.name for metric in self.metrics]
        if len(names) != len(set(names)):
            raise ValueError(f"metrics {names} must have different names")
        return self

    @property
    def measures(self) -> Iterator[tuple[Metric, str, Measure]]:
        """Every metric's parts: the metric, ``numerator`` or ``denominator``, and what it sums."""
        return ((metric, part, measure) for metric in self.metrics for part, measure in metric.parts)

    @property
    def treatments(self) -> tuple[str, ...]:
        """Every arm but control, in the order written."""
        return tuple(arm for arm in self.arms if arm != self.control)

    @property
    def days(self) -> int:
        """How long after assignment the slowest metric is complete."""
        return max(metric.days for metric in self.metrics)


def load(path: Path) -> AnalysisSpec:
    """Return the analysis written in the YAML file at ``path``.

    Raises:
        SpecError: naming the file, the field, its value and the rule.
    """
    try:
        written = read_yaml(path)
    except (OSError, YamlError) as error:
        raise SpecError(f"analysis {path} cannot be read: {error}") from error
    try:
        return AnalysisSpec.model_validate(written.data)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or 'the file'}: {advice(fault, AnalysisSpec)} "
            f"(line {written.line(fault['loc'])})"
            for fault in error.errors()
        )
        raise SpecError(f"analysis {path}: {faults}") from error
