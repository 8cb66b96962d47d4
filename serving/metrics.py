"""What the service counts, for Prometheus. Labels are closed sets: no path, no id, nothing of a person.

BentoML's own request metrics are off: they label by raw path, so every decision id would become a series of its
own, and customers' ids would be in it.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from time import perf_counter
from typing import TYPE_CHECKING

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    REGISTRY,
    CollectorRegistry,
    Counter,
    Histogram,
    generate_latest,
)
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.responses import Response

from runtime.champions import UNREADABLE
from runtime.scored import FEATURES_AWAY, SCORING_FAILED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from decisions.records import Decision

FAILURES = frozenset({FEATURES_AWAY, SCORING_FAILED, UNREADABLE})
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)

DECISIONS = Counter("kairos_decisions", "Decisions answered, by action and purpose.", ["action", "purpose"])
HOLD_REASONS = Counter("kairos_hold_reasons", "Reasons given by decisions to hold.", ["reason"])
DECISION_SECONDS = Histogram(
    "kairos_decide_seconds", "Time to decide one request, however many customers.", buckets=_SECONDS
)
DEGRADED = Counter("kairos_degraded", "Decisions in which a prior stood in for what failed.", ["cause"])
PERMISSIONS = Counter("kairos_permissions", "Confirms and releases, by verdict.", ["verb", "verdict"])
EVENTS = Counter("kairos_events", "Events received, by verdict.", ["verdict"])
OUTBOX = Counter("kairos_outbox", "Messages of the outbox, by what became of them.", ["verdict"])
CONSENTS = Counter("kairos_consents", "Entries for the consent journal, by verdict.", ["verdict"])
UNSUBSCRIBES = Counter("kairos_unsubscribes", "Clicks on unsubscribe links, by outcome.", ["outcome"])
REQUESTS = Counter("kairos_http_requests", "HTTP requests, by route and status.", ["method", "route", "status"])
REQUEST_SECONDS = Histogram(
    "kairos_http_request_seconds", "Time to answer an HTTP request, by route.", ["route"], buckets=_SECONDS
)


def count_decision(decision: Decision) -> None:
    """Count one answered decision."""
    DECISIONS.labels(decision.action, decision.purpose).inc()
    for cause in {str(reason.detail).rpartition(":")[2] for reason in decision.reasons} & FAILURES:
        DEGRADED.labels(cause).inc()
    if decision.action == "hold":
        for code in {reason.code for reason in decision.reasons}:
            HOLD_REASONS.labels(code).inc()


@contextmanager
def deciding() -> Iterator[None]:
    """Measure how long the body takes to decide."""
    start = perf_counter()
    try:
        yield
    finally:
        DECISION_SECONDS.observe(perf_counter() - start)


def exposition() -> Response:
    """Return all metrics of all workers in Prometheus' text format."""
    registry: CollectorRegistry = REGISTRY
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:  # set by BentoML for its workers, which share a directory
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
