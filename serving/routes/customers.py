"""One customer: what happened."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from serving.access import TheKairos  # noqa: TC001  # FastAPI reads annotations at run time
from serving.answers import TimelineOut
from serving.gate import PROTECTED
from serving.rendering import Json

router = APIRouter(prefix=PROTECTED, tags=["customers"])

# Ids are opaque and may hold a slash, which a server sees unescaped.
CustomerId = Annotated[str, Path(min_length=1, max_length=200)]


@router.get("/customers/{customer_id:path}/timeline", responses={200: {"model": TimelineOut}})
def timeline(customer_id: CustomerId, kairos: TheKairos) -> Json:
    """Return decisions, messages, consents and events of one customer; nothing for an unknown one."""
    return Json({"customer_id": customer_id, "moments": kairos.ledger.timeline(customer_id)})
