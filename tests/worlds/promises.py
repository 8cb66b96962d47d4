"""The scoreboard's own world, for tests: ledgers of either database, and a tally that must stay clean."""

from dataclasses import dataclass
from typing import Any

from tests.worlds.ledger import fresh_url


@dataclass
class Folder:
    """Ledgers as files below one folder."""

    path: Any
    kind: str = "sqlite"
    made: int = 0

    def fresh(self) -> str:
        self.made += 1
        folder = self.path / f"store{self.made}"
        folder.mkdir()
        return fresh_url(folder)


@dataclass
class Databases:
    """Ledgers as databases of the tests' own server."""

    server: Any
    kind: str = "postgresql"

    def fresh(self) -> str:
        return self.server.fresh_url()
