"""Which rules bind a decision: those of its policy version, catalogue version and arms, as the ledger keeps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from pipelines.recount.rules import Rules
from pipelines.recount.told import unpacked

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from pipelines.recount.history import Send

_CONTENT = text("SELECT content FROM version WHERE kind = :kind AND version = :version")


class Rulebook:
    """The rules of each policy version and of each arm, read once; ``now`` are those in force.

    Where a version was never kept, the rules in force stand in for it.
    """

    def __init__(self, connection: Connection, now: Rules) -> None:
        self._connection = connection
        self._now = now
        self._made: dict[tuple[str | None, str | None, str], Rules] = {}
        self._contents: dict[tuple[str, str], Any] = {}

    def then(self, send: Send) -> Rules:
        """Return the rules the decision was made under."""
        return self.of(send.policy, send.catalogue, send.arms)

    def now(self, send: Send) -> Rules:
        """Return the rules in force for the customers of its arms."""
        return self.of(None, None, send.arms)

    def of(self, policy: str | None, catalogue: str | None, arms: str) -> Rules:
        """Return the rules of a policy version, a catalogue version (None: those in force) and arms, as JSON."""
        key = (policy, catalogue, arms)
        if key not in self._made:
            self._made[key] = self._base(policy, catalogue).for_arms(json.loads(arms))
        return self._made[key]

    def _base(self, policy: str | None, catalogue: str | None) -> Rules:
        said, stock = self._content("policy", policy), self._content("catalogue", catalogue)
        if said is None and stock is None:
            return self._now
        return Rules.of(
            self._now.policy if said is None else said,
            self._now.offers if stock is None else stock["offers"],
            zones=self._now.zones,
        )

    def _content(self, kind: str, version: str | None) -> Any:
        if version is None:
            return None
        if (kind, version) not in self._contents:
            found = self._connection.execute(_CONTENT, {"kind": kind, "version": version}).scalar()
            self._contents[kind, version] = unpacked(found)
        return self._contents[kind, version]
