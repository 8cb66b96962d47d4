"""From directories to scorers. Each kind's class is imported when it is first needed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from decisions.scorers.base import Kind

CLASSES: dict[Kind, str] = {
    "send_time": "SendTimeModel",
    "channel": "ChannelModel",
    "churn": "ChurnModel",
    "offer": "OfferModel",
    "worth": "WorthScorer",
    "fatigue": "FatigueModel",
}
"""The class of each kind, in the module of ``decisions.scorers`` that has the kind's name."""


def scorer_class(kind: Kind) -> Any:
    """Return the class that scores ``kind``."""
    return getattr(import_module(f"decisions.scorers.{kind}"), CLASSES[kind])


def load_scorer(kind: Kind, directory: Path) -> Any:
    """Return the scorer whose artefact lies in ``directory``.

    Raises:
        ValueError: if the artefact is of another kind, damaged, or mixes two models.
    """
    return scorer_class(kind).load(directory)
