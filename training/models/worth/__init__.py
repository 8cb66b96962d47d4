"""Worth: what a message leads to, learned from counts of what everybody's messages did."""

from training.models.worth.model import TrainWorth, beliefs_of

__all__ = ["TrainWorth", "beliefs_of"]
