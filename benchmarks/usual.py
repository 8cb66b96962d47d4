"""LightGBM as it comes, in the terms of our own fitting: a yardstick on more than one data set."""

from training.fitting import Boosting

USUAL = Boosting(leaves=31, rounds=100, learning_rate=0.1, min_child=20, l2=0.0, rows=1.0, columns=1.0)
"""The library's defaults."""
