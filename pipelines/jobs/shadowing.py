"""A challenger in the champion's shadow: the same questions decided again on its scores, and what that earns."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from decisions.records import Decision
from decisions.scorers.base import Kind
from decisions.scorers.loading import load_scorer
from decisions.scorers.send_time import RHYTHM
from decisions.scoring import score
from decisions.shadow import HOLD, action_of, chances, comparable
from features.vocabulary import ATTRIBUTES
from measures.offpolicy import LEAST_EFFECTIVE_SHARE, Log, overlap, snips
from measures.outcome import Interval, NotComputable
from pipelines.jobs.deciding import recomputed
from pipelines.jobs.training import registry_of, sources_of
from training.looks import look, tallies
from training.sets import numbers, spine
from training.spans import first_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from decisions.records import Scores
    from decisions.scorers.base import FloatArray, Scorers
    from runtime.build import Kairos
    from training.sources import TrainingSources

LEAST_SAMPLE = 30.0
"""Decisions that the logged ones must weigh as much as, for a value to be told."""
UNSUPPORTED = 0.05
"""The share of choices that the log never made, from which on nothing can be told."""
MOST = 2_000
"""Decisions of the window that are looked at, the latest."""
REWARDS = {"purchased": "margin of all orders", "opened": "messages opened"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """What one set of scores would have earned a decision; where that cannot be told, ``cannot_tell`` says why."""

    estimate: float | None
    interval: tuple[float, float] | None
    effective_sample: float
    unsupported: float
    cannot_tell: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShadowReport:
    """The comparison. ``differ`` counts decisions that another action was drawn for, by the same draws."""

    model: Kind
    version: str
    champion: str
    since: datetime
    until: datetime
    decisions: int
    left_out: int
    differ: int
    reward: str
    values: Mapping[str, Value]

    def as_json(self) -> dict[str, Any]:
        """Return the report as a JSON object."""
        return asdict(self) | {"since": self.since.isoformat(), "until": self.until.isoformat()}


@dataclass(frozen=True, slots=True)
class _Case:
    """One decision as it was made, and as each set of scores would have had it."""

    made: Decision
    again: Mapping[str, Decision]


def shadow(kairos: Kairos, model: Kind, version: str, *, days: int) -> ShadowReport:
    """Decide questions of ``days`` whose outcome is known again, on the champions' scores and the challenger's.

    Each is decided on what was known then (features point in time, the ledger's state as recorded): one step
    ahead, not a history of its own. The hour of a message is not compared.

    Raises:
        LookupError: where there is no such version.
    """
    now = kairos.clock.now()
    outcome = timedelta(days=kairos.policy.holdback.outcome_days)
    since, until = now - outcome - timedelta(days=days), now - outcome
    champions, challenged = _contenders(kairos, model, version)
    sources = sources_of(kairos, now=now)
    ids = kairos.ledger.decisions_table(since, until)["decision_id"].to_pylist()[-MOST:]
    made = [kairos.ledger.decision(each) for each in ids]
    told = [each for each in made if comparable(each) and each.features_as_of is not None]
    scorers = {"champion": champions, "challenger": challenged}
    cases = [
        case
        for moment in sorted({each.features_as_of for each in told if each.features_as_of})
        for case in _decided(
            kairos, sources, [each for each in told if each.features_as_of == moment], moment, scorers
        )
    ]
    reward, what = _rewards(kairos, sources, [case.made for case in cases], outcome)
    return ShadowReport(
        model=model,
        version=version,
        champion=champions.versions[model],
        since=since,
        until=until,
        decisions=len(cases),
        left_out=len(made) - len(cases),
        differ=sum(action_of(case.again["champion"]) != action_of(case.again["challenger"]) for case in cases),
        reward=what,
        values={name: _value(cases, name, reward) for name in scorers},
    )


def _contenders(kairos: Kairos, model: Kind, version: str) -> tuple[Scorers, Scorers]:
    registry = registry_of(kairos.settings)
    champions = kairos.champions.current()
    with tempfile.TemporaryDirectory() as scratch:
        scorer = load_scorer(model, registry.fetch(registry.version(model, version), Path(scratch)))
    labels = {**champions.labels, model: f"{registry.name(model)}/{version}"}
    return champions, replace(champions, **{model: scorer}, labels=labels)


def _decided(
    kairos: Kairos,
    sources: TrainingSources,
    made: Sequence[Decision],
    moment: datetime,
    scorers: Mapping[str, Scorers],
) -> Iterator[_Case]:
    """Decide the questions whose features were of one ``moment`` again."""
    frame = _frame(sources, sorted({each.customer_id for each in made}), moment)
    scored = {name: _scored(kairos, frame, each) for name, each in scorers.items()}
    for decision in made:
        again = {
            name: recomputed(kairos, decision.decision_id, scores[decision.customer_id])
            for name, scores in scored.items()
        }
        yield _Case(decision, again)


def _scored(kairos: Kairos, frame: pa.Table, scorers: Scorers) -> Mapping[str, Scores]:
    found = score(frame, scorers, priors=kairos.policy.priors, offers=kairos.catalogue.offers)
    return {each.customer_id: each for each in found}


def _frame(sources: TrainingSources, customers: Sequence[str], moment: datetime) -> pa.Table:
    """Return the features of ``customers`` as they were known at ``moment``; attributes as they are now."""
    people = pa.chunked_array([pa.array(customers, pa.string())])
    frame = look(sources, people, moment, tallies(sources, moment)).frame
    if RHYTHM not in frame.column_names:
        asked = spine(people, pa.array([moment] * len(customers), pa.timestamp("us", "UTC")))
        frame = frame.append_column(RHYTHM, sources.store.rhythm_at(asked))
    told = sources.collect_customers(lambda table: table.select("customer_id", "attributes"))
    place = pc.index_in(frame["customer_id"], value_set=told["customer_id"].combine_chunks())
    others = frame.drop_columns([name for name in (ATTRIBUTES,) if name in frame.column_names])
    return others.append_column(ATTRIBUTES, told["attributes"].combine_chunks().take(place))


def _rewards(
    kairos: Kairos, sources: TrainingSources, made: Sequence[Decision], outcome: timedelta
) -> tuple[FloatArray, str]:
    """Return what came after each decision, whatever led to it, less what its message cost; and what it is."""
    kind = next((kind for kind in REWARDS if first_of(sources, (kind,))), "opened")
    events = sources.events((kind,), ("customer_id", "occurred_at", "value"))
    worth = np.nan_to_num(numbers(events, "value")) * kairos.policy.priors.gross_margin
    gained = worth if kind == "purchased" else np.ones(events.num_rows)
    whose = np.asarray(events["customer_id"].to_pylist(), dtype=object)
    at = events["occurred_at"].to_numpy().astype("datetime64[us]")
    rewards = np.zeros(len(made))
    for number, decision in enumerate(made):
        start = np.datetime64(decision.now.replace(tzinfo=None), "us")
        after = (whose == decision.customer_id) & (at >= start) & (at < start + np.timedelta64(outcome))
        rewards[number] = gained[after].sum() - (_cost(kairos, decision) if kind == "purchased" else 0.0)
    return rewards, f"{REWARDS[kind]} within {outcome.days} days"


def _cost(kairos: Kairos, decision: Decision) -> float:
    if decision.action == HOLD or decision.offer_id not in kairos.catalogue.offer or decision.channel is None:
        return 0.0
    return kairos.catalogue.offer[decision.offer_id].send_cost.get(decision.channel, 0.0)


def _value(cases: Sequence[_Case], name: str, reward: FloatArray) -> Value:
    """Return the self-normalised estimate, or why nothing can be told."""
    if not cases:
        return Value(
            estimate=None,
            interval=None,
            effective_sample=0.0,
            unsupported=0.0,
            cannot_tell="no decision whose outcome is known",
        )
    logged = [chances(case.made.stages) for case in cases]
    wanted = [chances(case.again[name].stages) for case in cases]
    taken = [action_of(case.made) for case in cases]
    propensity = np.array([each[action] for each, action in zip(logged, taken, strict=True)])
    target = np.array([each.get(action, 0.0) for each, action in zip(wanted, taken, strict=True)])
    never = [
        sum(chance for action, chance in each.items() if not was.get(action))
        for each, was in zip(wanted, logged, strict=True)
    ]
    clusters = np.unique([case.made.customer_id for case in cases], return_inverse=True)[1]
    unsupported, met = float(np.mean(never)), overlap(target / propensity)
    found = snips(Log(reward=reward, propensity=propensity, target=target, clusters=clusters)).value
    why = _why_not(met.effective_sample, len(cases), unsupported)
    if why is None and isinstance(found, NotComputable):
        why = found.reason
    told = found if why is None and isinstance(found, Interval) else None
    return Value(
        estimate=told.estimate if told else None,
        interval=(told.low, told.high) if told else None,
        effective_sample=met.effective_sample,
        unsupported=unsupported,
        cannot_tell=why,
    )


def _why_not(effective: float, size: int, unsupported: float) -> str | None:
    if unsupported > UNSUPPORTED:
        return f"{unsupported:.0%} of its choices were never made: more exploration would tell"
    least = max(LEAST_SAMPLE, LEAST_EFFECTIVE_SHARE * size)
    if effective < least:
        return f"{size} decisions weigh as much as {effective:.0f}, {least:.0f} are needed: wait, or explore more"
    return None
