"""Events: what became of messages, and what customers did. They bear on the very next decision."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from serving import metrics
from serving.access import TheKairos  # noqa: TC001  # FastAPI reads annotations at run time
from serving.answers import EventVerdictsOut
from serving.gate import PROTECTED
from serving.problems import invalid
from serving.rendering import Json
from serving.schemas import EventsIn, Refused, heard

if TYPE_CHECKING:
    from decisions.ledger import EventVerdict

router = APIRouter(prefix=PROTECTED, tags=["events"])


@router.post("/events", responses={200: {"model": EventVerdictsOut}})
def take_events(body: EventsIn, kairos: TheKairos) -> Json:
    """Take events. A good one beside a bad one gets through; an `event_id` that comes again changes nothing."""
    now = kairos.clock.now()
    items = [heard(item, now) for item in body.events]
    taken = iter(kairos.ledger.take_events([item for item in items if not isinstance(item, Refused)], now))
    verdicts = [
        _refused(item, index) if isinstance(item, Refused) else _verdict(next(taken))
        for index, item in enumerate(items)
    ]
    counts = Counter(verdict["status"] for verdict in verdicts)
    for status, number in counts.items():
        metrics.EVENTS.labels(status).inc(number)
    return Json({"counts": counts, "verdicts": verdicts})


def _verdict(verdict: EventVerdict) -> dict[str, Any]:
    told = {"conflict": True} if verdict.conflict else {}
    return {"event_id": verdict.event_id, "status": verdict.status, **told}


def _refused(item: Refused, index: int) -> dict[str, Any]:
    document = invalid(item.errors, root=("events", index))
    return {"event_id": item.named("event_id"), "status": "refused", "problem": document.plain()}
