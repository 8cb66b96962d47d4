"""What is wrong with the files of a deployment, before anything runs: policy, catalogue, plans, mappings."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from decisions.catalogue import load_catalogue
from decisions.checking import Finding, Seen, look, open_names
from decisions.policy import load_policy
from features.documents import YamlError, load_yaml
from features.nearest import nearest
from features.vocabulary import is_own_name
from runtime.checking import seen_in
from runtime.clock import SystemClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from decisions.catalogue import Catalogue
    from decisions.policy import Policy
    from experiments.spec import AnalysisSpec
    from features.importing.mapping import ImportMapping
    from runtime.settings import Settings

Kind = Literal["policy", "catalogue", "plan", "mapping"]

_SIGNS: dict[Kind, frozenset[str]] = {
    "mapping": frozenset({"sources"}),
    "plan": frozenset({"metrics", "control", "arms"}),
    "catalogue": frozenset({"offers", "campaigns"}),
}
"""The keys by which a file is known; one without any is a policy."""
_SHARE = 1e-3
"""How far a share may be off before a sample ratio is another one."""


class _Read:
    """The files of one check, as far as they can be read; what cannot is a finding."""

    def __init__(self, settings: Settings) -> None:
        self.paths: dict[Kind, Path] = {"policy": settings.policy, "catalogue": settings.catalogue}
        self.policy: Policy | None = None
        self.catalogue: Catalogue | None = None
        self.plans: list[tuple[Path, AnalysisSpec]] = []
        self.mappings: list[tuple[Path, ImportMapping]] = []
        self.broken: set[Kind] = set()
        self.findings: list[Finding] = []

    def take(self, path: Path, kind: Kind) -> None:
        """Read one file as what it is."""
        try:
            self._take(path, kind)
        except ValueError as error:
            self.broken.add(kind)
            for where, what in _lines(str(error), path):
                self.findings.append(Finding(level="error", file=str(path), where=where, what=what))

    def _take(self, path: Path, kind: Kind) -> None:
        match kind:
            case "policy":
                self.policy = load_policy(path)
                self.paths["policy"] = path
            case "catalogue":
                self.catalogue = load_catalogue(path)
                self.paths["catalogue"] = path
            case "plan":
                from experiments.spec import load  # with what it analyses by: seconds

                self.plans.append((path, load(path)))
            case "mapping":
                from features.importing import load_mapping  # likewise

                self.mappings.append((path, load_mapping(path)))


def check_files(settings: Settings, files: Sequence[Path] = ()) -> list[Finding]:
    """Return what is wrong with ``files``, errors first; without any, with those that the settings name.

    A policy or catalogue that is not among them is the settings'. A file is known by its keys. Of a mapping, the
    files it names have to be there, and its constants have to be such that a row may pass with them.
    """
    read = _Read(settings)
    for path in files:
        read.take(path, kind_of(path))
    _complete(read, settings, needed=not files)
    own = [each for path, mapping in read.mappings for each in _mapping(path, mapping, settings, read.policy)]
    return sorted([*read.findings, *own, *_together(read, settings)], key=lambda each: each.level)


def _complete(read: _Read, settings: Settings, *, needed: bool) -> None:
    """Read the settings' own files where others do not stand for them."""
    if read.policy is None and "policy" not in read.broken and (needed or settings.policy.exists()):
        read.take(settings.policy, "policy")
    if read.catalogue is None and "catalogue" not in read.broken and (needed or settings.catalogue.exists()):
        read.take(settings.catalogue, "catalogue")


def kind_of(path: Path) -> Kind:
    """Return what a file is, by its keys; a policy where it cannot be read."""
    try:
        data = load_yaml(path)
    except (OSError, YamlError):
        return "policy"
    keys = set(data) if isinstance(data, dict) else set()
    return next((kind for kind, signs in _SIGNS.items() if signs & keys), "policy")


def _together(read: _Read, settings: Settings) -> Iterator[Finding]:
    """Yield what is wrong with the files beside each other."""
    if read.policy and read.catalogue:
        seen = seen_in(settings.lake, open_names(read.policy, read.catalogue))
        for each in look(read.policy, read.catalogue, _with(seen, read.mappings)):
            yield replace(each, file=str(read.paths[_own(each.file)]))
        for path, mapping in read.mappings:
            yield from _unread(path, mapping)
    if read.policy:
        for path, plan in read.plans:
            yield from _plan(path, plan, read.policy)


def _own(file: str) -> Kind:
    return "policy" if file == "policy" else "catalogue"


def _with(seen: Seen, mappings: Sequence[tuple[Path, ImportMapping]]) -> Seen:
    """Return what was seen, and what the mappings would bring."""
    brought = {name for _, mapping in mappings for _, name in _attributes(mapping)}
    blocks = [block for _, mapping in mappings for block in mapping.customers]
    told = bool(blocks) and not any(isinstance(block.attributes, str) for block in blocks)
    return replace(seen, attributes=seen.attributes | brought, anybody=seen.anybody or told)


def _attributes(mapping: ImportMapping) -> Iterator[tuple[str, str]]:
    """Yield (block, attribute) of each attribute that is named one by one."""
    for block in mapping.customers:
        if isinstance(block.attributes, dict):
            yield from ((block.name, name) for name in block.attributes)


def _unread(path: Path, mapping: ImportMapping) -> Iterator[Finding]:
    for block, name in _attributes(mapping):
        if is_own_name(name):
            what = f"attribute {name!r} has a name of Kairos' own, so that no condition can read it; rename it"
            yield Finding(level="error", file=str(path), where=f"customers {block!r}", what=what)


def _mapping(path: Path, mapping: ImportMapping, settings: Settings, policy: Policy | None) -> Iterator[Finding]:
    """Yield where files are missing, constants that no row passes with, and channels that the policy has not."""
    from features.importing.constants import hopeless_constants, missing_files  # with Ibis: seconds

    now = settings.now or SystemClock().now()
    faults = [*missing_files(mapping), *hopeless_constants(mapping, now)]
    for fault in faults:
        yield Finding(level="error", file=str(path), where=fault.where, what=fault.what)
    if policy:
        told = {fault.where for fault in faults}
        for where, channel in _channels(mapping):
            if channel not in policy.channels and where not in told:
                what = f"the policy has no channel {channel!r}: {nearest(channel, policy.channels)}"
                yield Finding(level="warning", file=str(path), where=where, what=what)


def _channels(mapping: ImportMapping) -> Iterator[tuple[str, str]]:
    """Yield (place, channel) of each channel that the mapping itself names."""
    from features.importing.constants import constants_of  # as above

    for block in (*mapping.events, *mapping.consents):
        for each in constants_of(block, "channel"):
            yield f"{block.name}.channel", str(each)
    for customers in mapping.customers:
        yield from ((f"{customers.name}.contacts", each) for each in customers.contacts or ())
    for preferences in mapping.preferences:
        yield from ((f"{preferences.name}.channels_off", each) for each in preferences.channels_off or ())


def _plan(path: Path, plan: AnalysisSpec, policy: Policy) -> Iterator[Finding]:
    """Yield where a plan and the policy's experiment of that name do not fit."""
    known = {each.experiment_id: each for each in policy.experiments}
    experiment = known.get(plan.experiment_id)
    if experiment is None:
        hint = nearest(plan.experiment_id, list(known))
        what = f"the policy has no experiment {plan.experiment_id!r}, so exposures must come from a file. {hint}"
        yield Finding(level="warning", file=str(path), where="experiment_id", what=what)
        return
    weights = {arm.name: arm.weight for arm in experiment.arms}
    for arm in sorted(set(plan.arms) ^ set(weights)):
        where, other, there = ("policy", "plan", plan.arms) if arm in weights else ("plan", "policy", weights)
        what = f"arm {arm!r} is in the {where} alone; the {other} has {', '.join(sorted(there))}"
        yield Finding(level="error", file=str(path), where="arms", what=what)
    shares = {arm: weight / sum(weights.values()) for arm, weight in weights.items()}
    meant = {arm: share / sum(plan.arms.values()) for arm, share in plan.arms.items()}
    if set(shares) == set(meant) and any(abs(shares[arm] - meant[arm]) > _SHARE for arm in shares):
        what = f"the plan means {_rounded(meant)}, the policy's weights make {_rounded(shares)}"
        yield Finding(
            level="error", file=str(path), where="arms", what=f"{what}: the sample ratio would be broken"
        )


def _rounded(shares: dict[str, float]) -> dict[str, float]:
    return {arm: round(share, 3) for arm, share in shares.items()}


def _lines(message: str, path: Path) -> Iterator[tuple[str, str]]:
    """Yield the key that each of an error's lines begins with, and what it says, both without the file's name."""
    for line in message.splitlines():
        if bare := re.sub(rf"^((mapping|analysis) )?{re.escape(str(path))}:?", "", line).strip():
            key = re.match(r"([\w.\[\]-]+)(?: = |: )", bare)
            yield (key[1], bare[key.end() :]) if key else ("as a whole", bare.removeprefix("as a whole: "))
