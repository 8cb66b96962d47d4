"""The six models, with the settings they are trained with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from training.models.channel import TrainChannel
from training.models.churn import TrainChurn
from training.models.fatigue import TrainFatigue
from training.models.offer import TrainOffer
from training.models.send_time import TrainSendTime
from training.models.worth import TrainWorth

if TYPE_CHECKING:
    from training.models import Model

MODELS: tuple[Model, ...] = (
    TrainSendTime(),
    TrainChannel(),
    TrainChurn(),
    TrainOffer(),
    TrainWorth(),
    TrainFatigue(),
)
