"""Fatigue: what one more message costs in reach and in later response."""

from training.models.fatigue.hazard import Hazard, RandomisedPressure, randomised_drop, randomised_hazard
from training.models.fatigue.model import TrainFatigue

__all__ = ["Hazard", "RandomisedPressure", "TrainFatigue", "randomised_drop", "randomised_hazard"]
