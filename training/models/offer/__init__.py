"""Next best offer: what a send adds where sends were randomised, and who buys what where none were."""

from training.models.offer.model import TrainOffer
from training.models.offer.randomised import RandomisedSends
from training.models.offer.verdict import Verdict, judge

__all__ = ["RandomisedSends", "TrainOffer", "Verdict", "judge"]
