"""What can go wrong with an import, by whose fault it is."""

from __future__ import annotations


class MappingError(ValueError):
    """The mapping is wrong: the message names the key, its value and what would be right."""


class ImportRefusedError(ValueError):
    """A strict import met rows that break a rule. Nothing was imported; the quarantine holds the rows."""
