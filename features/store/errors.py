"""The errors of the feature store."""

from __future__ import annotations

from features.faults import CustomerFault


class FeaturesUnavailable(RuntimeError):  # noqa: N818 - it names a state that callers fall back from
    """Features cannot be read: not built, not materialized, of another vocabulary, or damaged on disk.

    Whoever can do without features (a decision degrades to priors) catches this and nothing else.
    """


class RowsDoubled(CustomerFault, FeaturesUnavailable):
    """Some customers have two rows for one moment, so that nobody can say what was known of them."""
