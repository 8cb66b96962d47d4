"""The feature tables: one pure function a table, from events to an Ibis expression, each testable alone.

Every function takes tables and returns one; DuckDB runs them over a bucket at a time (:mod:`features.build`).
"""

from features.tables.activity import activity
from features.tables.categories import categories
from features.tables.contact import contact
from features.tables.pressure import pressure
from features.tables.tally import tally

__all__ = ["activity", "categories", "contact", "pressure", "tally"]
