"""What this service decides with: versions, and what it does without."""

from __future__ import annotations

from fastapi import APIRouter

from serving.access import TheKairos  # noqa: TC001  # FastAPI reads annotations at run time
from serving.answers import StatusOut
from serving.gate import PROTECTED
from serving.rendering import Json

router = APIRouter(prefix=PROTECTED, tags=["status"])


@router.get("/status", responses={200: {"model": StatusOut}})
def status(kairos: TheKairos) -> Json:
    """Return the versions of policy, catalogue and models; `prior` where a model has no champion."""
    return Json(
        {
            "now": kairos.clock.now(),
            "policy_version": kairos.policy.version,
            "catalogue_version": kairos.catalogue.version,
            "model_versions": kairos.champions.current().versions,
        }
    )
