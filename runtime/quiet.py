"""Nothing phones home: usage statistics of every library are switched off before it is imported."""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

CHATTER_OFF: Mapping[str, str] = MappingProxyType(
    {
        "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",  # the command draws its own
        "MLFLOW_LOGGING_LEVEL": "WARNING",
    }
)

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
    """Set the environment so that no library reports usage, or chatters. Call it before importing any of them."""
    os.environ.update(USAGE_STATISTICS_OFF)
    for name, value in CHATTER_OFF.items():
        os.environ.setdefault(name, value)
