"""Nothing phones home: usage statistics of every library are switched off before it is imported."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

USAGE_STATISTICS_OFF: Mapping[str, str] = MappingProxyType(
    {
        "BENTOML_DO_NOT_TRACK": "true",  # "1" is not understood
        "FEAST_USAGE": "False",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "DO_NOT_TRACK": "true",
        "GIT_PYTHON_REFRESH": "quiet",
    }
)


def switch_off_usage_statistics() -> None:
    """Set the environment so that no library reports usage. Call it before importing any of them."""
    os.environ.update(USAGE_STATISTICS_OFF)
