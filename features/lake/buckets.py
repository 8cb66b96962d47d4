"""Which bucket a household's data lie in: the unit of work everywhere."""

from __future__ import annotations

import hashlib

BUCKET_MACRO = """
CREATE OR REPLACE MACRO bucket_of(key, buckets) AS
  CAST('0x' || substr(md5(key), 1, 8) AS BIGINT) % buckets
"""
"""The same rule for DuckDB; an agreement test holds the two together."""


def bucket_of(key: str, buckets: int) -> int:
    """Return the bucket of ``key``, the household's id where there is one, else the customer's.

    The first 32 bits of the MD5 modulo ``buckets``: stable across machines, releases and engines.

    >>> bucket_of("1228", 16)
    0
    """
    digest = hashlib.md5(key.encode(), usedforsecurity=False).hexdigest()
    return int(digest[:8], 16) % buckets


def bucket_folder(bucket: int) -> str:
    """Return the name of a bucket's folder, such as ``bucket=0003``."""
    return f"bucket={bucket:04d}"
