"""One customer: what happened, what they consent to, what they ask for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Path

from decisions.ledger import CustomerErased
from features.contracts import Preference
from serving import metrics
from serving.access import TheKairos  # noqa: TC001  # FastAPI reads annotations at run time
from serving.answers import ConsentsOut, EntryVerdictsOut, PreferenceOut, PreferredOut, TimelineOut
from serving.gate import PROTECTED
from serving.problems import Problem, invalid
from serving.rendering import Json
from serving.schemas import ConsentIn, ConsentsIn, PreferenceIn, Refused, plausible

if TYPE_CHECKING:
    from collections.abc import Iterable

    from features.contracts import Consent

router = APIRouter(prefix=PROTECTED, tags=["customers"])

# Ids are opaque and may hold a slash, which a server sees unescaped.
CustomerId = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]

_ERASED: dict[int | str, dict[str, Any]] = {
    410: {"model": Problem, "description": "The customer was erased; nothing is stored of them"}
}


@router.get("/customers/{customer_id:path}/timeline", responses={200: {"model": TimelineOut}})
def timeline(customer_id: CustomerId, kairos: TheKairos) -> Json:
    """Return decisions, messages, consents and events of one customer; nothing for an unknown one."""
    return Json({"customer_id": customer_id, "moments": kairos.ledger.timeline(customer_id)})


@router.get("/customers/{customer_id:path}/consent", responses={200: {"model": ConsentsOut}})
def consents(customer_id: CustomerId, kairos: TheKairos) -> Json:
    """Return what a customer consents to, and the journal it follows from, without evidence."""
    known = kairos.ledger.wishes.consents(customer_id, kairos.clock.now())
    return Json(
        {"customer_id": customer_id, "current": _entries(known.current), "journal": _entries(known.journal)}
    )


@router.put("/customers/{customer_id:path}/consent", responses={200: {"model": EntryVerdictsOut}})
def append_consents(customer_id: CustomerId, body: ConsentsIn, kairos: TheKairos) -> Json:
    """Append to the journal; nothing is ever taken back. A withdrawal stops everything unconfirmed at once."""
    now = kairos.clock.now()
    items = [item if _withdraws(item) else plausible(item, "at", now) for item in body.entries]
    good = [item.entry(customer_id, now) for item in items if not isinstance(item, Refused)]
    words = iter(kairos.ledger.wishes.append(customer_id, good, now) if good else ())
    verdicts = [
        _refused(item, index) if isinstance(item, Refused) else {"status": next(words)}
        for index, item in enumerate(items)
    ]
    counts = Counter(verdict["status"] for verdict in verdicts)
    for status, number in counts.items():
        metrics.CONSENTS.labels(status).inc(number)
    return Json({"counts": counts, "verdicts": verdicts})


@router.get("/customers/{customer_id:path}/preferences", responses={200: {"model": PreferenceOut}})
def preferences(customer_id: CustomerId, kairos: TheKairos) -> Json:
    """Return a customer's own limits; none for an unknown one."""
    found = kairos.ledger.preference(customer_id) or Preference.model_construct(customer_id=customer_id)
    return Json(found.model_dump())


@router.put("/customers/{customer_id:path}/preferences", responses={200: {"model": PreferredOut}, **_ERASED})
def prefer(customer_id: CustomerId, body: PreferenceIn, kairos: TheKairos) -> Json:
    """Put a customer's own limits in place of those before; they bind at once, reserved messages included."""
    preference = body.preference(customer_id)
    preferred = kairos.ledger.wishes.prefer(preference, kairos.clock.now())
    if preferred.status == "erased":
        raise CustomerErased
    return Json({**preference.model_dump(), "withdrawn": preferred.withdrawn})


def _withdraws(item: ConsentIn | Refused) -> bool:
    """A withdrawal counts whatever its date."""
    return isinstance(item, ConsentIn) and item.status == "withdrawn"


def _entries(entries: Iterable[Consent]) -> list[dict[str, Any]]:
    return [each.model_dump(exclude={"customer_id", "evidence"}) for each in entries]


def _refused(item: Refused, index: int) -> dict[str, Any]:
    return {"status": "refused", "problem": invalid(item.errors, root=("entries", index)).plain()}
