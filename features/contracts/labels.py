"""How a label that somebody declared lies among the events: its type, and the properties that say what it is."""

from __future__ import annotations

LABEL_TYPE = "x_label_{name}"
"""The event's type, by the label's name."""
LABELLED = "label_positive"
"""Whether it is true of the customer,"""
LABEL_DAYS = "label_days"
"""within so many days; all other properties are the customer's attributes as they stood."""
