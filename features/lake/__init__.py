"""The event lake: Parquet below one folder, cut into household buckets, each event once."""

from features.lake.buckets import bucket_of
from features.lake.connection import connect
from features.lake.lake import Appended, Lake
from features.lake.source import CustomerSource, EventSource

__all__ = ["Appended", "CustomerSource", "EventSource", "Lake", "bucket_of", "connect"]
