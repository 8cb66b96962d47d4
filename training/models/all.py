"""The six models, with the settings they are trained with."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from training.models.channel import TrainChannel
from training.models.churn import TrainChurn
from training.models.fatigue import TrainFatigue
from training.models.offer import TrainOffer
from training.models.send_time import TrainSendTime
from training.models.worth import TrainWorth

if TYPE_CHECKING:
    from collections.abc import Mapping

    from decisions.scorers.base import Kind
    from training.models import Model

MODELS: tuple[TrainSendTime | TrainChannel | TrainChurn | TrainOffer | TrainWorth | TrainFatigue, ...] = (
    TrainSendTime(),
    TrainChannel(),
    TrainChurn(),
    TrainOffer(),
    TrainWorth(),
    TrainFatigue(),
)


def models(days: Mapping[Kind, int]) -> tuple[Model, ...]:
    """Return the six models, those named in ``days`` with exactly so many; the others choose what fits."""
    return tuple(
        replace(model, days=days[model.name], exact=True) if model.name in days else model for model in MODELS
    )
