"""What goes into a message's placeholders: a known value, else the offer's fallback, never a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from features.contracts import Offer


def filled(offer: Offer, values: Mapping[str, str | float | bool | None]) -> dict[str, str]:
    """Return the text of each of the offer's variables."""
    return {name: _text(values.get(name)) or fallback for name, fallback in offer.variables.items()}


def _text(value: str | float | bool | None) -> str:  # noqa: FBT001 - a value to print, not a switch
    if value is None or value != value:  # noqa: PLR0124 - not a number
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()
