"""Send time: the rhythm of behaviour over the local week, and how much it moves an engagement."""

from training.models.send_time.effect import Beta, Slots, learn_beta
from training.models.send_time.model import TrainSendTime
from training.models.send_time.rhythm import History, learn_rhythm

__all__ = ["Beta", "History", "Slots", "TrainSendTime", "learn_beta", "learn_rhythm"]
