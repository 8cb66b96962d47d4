"""Structured logs: one JSON object a line on standard output. No customer id, no key and no body is logged.

The *id* of a key is, so that its reads can be followed as its changes can be in the audit.
"""

from __future__ import annotations

import logging
import sys
from time import perf_counter
from typing import TYPE_CHECKING

import structlog

from serving import metrics, problems
from serving.gate import CALLER, TEMPLATE

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_UNMATCHED = "unmatched"
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_QUIET = {"/healthz", "/livez", "/readyz", "/metrics"}


def configure() -> None:
    """Write logs of level INFO and above as JSON lines, time in UTC."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stdout),
        cache_logger_on_first_use=True,
    )


class Observed:
    """Counts, times and logs every request under the *template* of its route: paths carry customers' ids."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.log = structlog.get_logger("kairos.serving")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, and note what came of it."""
        if scope["type"] != "http" or scope["path"] in _QUIET:
            await self.app(scope, receive, send)
            return
        start, status = perf_counter(), [0]

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, noting)
        except Exception as error:  # noqa: BLE001  # BentoML would log its message, which may quote personal data
            if not status[0]:
                await problems.fault(error)(scope, receive, noting)
        finally:
            self._note(scope, status[0], perf_counter() - start)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path_format", None) or scope.get(TEMPLATE) or _UNMATCHED
        caller = scope.get(CALLER)
        method = scope["method"] if scope["method"] in _METHODS else "OTHER"
        metrics.REQUESTS.labels(method, route, status).inc()
        metrics.REQUEST_SECONDS.labels(route).observe(seconds)
        key = caller.key_id if caller else None
        self.log.info("request", method=method, route=route, status=status, ms=round(seconds * 1000, 2), key=key)
