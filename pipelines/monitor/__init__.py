"""Watching a deployment: what moved, what is off, what needs a look."""
