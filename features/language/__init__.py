"""The pieces of the expression language: its tree, its reader, its kinds, and its two evaluations.

Everybody else uses :mod:`features.expressions`.
"""
