"""What went wrong and was answered all the same: a structured line of the log."""

from __future__ import annotations

import sys
from typing import Any


def report(logger: str, event: str, **fields: Any) -> None:
    """Write an error to the log: as the service has set it up, else to standard error, where commands warn."""
    import structlog  # noqa: PLC0415  # slow to import, and errors are rare

    if not structlog.is_configured():
        structlog.configure(logger_factory=lambda *_: structlog.PrintLogger(sys.stderr))
    structlog.get_logger(logger).error(event, **fields)
