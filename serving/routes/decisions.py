"""Decisions: ask for them, read why, take permission to send, give a place back."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from decisions.decide import AskError
from decisions.ledger import CustomerErased, UnknownDecision, Verdict
from decisions.records import Ask, Decision
from serving import metrics
from serving.access import TheKairos  # noqa: TC001  # FastAPI reads annotations at run time
from serving.answers import DecisionOut, DecisionsOut, VerdictOut, VerdictsOut, shown
from serving.gate import PROTECTED
from serving.problems import FieldError, Problem, ProblemError, erased, invalid, problem
from serving.rendering import Json
from serving.schemas import AskIn, AsksIn, DecisionsIn, IdsIn, Refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.build import Kairos
    from runtime.decider import Unanswerable

UNKNOWN_DECISION = "unknown_decision"

router = APIRouter(prefix=PROTECTED, tags=["decisions"])

_CONFLICT: dict[int | str, dict[str, Any]] = {
    409: {"model": Problem, "description": "The same request_id with another content"},
    410: {"model": Problem, "description": "The customer was erased"},
}
_GONE: dict[int | str, dict[str, Any]] = {
    409: {"model": Problem, "description": "Not now, or gone: expired, released, withdrawn, confirmed before …"}
}
_UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "No such decision"}}


@router.post("/decisions", responses={200: {"model": DecisionOut | DecisionsOut}, **_CONFLICT})
def decide(body: DecisionsIn, kairos: TheKairos) -> Json:
    """Decide for one customer, or for many with `{"asks": [...]}`; each of many has its own result, in order."""
    with metrics.deciding():
        if isinstance(body, AsksIn):
            return Json({"results": _many(body, kairos)})
        return Json(_one(body, kairos))


@router.get("/decisions/{decision_id}", responses={200: {"model": DecisionOut}, **_UNKNOWN})
def why(decision_id: str, kairos: TheKairos) -> Json:
    """Return the whole decision in its present state: reasons, value and its parts, alternatives, the draw."""
    try:
        return Json(shown(kairos.ledger.decision(decision_id)))
    except UnknownDecision as unknown:
        raise ProblemError(problem(HTTPStatus.NOT_FOUND, UNKNOWN_DECISION, str(unknown))) from unknown


@router.post("/decisions/confirm", responses={200: {"model": VerdictsOut}})
def confirm_many(body: IdsIn, kairos: TheKairos) -> Json:
    """Ask for permission to send, for many decisions at once; each has its own verdict, in order."""
    verdicts = kairos.ledger.confirm_many(_readable(body), kairos.clock.now())
    return _all(body, verdicts, "confirm")


@router.post("/decisions/release", responses={200: {"model": VerdictsOut}})
def release_many(body: IdsIn, kairos: TheKairos) -> Json:
    """Give back the places of many decisions at once; each has its own verdict, in order."""
    verdicts = kairos.ledger.release_many(_readable(body), kairos.clock.now())
    return _all(body, verdicts, "release")


@router.post("/decisions/{decision_id}/confirm", responses={200: {"model": VerdictOut}, **_GONE, **_UNKNOWN})
def confirm(decision_id: str, kairos: TheKairos) -> Json:
    """Ask for permission to send, right before sending. It is given once, and spends the place for good."""
    return _single(kairos.ledger.confirm(decision_id, kairos.clock.now()), "confirm")


@router.post("/decisions/{decision_id}/release", responses={200: {"model": VerdictOut}, **_GONE, **_UNKNOWN})
def release(decision_id: str, kairos: TheKairos) -> Json:
    """Give the place back: this message will not be sent."""
    return _single(kairos.ledger.release(decision_id, kairos.clock.now()), "release")


def _one(asked: AskIn, kairos: Kairos) -> dict[str, Any]:
    answer = kairos.decider.attempt([asked.ask()])[0]
    if not isinstance(answer, Decision):
        raise ProblemError(_not_answered(answer))
    metrics.count_decision(answer)
    return shown(answer)


def _many(body: AsksIn, kairos: Kairos) -> list[dict[str, Any]]:
    asks = [item.ask() for item in body.asks if not isinstance(item, Refused)]
    answers = iter(zip(asks, kairos.decider.attempt(asks), strict=True))
    return [
        _refused(item, index) if isinstance(item, Refused) else _result(*next(answers), index)
        for index, item in enumerate(body.asks)
    ]


def _result(ask: Ask, answer: Decision | Unanswerable, index: int) -> dict[str, Any]:
    if not isinstance(answer, Decision):
        return _failed(ask.request_id, _not_answered(answer, root=("asks", index)))
    metrics.count_decision(answer)
    return {"status": HTTPStatus.OK, "request_id": ask.request_id, "decision": shown(answer)}


def _refused(item: Refused, index: int) -> dict[str, Any]:
    return _failed(item.named("request_id"), invalid(item.errors, root=("asks", index)))


def _failed(request_id: str | None, document: Problem) -> dict[str, Any]:
    return {"status": document.status, "request_id": request_id, "problem": document.plain()}


def _not_answered(refusal: Unanswerable, *, root: tuple[str | int, ...] = ()) -> Problem:
    """Say what is the caller's to mend; an :class:`AskError` begins with the field it is about."""
    if isinstance(refusal, AskError):
        field, _, detail = str(refusal).partition(": ")
        return invalid([{"loc": (field,), "msg": detail}], root=root)
    if isinstance(refusal, CustomerErased):
        return erased(refusal)
    said = [FieldError.at((*root, "request_id"), "was answered for a different request")]
    return problem(HTTPStatus.CONFLICT, "request_conflict", str(refusal), errors=said)


def _single(verdict: Verdict, verb: str) -> Json:
    metrics.PERMISSIONS.labels(verb, verdict.status).inc()
    if verdict.status == "refused":
        status = HTTPStatus.NOT_FOUND if verdict.code == UNKNOWN_DECISION else HTTPStatus.CONFLICT
        raise ProblemError(problem(status, verdict.code, verdict.message))
    return Json(verdict)


def _readable(body: IdsIn) -> list[str]:
    return [each for each in body.decision_ids if not isinstance(each, Refused)]


def _all(body: IdsIn, verdicts: Sequence[Verdict], verb: str) -> Json:
    given = iter(verdicts)
    every = [_unreadable(each) if isinstance(each, Refused) else next(given) for each in body.decision_ids]
    for verdict in every:
        metrics.PERMISSIONS.labels(verb, verdict.status).inc()
    return Json({"verdicts": every})


def _unreadable(item: Refused) -> Verdict:
    said = "; ".join(error["msg"] for error in item.errors)
    return Verdict(decision_id="", status="refused", code="invalid", message=said, state=None)
