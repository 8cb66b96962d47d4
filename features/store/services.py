"""The names of the two feature services. Apart, so that naming one does not import Feast."""

TRAINING = "training"
"""The feature service of daily snapshots: what a point-in-time training set is made of."""
SERVING = "serving"
"""The feature service of everything online."""
