"""What a person may ask for: everything that is known of them, and to be forgotten."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi import APIRouter

from runtime.exporting import export_customer
from serving.access import TheKairos  # noqa: TC001  # FastAPI reads annotations at run time
from serving.answers import ErasedOut
from serving.gate import PROTECTED
from serving.problems import Problem
from serving.rendering import Json
from serving.routes.customers import CustomerId  # noqa: TC001  # FastAPI reads annotations at run time

router = APIRouter(prefix=PROTECTED, tags=["privacy"])

_ERASED: dict[int | str, dict[str, Any]] = {410: {"model": Problem, "description": "The customer was erased"}}
_PENDING = ["lake", "quarantine", "features"]


@router.get("/customers/{customer_id:path}/export", responses=_ERASED)
def export(customer_id: CustomerId, kairos: TheKairos) -> Json:
    """Return everything that is known of one customer, in every store (docs/privacy.md has the shape)."""
    return Json(export_customer(kairos, customer_id))


@router.delete(
    "/customers/{customer_id:path}", status_code=HTTPStatus.ACCEPTED, responses={202: {"model": ErasedOut}}
)
def erase(customer_id: CustomerId, kairos: TheKairos) -> Json:
    """Erase one customer for good: the ledger forgets at once, and nothing of them is taken or decided again.

    The slower stores follow with the next `kairos features build`, or with `kairos customers erase --pending`.
    Asking again changes nothing.
    """
    rows = kairos.ledger.privacy.erase(customer_id, kairos.clock.now())
    return Json({"status": "erased", "rows": rows, "pending": _PENDING}, HTTPStatus.ACCEPTED.value)
