"""What an MLflow run and a registered version are told of a fit: numbers, trees, signature."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from features.vocabulary import TALLY_COUNTS, TALLY_PAIRS

if TYPE_CHECKING:
    from pathlib import Path

    from training.gates import Verdict
    from training.models import Fitted

REQUIREMENTS = ("lightgbm>=4.7,<4.8", "numpy>=2.2", "pyarrow>=25", "scipy>=1.16")
"""Named rather than inferred: inference starts a process that imports everything once more."""

_ARRAYS = ("category_share", "category_orders_90d", "category_recency_days", "rhythm", *TALLY_COUNTS)
"""Columns that hold lists of numbers."""


def log_numbers(fitted: Fitted, verdict: Verdict) -> None:
    """Log the fit's parameters, and what the gate measured on later data."""
    import mlflow  # noqa: PLC0415  # seconds to import

    backtest = fitted.backtest
    mlflow.log_params(
        {
            **fitted.parameters,
            "fingerprint": fitted.fingerprint,
            "trained_on": fitted.trained_on,
            "metric": backtest.metric,
            "direction": backtest.direction,
        }
    )
    low, high = verdict.interval or (None, None)
    found = {
        backtest.metric: verdict.value,
        f"{backtest.metric}_{backtest.baseline}": verdict.baseline_value,
        **{f"{backtest.metric}_{name}": value for name, value in verdict.others.items()},
        "gain_low": low,
        "gain_high": high,
        "later_units": float(len(backtest.truth)),
        **fitted.metrics,
    }
    mlflow.log_metrics({name: value for name, value in found.items() if value is not None})
    mlflow.set_tag("passed", verdict.passed)


def log_boosters(artefact: Path) -> None:
    """Log each booster in MLflow's LightGBM flavour too: its own tools then read the trees."""
    import lightgbm as lgb  # noqa: PLC0415  # seconds to import
    import mlflow.lightgbm  # noqa: PLC0415  # seconds to import

    for file in sorted(artefact.glob("*.txt")):
        mlflow.lightgbm.log_model(
            lgb.Booster(model_file=str(file)), name=file.stem, pip_requirements=list(REQUIREMENTS[:1])
        )


def signature(inputs: tuple[str, ...]) -> Any:
    """Return the signature: doubles that may be missing, so that an integer column with gaps breaks nothing."""
    from mlflow.models import ModelSignature  # noqa: PLC0415  # seconds to import
    from mlflow.types import ColSpec, DataType, Schema  # noqa: PLC0415  # as above
    from mlflow.types.schema import Array  # noqa: PLC0415  # as above

    def of(name: str) -> Any:
        if name == TALLY_PAIRS:
            return ColSpec(Array(DataType.string), name, required=False)
        return ColSpec(Array(DataType.double) if name in _ARRAYS else DataType.double, name, required=False)

    return ModelSignature(inputs=Schema([of(name) for name in inputs])) if inputs else None
