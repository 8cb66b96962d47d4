"""The models in use, as immutable local copies: no registry is asked when a decision is made.

Below the root, ``<kind>/<version>-<content>/`` holds a copy of one artefact for good, and ``champions.json`` says
which copy of each kind is in use. :mod:`runtime.promoted` writes both; whoever decides only reads them, and sees
a promotion or a rollback at its next decision. What cannot be loaded is replaced by the prior, with a note.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from decisions.scorers.base import KINDS, Kind, Scorer, Scorers
from decisions.scorers.loading import load_scorer, scorer_class
from runtime.logs import report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

POINTER = "champions.json"
NO_CHAMPION = "no_champion"
UNREADABLE = "unreadable"

_LOG = "kairos.champions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Champion:
    """One registered version and the content hash its artefact must have. ``name`` is the registered model's."""

    kind: Kind
    name: str
    version: str
    content: str

    @property
    def label(self) -> str:
        """What a decision's record calls it."""
        return f"{self.name}/{self.version}"

    @property
    def folder(self) -> Path:
        """Where its copy lies, below the root."""
        return Path(self.kind) / f"{self.version}-{self.content}"


class Champions:
    """The copies below ``root``. Safe to use from many threads, and from many processes at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._lock = Lock()
        self._seen: int | None = None
        self._scorers: Scorers | None = None

    def current(self) -> Scorers:
        """Return the scorers in use, loaded again only when the pointer has changed."""
        seen = self._pointer_moment()
        if self._scorers is None or seen != self._seen:
            with self._lock:
                if self._scorers is None or seen != self._seen:
                    self._scorers, self._seen = self.load(), seen
        return self._scorers

    def load(self) -> Scorers:
        """Return the scorers the pointer names, each checked against its content hash.

        A kind without a champion, or whose copy is missing or altered, is its prior and says why.
        """
        chosen = self.chosen()
        loaded: dict[str, Any] = {kind: self._scorer(kind, chosen.get(kind)) for kind in KINDS}
        in_use = {kind: chosen[kind] for kind in chosen if loaded[kind].version == chosen[kind].content}
        return Scorers(**loaded, labels={kind: champion.label for kind, champion in in_use.items()})

    def chosen(self) -> Mapping[Kind, Champion]:
        """Return what the pointer names; nothing where there is none, or none that can be read."""
        try:
            entries = json.loads((self.root / POINTER).read_bytes())
            return {kind: Champion(kind=kind, **entries[kind]) for kind in KINDS if kind in entries}
        except FileNotFoundError:
            return {}
        except (ValueError, TypeError, OSError, RecursionError) as error:
            report(_LOG, "champions unreadable", pointer=str(self.root / POINTER), error=type(error).__name__)
            return {}

    def keep(self, champion: Champion, artefact: Path) -> None:
        """Copy ``artefact`` below the root as ``champion``'s, unless it is there already.

        Raises:
            ValueError: if the artefact cannot be loaded, or is not the content that ``champion`` names.
        """
        content = load_scorer(champion.kind, artefact).version
        if content != champion.content:
            raise ValueError(
                f"{champion.label} should hold {champion.content!r} but its artefact is {content!r}; "
                "it was changed in the registry: register the model again"
            )
        if not self.has(champion):
            self._copy(artefact, self.root / champion.folder)

    def choose(self, champions: Iterable[Champion]) -> None:
        """Point to ``champions``, all at once; a kind that is not among them falls back to its prior."""
        entries = {each.kind: {k: v for k, v in asdict(each).items() if k != "kind"} for each in champions}
        self.root.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=self.root, prefix=".", delete=False) as draft:
            draft.write(json.dumps(entries, indent=1, sort_keys=True).encode())
            draft.flush()
            os.fsync(draft.fileno())
        Path(draft.name).replace(self.root / POINTER)

    def _scorer(self, kind: Kind, champion: Champion | None) -> Scorer:
        if champion is None:
            return _prior(kind, NO_CHAMPION)
        try:
            scorer = load_scorer(kind, self.root / champion.folder)
        except Exception as error:  # noqa: BLE001  # whatever a damaged copy raises, the prior must serve
            report(_LOG, "champion unreadable", champion=champion.label, error=type(error).__name__)
            return _prior(kind, UNREADABLE)
        return scorer if scorer.version == champion.content else _prior(kind, UNREADABLE)

    def has(self, champion: Champion) -> bool:
        """Return whether ``champion``'s copy is here and whole."""
        try:
            return bool(load_scorer(champion.kind, self.root / champion.folder).version == champion.content)
        except (OSError, ValueError, KeyError):
            return False

    def _copy(self, artefact: Path, target: Path) -> None:
        target.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(dir=target.parent, prefix="."))
        shutil.copytree(artefact, draft, dirs_exist_ok=True)
        shutil.rmtree(target, ignore_errors=True)  # there only if damaged: a whole copy is never replaced
        draft.rename(target)

    def _pointer_moment(self) -> int:
        try:
            return (self.root / POINTER).stat().st_mtime_ns
        except FileNotFoundError:
            return 0


def priors(why: str) -> Scorers:
    """Return the six priors, whose notes end in ``why``."""
    made: dict[str, Any] = {kind: _prior(kind, why) for kind in KINDS}
    return Scorers(**made)


def _prior(kind: Kind, why: str) -> Scorer:
    scorer: Scorer = scorer_class(kind).prior(why)
    return scorer
