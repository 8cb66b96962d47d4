"""The one error of the feature store."""

from __future__ import annotations


class FeaturesUnavailable(RuntimeError):  # noqa: N818 - it names a state that callers fall back from
    """Features cannot be read: not built, not materialized, of another vocabulary, or damaged on disk.

    Whoever can do without features (a decision degrades to priors) catches this and nothing else.
    """
