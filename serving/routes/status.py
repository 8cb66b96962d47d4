"""What this service decides with: versions, what it does without, and what is left of today's budgets."""

from __future__ import annotations

from fastapi import APIRouter

from serving.access import TheKairos  # noqa: TC001  # FastAPI reads annotations at run time
from serving.answers import StatusOut
from serving.gate import PROTECTED
from serving.rendering import Json

router = APIRouter(prefix=PROTECTED, tags=["status"])


@router.get("/status", responses={200: {"model": StatusOut}})
def status(kairos: TheKairos) -> Json:
    """Return the versions of policy, catalogue and models (`prior`: no champion), and today's budgets."""
    now = kairos.clock.now()
    return Json(
        {
            "now": now,
            "policy_version": kairos.policy.version,
            "catalogue_version": kairos.catalogue.version,
            "model_versions": kairos.champions.current().versions,
            "budgets": kairos.purse.standing(now),
        }
    )
