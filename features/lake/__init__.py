"""The event lake: Parquet below one folder, cut into household buckets, each event once."""

from features.lake.buckets import bucket_of
from features.lake.connection import connect
from features.lake.erasing import Erased
from features.lake.known import Known
from features.lake.lake import Appended, Lake
from features.lake.source import CustomerSource, EventSource

__all__ = ["Appended", "CustomerSource", "Erased", "EventSource", "Known", "Lake", "bucket_of", "connect"]
