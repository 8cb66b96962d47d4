"""Oracles: policies that are told what no policy can know, as marks on the scale that others are measured by."""

from __future__ import annotations

from simulation.oracles.bound import upper_bound
from simulation.oracles.static import Static, best_static
from simulation.oracles.strategies import Hold, Myopic, Planning

__all__ = ["Hold", "Myopic", "Planning", "Static", "best_static", "upper_bound"]
