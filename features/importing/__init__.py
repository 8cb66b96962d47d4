"""The importer: any CSV, Parquet or JSON lines to contracts, by a mapping, with no row dropped in silence."""

from features.importing.importer import run_import
from features.importing.loading import load_mapping
from features.importing.mapping import ImportMapping
from features.importing.problems import ImportRefusedError, MappingError
from features.importing.report import BlockReport, ImportReport
from features.importing.sink import ImportSink

__all__ = [
    "BlockReport",
    "ImportMapping",
    "ImportRefusedError",
    "ImportReport",
    "ImportSink",
    "MappingError",
    "load_mapping",
    "run_import",
]
