"""Optuna's search over a booster's settings: seeded, cross-fitted within the training set, a run per trial.

Within :func:`searching` the trials of a search are kept in a file: on the same data, one that was interrupted goes
on where it was, and one that is done is not done again.
"""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from features.progress import Progress, quiet
from training.fitting import Boosting, cross_fit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from training.fitting import Training

_FOLDS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class _Search:
    """Where trials are kept (None: nowhere), and who is told how many of the budget are done."""

    store: str | None = None
    progress: Progress = quiet


_SEARCH: ContextVar[_Search | None] = ContextVar("search", default=None)


@contextmanager
def searching(file: Path, progress: Progress = quiet) -> Iterator[None]:
    """Keep the trials of all searches within in ``file``, and tell ``progress`` how far each is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    token = _SEARCH.set(_Search(store=f"sqlite:///{file.absolute()}", progress=progress))
    try:
        yield
    finally:
        _SEARCH.reset(token)


def tuned(training: Training, start: Boosting, *, trials: int, seed: int) -> Boosting:
    """Return the settings with the lowest cross-fitted log-loss on the training set.

    ``start`` is the first trial, so that no search returns worse than it; with no trials it is the answer. The
    later data of the backtest are never looked at.
    """
    if trials == 0:
        return start
    return best(
        suggested,
        lambda settings: held_out_loss(training, settings, seed=seed),
        start=start,
        trials=trials,
        seed=seed,
        name=_name(training, start, seed),
    )


def _name(training: Training, start: Boosting, seed: int) -> str:
    """Return what a search is called: the same for the same data, first trial and seed only."""
    digest = hashlib.sha256(repr((training.names, sorted(asdict(start).items()), seed)).encode())
    for part in (training.columns, training.labels, training.groups, training.offset):
        digest.update(b"" if part is None else np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()[:24]


def best(
    suggest: Callable[[Any], Boosting],
    loss: Callable[[Boosting], float],
    *,
    start: Boosting,
    trials: int,
    seed: int,
    name: str | None = None,
) -> Boosting:
    """Return the suggestion of lowest ``loss`` among ``start`` and ``trials`` drawn by Optuna's TPE.

    Trials of a search of that ``name`` that were kept count among them.
    """
    import optuna  # noqa: PLC0415  # only a search needs it

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    search = _SEARCH.get() or _Search()
    store = search.store if name else None
    study = optuna.create_study(storage=store, study_name=name, load_if_exists=store is not None)
    kept = [trial for trial in study.trials if trial.state.is_finished() and trial.value is not None][:trials]
    study.sampler = optuna.samplers.TPESampler(seed=seed + len(kept))
    found = {each.number: (each.value, suggest(optuna.trial.FixedTrial(each.params))) for each in kept}
    found[-1] = (loss(start), start)

    def objective(trial: Any) -> float:
        settings = suggest(trial)
        with _nested_run(trial.number) as log:
            lost = loss(settings)
            found[trial.number] = (lost, settings)
            log(settings, lost)
        search.progress("tune", len(found) - 1, trials)
        return lost

    search.progress("tune", len(kept), trials)
    study.optimize(objective, n_trials=trials - len(kept))
    return min(found.values(), key=lambda pair: pair[0])[1]


def suggested(trial: Any) -> Boosting:
    """Return settings drawn by ``trial``, all of them on the careful side."""
    return Boosting(
        leaves=trial.suggest_int("leaves", 3, 15),
        rounds=trial.suggest_int("rounds", 50, 400, step=25),
        learning_rate=trial.suggest_float("learning_rate", 0.01, 0.1, log=True),
        min_child=trial.suggest_int("min_child", 20, 300, log=True),
        l2=trial.suggest_float("l2", 1.0, 100.0, log=True),
        rows=trial.suggest_float("rows", 0.5, 1.0),
        columns=trial.suggest_float("columns", 0.3, 1.0),
    )


def held_out_loss(training: Training, settings: Boosting, *, seed: int) -> float:
    """Return the cross-fitted log-loss of ``settings``, whole customers held out."""
    odds = cross_fit(training, settings, seed=seed, folds=_FOLDS)
    return float(np.mean(np.logaddexp(0.0, odds) - training.labels * odds))


@contextmanager
def _nested_run(number: int) -> Iterator[Callable[[Boosting, float], None]]:
    """Log a trial below the run that is open, if one is; training without a registry logs nothing."""
    import mlflow  # noqa: PLC0415  # seconds to import, and only a search needs it here

    if mlflow.active_run() is None:
        yield lambda _settings, _loss: None
        return

    def log(settings: Boosting, loss: float) -> None:
        mlflow.log_params(settings.as_parameters())
        mlflow.log_metric("held_out_loss", loss)

    with mlflow.start_run(run_name=f"trial {number}", nested=True):
        yield log
