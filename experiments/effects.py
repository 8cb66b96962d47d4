"""One metric, two arms: Welch for means and rates, the delta method for ratios, CUPED for both (tea-tasting)."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from experiments.metrics import AFTER, BEFORE, column
from measures.outcome import Interval, NotComputable, Outcome

if TYPE_CHECKING:
    import pyarrow as pa

    from experiments.spec import Metric

FEW = 10
"""Fewer customers than this with an outcome in an arm, and a normal approximation deserves a warning."""


@dataclass(frozen=True, eq=False, slots=True, kw_only=True)
class Sample:
    """One metric's columns in one arm: a value a customer, and what each is divided by and was before."""

    numerator: NDArray[np.float64]
    denominator: NDArray[np.float64]
    numerator_before: NDArray[np.float64]
    denominator_before: NDArray[np.float64]

    @property
    def n(self) -> int:
        """Customers."""
        return self.numerator.size

    @property
    def value(self) -> float | None:
        """The metric in this arm; None where there is nothing to divide by."""
        total = float(self.denominator.sum())
        return float(self.numerator.sum()) / total if total > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """What tea-tasting found: estimates with intervals, or why there are none."""

    absolute: Outcome
    relative: Outcome
    p_value: float | None
    error: float | None
    """Standard error of the difference."""


def sample(table: pa.Table, metric: Metric) -> Sample:
    """Return the metric's columns of an arm's ``table``; a mean is a ratio to one."""
    ones = np.ones(table.num_rows)

    def read(part: str, period: str) -> NDArray[np.float64]:
        name = column(metric, part, period)
        return np.asarray(table[name], dtype=np.float64) if name in table.column_names else ones

    return Sample(
        numerator=read("numerator", AFTER),
        denominator=read("denominator", AFTER),
        numerator_before=read("numerator", BEFORE),
        denominator_before=read("denominator", BEFORE),
    )


def compare(control: Sample, treated: Sample, *, ratio: bool, cuped: bool, level: float) -> Comparison:
    """Return the difference of ``treated`` and ``control``, absolute and relative to control, with intervals."""
    reason = _why_not(control, treated)
    if reason is not None:
        nothing = NotComputable(reason)
        return Comparison(absolute=nothing, relative=nothing, p_value=None, error=None)
    found, near_zero = _found(control, treated, ratio=ratio, cuped=cuped, level=level)
    n = control.n + treated.n
    absolute = _interval(found, "effect_size", level, n, otherwise="the outcome does not vary")
    relative = _interval(found, "rel_effect_size", level, n, otherwise="control is 0: there is no relative lift")
    if isinstance(absolute, NotComputable) or near_zero or found.control <= 0:
        relative = NotComputable("control is not clearly above 0: there is no relative lift")
    # tea-tasting's numbers are floats of a kind of its own, which programs that write JSON refuse.
    size, statistic, p_value = map(float, (found.effect_size, found.statistic, found.pvalue))
    computed = isinstance(absolute, Interval) and math.isfinite(p_value)
    return Comparison(
        absolute=absolute,
        relative=relative,
        p_value=p_value if computed else None,
        error=abs(size / statistic) if computed and statistic else None,
    )


def varies_before(control: Sample, treated: Sample) -> bool:
    """Whether the pre-period tells customers apart, so that CUPED has something to take out."""
    numerator = np.concatenate([control.numerator_before, treated.numerator_before])
    denominator = np.concatenate([control.denominator_before, treated.denominator_before])
    return bool(numerator.size and numerator.var() > 0 and denominator.sum() > 0)


def notes(metric: Metric, control: Sample, treated: Sample) -> tuple[str, ...]:
    """Return what a reader must know before trusting the interval."""
    least = min(int((control.numerator > 0).sum()), int((treated.numerator > 0).sum()))
    if least >= FEW:
        return ()
    return (f"only {least} customers of an arm have any {metric.name}: the interval is approximate",)


def _why_not(control: Sample, treated: Sample) -> str | None:
    for name, arm in (("control", control), ("the treated arm", treated)):
        if arm.n < 2:  # noqa: PLR2004 - one customer has no variance
            return f"{name} has {arm.n} customers: two are the least"
        if arm.value is None:
            return f"nobody in {name} has anything in the denominator"
    if np.ptp(control.numerator) == 0 == np.ptp(treated.numerator) and np.ptp(control.denominator) == 0:
        return "the outcome is the same for every customer: nothing varies"
    return None


def _found(control: Sample, treated: Sample, **how: Any) -> tuple[Any, bool]:
    """Return tea-tasting's result, and whether control is too near to 0 for a lift.

    Its interval of the lift overflows there. Adding the denominator a few times moves both arms by the same
    number, which leaves the difference, its interval and its p-value as they are.
    """
    try:
        return _tea_tasting(control, treated, **how), False
    except (OverflowError, ZeroDivisionError):
        spread = float(np.std(np.concatenate([control.numerator, treated.numerator])))
        moved = [
            replace(arm, numerator=arm.numerator + (10 * spread + 1) * arm.denominator)
            for arm in (control, treated)
        ]
        return _tea_tasting(moved[0], moved[1], **how), True


def _tea_tasting(control: Sample, treated: Sample, *, ratio: bool, cuped: bool, level: float) -> Any:
    import tea_tasting as tt  # noqa: PLC0415 - loads ibis and narwhals; only an analysis pays for it

    before = {"numer_covariate": "numerator_before", "denom_covariate": "denominator_before"} if cuped else {}
    if ratio:
        metric = tt.RatioOfMeans("numerator", "denominator", **before, **_welch(level))
    else:
        metric = tt.Mean("numerator", before.get("numer_covariate"), **_welch(level))
    data = {"control": _aggregates(control), "treated": _aggregates(treated)}
    return tt.Experiment({"metric": metric}, variant="arm").analyze(data, control="control")["metric"]


def _aggregates(arm: Sample) -> Any:
    """Return the arm's moments as tea-tasting keeps them.

    Computed here: given an Arrow table of several chunks it joins group means back in an order that is not
    kept, and the variances of one table differ from call to call (tea-tasting 1.14 and 2.0, narwhals 2.29).
    """
    from tea_tasting.aggr import Aggregates  # noqa: PLC0415 - as above

    columns = {name: getattr(arm, name) for name in arm.__slots__}
    moments = np.atleast_2d(np.cov(np.array(list(columns.values())), ddof=1))
    names = list(columns)
    pairs = [(i, j) for i, first in enumerate(names) for j, second in enumerate(names) if first < second]
    return Aggregates(
        count_=arm.n,
        mean_={name: float(values.mean()) for name, values in columns.items()},
        var_={name: float(moments[i, i]) for i, name in enumerate(names)},
        cov_={(names[i], names[j]): float(moments[i, j]) for i, j in pairs},
    )


def _welch(level: float) -> dict[str, Any]:
    return {"confidence_level": level, "equal_var": False, "use_t": True, "alternative": "two-sided"}


def _interval(found: Any, what: str, level: float, n: int, *, otherwise: str) -> Outcome:
    estimate, low, high = (float(getattr(found, f"{what}{end}")) for end in ("", "_ci_lower", "_ci_upper"))
    if not all(map(math.isfinite, (estimate, low, high))):
        return NotComputable(otherwise)
    return Interval(estimate=estimate, low=low, high=high, level=level, n=n)
