"""Train models: fit, judge on later data, register, promote or not, and say why."""

from __future__ import annotations

import tempfile
import traceback
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from decisions.scorers.loading import load_scorer
from features.faults import CustomerFault
from training.gates import CHAMPION, judge, plainer
from training.models import NoLabels
from training.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from decisions.scorers.base import FloatArray, Kind
    from training.gates import Verdict
    from training.models import Fitted, Model
    from training.registry import Registry
    from training.sources import TrainingSources
    from training.version import Version


def train(
    models: Sequence[Model],
    sources: TrainingSources,
    registry: Registry,
    *,
    tune: int = 0,
    seed: int,
    progress: Callable[[str], None] = lambda _model: None,
) -> list[Outcome]:
    """Train ``models`` one after the other and return what each came to.

    Each gets a run; what could be fitted a version; what passed the gate the alias ``champion``. ``progress`` is
    called with each model's name before it is trained. A model without labels registers nothing: priors stay in
    use. A model that fails says so in its outcome, and stops no other: what is in use stays in use.
    """
    outcomes = []
    for model in models:
        progress(model.name)
        try:
            outcomes.append(train_one(model, sources, registry, tune=tune, seed=seed))
        except Exception as error:  # noqa: BLE001  # whatever one model failed on, the others do without
            outcomes.append(failed(model.name, error))
    return outcomes


def train_one(model: Model, sources: TrainingSources, registry: Registry, *, tune: int = 0, seed: int) -> Outcome:
    """Train one model: see :func:`train`. What it fails on is raised, and noted in its run without its words."""
    with registry.run(model.name) as run_id:
        try:
            return _trained(model, sources, registry, run_id, tune=tune, seed=seed)
        except Exception as error:
            registry.note(run_id, status="failed", reason=_unnamed(error))
            raise


def failed(model: Kind, error: Exception) -> Outcome:
    """Return the outcome of a training that ended in ``error``: the model, the feature, and on whose data."""
    fault = error if isinstance(error, CustomerFault) else None
    feature = f" (feature {fault.feature})" if fault and fault.feature else ""
    reason = f"{model} could not be trained{feature}: {error} ({_where(error)})"
    return Outcome(model=model, status="failed", reason=reason, culprits=fault.named if fault else None)


def _unnamed(error: Exception) -> str:
    """Return what may lie in a registry: the words of an unknown error may hold anything, also who it is about."""
    return str(error) if isinstance(error, CustomerFault) else _where(error)


def _where(error: Exception) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1:]
    return (
        f"{type(error).__name__}, {Path(last[0].filename).name}:{last[0].lineno}" if last else type(error).__name__
    )


def _trained(
    model: Model, sources: TrainingSources, registry: Registry, run_id: str, *, tune: int, seed: int
) -> Outcome:
    fitted = model.fit(sources, tune=tune, seed=seed)
    if isinstance(fitted, NoLabels):
        registry.note(run_id, status="no_labels", reason=fitted.reason)
        kept = registry.champion(model.name)
        return Outcome(
            model=model.name,
            status="no_labels",
            reason=fitted.reason,
            run_id=run_id,
            decides=f"{CHAMPION} (version {kept.version})" if kept else None,
        )
    return _judged(fitted, sources, registry, run_id, seed=seed)


def _judged(fitted: Fitted, sources: TrainingSources, registry: Registry, run_id: str, *, seed: int) -> Outcome:
    """Judge, register and promote. Content that is registered already gets no second version."""
    known, champion = registry.known(fitted), registry.champion(fitted.scorer.kind)
    reigning = known is not None and known == champion
    fitted, remark = _against(fitted, None if reigning else champion, registry)
    names = [each.name for each in fitted.simpler]
    verdict = judge(fitted.backtest, seed=seed, caveat=fitted.caveat, simpler=names)
    remark = (
        f"version {champion.version}, same content, is the champion already" if reigning and champion else remark
    )
    verdict = replace(verdict, reason="; ".join(filter(None, [verdict.reason, remark])))
    plain = None if verdict.passed or reigning else _plainer(fitted, sources, registry, seed=seed)
    version = known or registry.register(fitted, verdict, sources)
    registry.note(run_id, status="measured", reason=verdict.reason, version=version.version)
    if verdict.passed:
        registry.promote(version.model, version.version)
    elif not reigning:
        registry.challenge(version.model, version.version)
    outcome = _outcome(
        fitted, verdict, version=version.version, promoted=verdict.passed or reigning, run_id=run_id
    )
    return replace(outcome, decides=_decider(outcome, fitted, plain or champion))


def _plainer(fitted: Fitted, sources: TrainingSources, registry: Registry, *, seed: int) -> Version | None:
    """Put the plainer scorer into use that decides where the model does not; None: what was in use stays."""
    found = {each.name: each for each in fitted.simpler}
    name = plainer(fitted.backtest, list(found), seed=seed)
    if name is None:
        return None
    plain = fitted.plainly(found[name])
    version = registry.known(plain)
    if version is None:
        said = f"{found[name].words}: decides until something beats it"
        verdict = replace(judge(plain.backtest, seed=seed), passed=True, reason=said)
        with registry.run(plain.scorer.kind, nested=True) as run_id:
            version = registry.register(plain, verdict, sources)
            registry.note(run_id, status="measured", reason=said, version=version.version)
    return registry.promote(version.model, version.version)


def _decider(outcome: Outcome, fitted: Fitted, otherwise: Version | None) -> str | None:
    """Return what decides now, by name and version."""
    if outcome.promoted:
        return f"{fitted.backtest.model} (version {outcome.version})"
    if otherwise is None:
        return None
    names = {each.scorer.version: each.name for each in fitted.simpler}
    return f"{names.get(otherwise.artefact, CHAMPION)} (version {otherwise.version})"


def _against(fitted: Fitted, champion: Version | None, registry: Registry) -> tuple[Fitted, str | None]:
    """Return the fit with the champion among its backtest's scores, and a remark where it cannot be asked."""
    if champion is None:
        return fitted, None
    try:
        scores = _champions_scores(fitted, champion, registry)
    except ValueError as error:
        return fitted, f"champion {champion.version} cannot answer on these features ({error})"
    backtest = replace(fitted.backtest, scores={**fitted.backtest.scores, CHAMPION: scores})
    return replace(fitted, backtest=backtest), None


def _champions_scores(fitted: Fitted, champion: Version, registry: Registry) -> FloatArray:
    with tempfile.TemporaryDirectory() as scratch:
        return fitted.rescore(load_scorer(champion.model, registry.fetch(champion, Path(scratch))))


def _outcome(fitted: Fitted, verdict: Verdict, *, version: str, promoted: bool, run_id: str) -> Outcome:
    return Outcome(
        model=fitted.scorer.kind,
        status="measured",
        reason=verdict.reason,
        metric=fitted.backtest.metric,
        direction=fitted.backtest.direction,
        value=verdict.value,
        baseline_name=fitted.backtest.baseline,
        baseline_value=verdict.baseline_value,
        interval=verdict.interval,
        n=len(fitted.backtest.truth),
        promoted=promoted,
        version=version,
        run_id=run_id,
        others=verdict.others,
    )
