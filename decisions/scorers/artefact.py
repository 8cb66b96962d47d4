"""What a model becomes: a directory of plain files that any process can load, and no pickle can hide in.

``scorer.json`` holds the kind, the ordered feature names and the scorer's facts; ``<name>.txt`` a LightGBM model
(``booster.txt`` where there is one only); ``arrays.npz`` the arrays. The version is a hash of the content: equal
artefacts have equal versions wherever they were made, and a decision's record names exactly what it used.
"""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np

from decisions.scorers.base import UNTRAINED, Kind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


SCORER_FILE = "scorer.json"
ARRAYS_FILE = "arrays.npz"
FORMAT = 1
"""Raised when a reader of today could no longer read an artefact of yesterday."""

_VERSION_LENGTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Artefact:
    """The content of one scorer.

    ``facts`` is a JSON object (knots of a calibration, shares, names); ``features`` the columns of the model's
    matrix in their order; ``boosters`` LightGBM models as text by name; ``arrays`` numbers by name.
    """

    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    features: tuple[str, ...] = ()
    boosters: Mapping[str, str] = field(default_factory=dict)
    arrays: Mapping[str, np.ndarray[Any, Any]] = field(default_factory=dict)

    @property
    def version(self) -> str:
        """The first 16 hex digits of the content's SHA-256."""
        digest = hashlib.sha256()
        for part in self._parts():
            digest.update(len(part).to_bytes(8, "big"))
            digest.update(part)
        return digest.hexdigest()[:_VERSION_LENGTH]

    def write(self, directory: Path) -> None:
        """Write the artefact into ``directory``, which is made where it is missing."""
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in self.boosters.items():
            (directory / f"{name}.txt").write_text(text, encoding="utf-8")
        if self.arrays:
            np.savez(directory / ARRAYS_FILE, allow_pickle=False, **dict(self.arrays))
        (directory / SCORER_FILE).write_bytes(self._head(version=self.version))

    @classmethod
    def read(cls, directory: Path, *, kind: str) -> Artefact:
        """Read the artefact in ``directory``.

        Raises:
            ValueError: if it is of another kind or format, or its content does not match its version.
        """
        head = json.loads((directory / SCORER_FILE).read_bytes())
        if (head["kind"], head["format"]) != (kind, FORMAT):
            raise ValueError(
                f"{directory} holds a {head['kind']!r} scorer of format {head['format']}, expected a {kind!r} one "
                f"of format {FORMAT}; train the model again or point to its own directory"
            )
        artefact = cls(
            kind=kind,
            facts=head["facts"],
            features=tuple(head["features"]),
            boosters={name: (directory / f"{name}.txt").read_text("utf-8") for name in head["boosters"]},
            arrays=_arrays(directory / ARRAYS_FILE) if head["arrays"] else {},
        )
        if artefact.version != head["version"]:
            raise ValueError(
                f"{directory} says version {head['version']!r} but its content has {artefact.version!r}: "
                "it was changed after training; fetch it from the registry again"
            )
        return artefact

    def _head(self, *, version: str | None) -> bytes:
        head = {
            "format": FORMAT,
            "kind": self.kind,
            "version": version,
            "features": list(self.features),
            "boosters": sorted(self.boosters),
            "arrays": sorted(self.arrays),
            "facts": dict(self.facts),
        }
        return json.dumps(head, indent=1, sort_keys=True, allow_nan=False).encode()

    def _parts(self) -> Iterator[bytes]:
        yield self._head(version=None)
        for name in sorted(self.boosters):
            yield self.boosters[name].encode()
        for name in sorted(self.arrays):
            array = np.ascontiguousarray(self.arrays[name])
            yield f"{name}:{array.dtype.str}:{array.shape}".encode()
            yield array.tobytes()


def _arrays(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


@dataclass(frozen=True)
class ArtefactScorer(ABC):
    """What the six scorers have in common: each *is* its artefact, loaded, saved and named by it."""

    kind: ClassVar[Kind]
    artefact: Artefact

    @property
    @abstractmethod
    def is_prior(self) -> bool:
        """Whether nothing was fitted."""

    @cached_property
    def version(self) -> str:
        """The artefact's content hash, or ``prior``."""
        return UNTRAINED if self.is_prior else self.artefact.version

    @classmethod
    def load(cls, directory: Path) -> Self:
        """Read what :meth:`save` wrote."""
        return cls(Artefact.read(directory, kind=cls.kind))

    def save(self, directory: Path) -> None:
        """Write the artefact."""
        self.artefact.write(directory)
