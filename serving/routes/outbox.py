"""The outbox: what is due now, lent to one sender at a time, until it says that it has it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from decisions.tokens import unsubscribe_headers
from serving import metrics
from serving.access import TheKairos  # noqa: TC001  # FastAPI reads annotations at run time
from serving.answers import AcknowledgedManyOut, OutboxOut, shown
from serving.gate import PROTECTED
from serving.rendering import Json
from serving.schemas import MAX_IDS, IdsIn, Refused

if TYPE_CHECKING:
    from decisions.ledger import Acknowledged, Leased, Lent

_A_DAY = 86_400

router = APIRouter(prefix=PROTECTED, tags=["outbox"])


@router.get("/outbox", responses={200: {"model": OutboxOut}})
def lend(
    kairos: TheKairos,
    limit: Annotated[int, Query(ge=1, le=MAX_IDS)] = 100,
    lease_seconds: Annotated[int, Query(ge=1, le=_A_DAY)] = 300,
    confirm: Annotated[bool, Query()] = False,  # noqa: FBT002  # a query has no positions
) -> Json:
    """Lend messages that are due, oldest first; one that is not acknowledged comes again after `lease_seconds`.

    A customer's next message waits while an earlier one is lent. With `confirm=true` each is confirmed in the same
    step, for a sender that sends at once; what is refused is not lent, and `refused` says why.
    """
    ttl = timedelta(seconds=lease_seconds)
    lent = kairos.ledger.outbox.lend(limit, kairos.clock.now(), ttl, confirm=confirm)
    _count(lent, confirmed=confirm)
    public_url = kairos.settings.public_url
    leased = [_shown(each, public_url) for each in lent.leased]
    return Json({"leased": leased, "refused": lent.refused}, headers={"Cache-Control": "no-store"})


@router.post("/outbox/ack", responses={200: {"model": AcknowledgedManyOut}})
def acknowledge(body: IdsIn, kairos: TheKairos) -> Json:
    """Take messages out of the outbox for good; each has its own verdict, in order. Twice is once."""
    ids = [each for each in body.decision_ids if not isinstance(each, Refused)]
    given = iter(kairos.ledger.outbox.acknowledge(ids))
    verdicts = [_UNREADABLE if isinstance(each, Refused) else _verdict(next(given)) for each in body.decision_ids]
    for verdict in verdicts:
        metrics.OUTBOX.labels(verdict["status"]).inc()
    return Json({"verdicts": verdicts})


_UNREADABLE = {"decision_id": None, "status": "invalid"}


def _verdict(acknowledged: Acknowledged) -> dict[str, Any]:
    return {"decision_id": acknowledged.decision_id, "status": acknowledged.status}


def _shown(leased: Leased, public_url: str | None) -> dict[str, Any]:
    return {
        "decision": shown(leased.decision),
        "leased_until": leased.leased_until,
        "headers": unsubscribe_headers(leased.decision, public_url),
    }


def _count(lent: Lent, *, confirmed: bool) -> None:
    metrics.OUTBOX.labels("lent").inc(len(lent.leased))
    if confirmed:
        metrics.PERMISSIONS.labels("confirm", "confirmed").inc(len(lent.leased))
        metrics.PERMISSIONS.labels("confirm", "refused").inc(len(lent.refused))
