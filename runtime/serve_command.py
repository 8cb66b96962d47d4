"""How the service is started: the exact command and environment, as values.

``pipelines`` and ``serving`` are strangers, so whoever starts the service runs this command as a process.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, SecretStr

from runtime.quiet import USAGE_STATISTICS_OFF

if TYPE_CHECKING:
    from runtime.settings import Settings

SERVICE = "serving.service:KairosService"


@dataclass(frozen=True, slots=True, kw_only=True)
class ServeCommand:
    """What to run, in which environment, where it listens, and where it says that it is ready."""

    argv: tuple[str, ...]
    environment: Mapping[str, str]
    url: str

    @property
    def ready_url(self) -> str:
        """Answers 200 once the service can decide."""
        return f"{self.url}/readyz"


def serve_command(settings: Settings, *, environment: Mapping[str, str]) -> ServeCommand:
    """Return the command that serves ``settings``, in ``environment`` and what Kairos adds to it.

    Every setting is passed on as ``KAIROS_*``, so that the service sees what its starter saw, whatever
    ``kairos.toml`` says by then. The number of workers travels the same way: BentoML has no option for it.
    """
    argv = (sys.executable, "-m", "bentoml", "serve", SERVICE)
    where = ("--host", settings.host, "--port", str(settings.port))
    return ServeCommand(
        argv=argv + where,
        environment={**environment, **USAGE_STATISTICS_OFF, **_server(settings), **_variables(settings)},
        url=f"http://{_bracketed(settings.host)}:{settings.port}",
    )


def _server(settings: Settings) -> dict[str, str]:
    return {
        # BentoML empties <home>/prometheus_multiproc_dir at start: two services must not share one.
        "BENTOML_HOME": str(settings.home / "bentoml" / str(settings.port)),
        # Uvicorn by itself believes whoever calls from this machine.
        "FORWARDED_ALLOW_IPS": settings.trusted_proxies,
    }


def _variables(settings: Settings) -> dict[str, str]:
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    return {f"KAIROS_{name.upper()}": _text(value) for name, value in values.items() if value is not None}


def _text(value: object) -> str:
    match value:
        case SecretStr():
            return value.get_secret_value()
        case datetime():
            return value.isoformat()
        case BaseModel():
            return value.model_dump_json()
        case str() | Path():
            return str(value)
        case _:
            return json.dumps(value)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
