"""Scorers: the artefacts models become, and the priors that stand in where there is none."""
