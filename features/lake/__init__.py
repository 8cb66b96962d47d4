"""The event lake: Parquet below one folder, cut into household buckets, each event once."""

from features.lake.appending import Appended
from features.lake.buckets import bucket_of
from features.lake.checking import Findings
from features.lake.connection import connect
from features.lake.erasing import Erased
from features.lake.known import Known
from features.lake.lake import Lake
from features.lake.repairing import BrokenFilesError
from features.lake.source import CustomerSource, EventSource

__all__ = [
    "Appended",
    "BrokenFilesError",
    "CustomerSource",
    "Erased",
    "EventSource",
    "Findings",
    "Known",
    "Lake",
    "bucket_of",
    "connect",
]
