"""Every refusal is a problem document (RFC 9457) that says what is wrong, where, and what to do about it."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Self

import structlog
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field, ValidationError
from starlette.exceptions import HTTPException

from decisions.ledger import CustomerErased, ImpossibleRow, StorageError
from serving.rendering import Json

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from fastapi import FastAPI
    from pydantic_core import ErrorDetails
    from starlette.requests import Request

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger("kairos.serving")


class FieldError(BaseModel):
    """One field that broke a rule: its name, its JSON pointer into the body, and the rule."""

    field: str = Field(examples=["asks[0].customer_id"])
    pointer: str = Field(examples=["#/asks/0/customer_id"])
    detail: str

    @classmethod
    def at(cls, place: Sequence[str | int], detail: str) -> Self:
        """Return the error of the field at ``place`` in the body."""
        return cls(field=_dotted(place), pointer=_pointer(place), detail=detail)


class Problem(BaseModel):
    """A problem document. ``type`` is stable and meant for programs, ``detail`` for people."""

    type: str = Field(examples=["urn:kairos:problem:invalid"])
    title: str
    status: int
    detail: str
    errors: list[FieldError] = []

    def plain(self) -> dict[str, Any]:
        """Return it as JSON shows it: ``errors`` only where there are some."""
        return self.model_dump(exclude_defaults=True)


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """Give every problem of the OpenAPI document the media type it is sent with; FastAPI knows only JSON."""
    for operations in document["paths"].values():
        for operation in operations.values():
            for response in operation["responses"].values():
                _name_media_type(response.get("content", {}))
    return document


def _name_media_type(content: dict[str, Any]) -> None:
    json = content.get("application/json", {})
    if json.get("schema", {}).get("$ref", "").endswith(f"/{Problem.__name__}"):
        content[MEDIA_TYPE] = content.pop("application/json")


class ProblemError(Exception):
    """Raised where a request cannot be answered; becomes its :class:`Problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        self.problem = problem


def problem(status: HTTPStatus, kind: str, detail: str, *, errors: Sequence[FieldError] = ()) -> Problem:
    """Return the problem document for ``status``; ``kind`` is the last word of its type."""
    return Problem(
        type=f"urn:kairos:problem:{kind}",
        title=status.phrase,
        status=status.value,
        detail=detail,
        errors=list(errors),
    )


def invalid(errors: Iterable[ErrorDetails | dict[str, Any]], *, root: tuple[str | int, ...] = ()) -> Problem:
    """Return the problem for ``errors`` of pydantic; ``root`` is where in the body the checked value stood.

    The offending value is left out: it may be personal, and the caller has it.
    """
    fields = [_field_error(error, root) for error in errors]
    detail = "; ".join(f"{each.field}: {each.detail}" for each in fields)
    return problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", detail, errors=fields)


def _field_error(error: ErrorDetails | dict[str, Any], root: tuple[str | int, ...]) -> FieldError:
    return FieldError.at((*root, *error["loc"]), str(error["msg"]).removeprefix("Value error, "))


def _dotted(place: Sequence[str | int]) -> str:
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in place)
    return _printable(text.removeprefix(".")) or "body"


def _printable(text: str) -> str:
    # A caller's unknown key may hold half a surrogate pair, which has no UTF-8 form.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _pointer(place: Sequence[str | int]) -> str:
    escaped = (str(step).replace("~", "~0").replace("/", "~1") for step in place)
    return "#" + _printable("".join(f"/{step}" for step in escaped))


def answer(document: Problem) -> Json:
    """Return ``document`` as a response."""
    return Json(document.plain(), document.status, media_type=MEDIA_TYPE)


def install(app: FastAPI) -> None:
    """Make ``app`` answer every refusal and every fault of ours with a problem document."""
    app.add_exception_handler(ProblemError, _of_problem)
    app.add_exception_handler(RequestValidationError, _of_validation)
    app.add_exception_handler(HTTPException, _of_http)
    app.add_exception_handler(ImpossibleRow, _of_row)
    app.add_exception_handler(StorageError, _of_storage)
    app.add_exception_handler(CustomerErased, _of_erased)


def _of_problem(_: Request, error: Exception) -> Json:
    assert isinstance(error, ProblemError)
    return answer(error.problem)


def _of_validation(_: Request, error: Exception) -> Json:
    assert isinstance(error, RequestValidationError)
    broken = [each for each in error.errors() if each["type"] == "json_invalid"]
    if broken:
        why = broken[0].get("ctx", {}).get("error", "not JSON")
        detail = f"the body is not valid JSON: {why} at character {broken[0]['loc'][-1]}"
        return answer(problem(HTTPStatus.BAD_REQUEST, "malformed", detail))
    return answer(invalid({**each, "loc": _within(each["loc"])} for each in error.errors()))


def _within(place: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return ``place`` without what FastAPI puts before it: "body", and the form of body it took it for."""
    steps = place[1:] if place[:1] == ("body",) else place
    return steps[1:] if steps[:1] in {("one",), ("many",)} else steps


def _of_http(request: Request, error: Exception) -> Json:
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    response = answer(_http_problem(request.method, status, str(error.detail)))
    response.headers.update(error.headers or {})
    return response


def _http_problem(method: str, status: HTTPStatus, detail: str) -> Problem:
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return not_possible(method)
    if status == HTTPStatus.NOT_FOUND:  # the address itself is left out: it may hold a customer's id
        detail = "there is nothing at this address; /docs lists what there is"
    return problem(status, status.phrase.lower().replace(" ", "_"), detail)


def not_possible(method: str) -> Problem:
    """Return the problem of a method that an address does not answer."""
    detail = f"{method} is not possible at this address; see /docs"
    return problem(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", detail)


def _of_row(_: Request, __: Exception) -> Json:
    detail = "an id or text holds what no store can keep, such as a NUL; nothing was written"
    return answer(problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", detail))


def _of_storage(_: Request, error: Exception) -> Json:
    return ledger_away(error)


def ledger_away(error: Exception) -> Json:
    """Return the answer while the ledger cannot be reached: nothing was written, the same may be sent again."""
    _log.error("ledger", kind=type(error).__name__)
    detail = "the ledger cannot be reached just now; nothing was written, send the same request again"
    response = answer(problem(HTTPStatus.SERVICE_UNAVAILABLE, "ledger_away", detail))
    response.headers["Retry-After"] = "1"
    return response


def erased(error: CustomerErased) -> Problem:
    """Return the problem of a request about a customer who was erased."""
    return problem(HTTPStatus.GONE, "customer_erased", str(error))


def _of_erased(_: Request, error: Exception) -> Json:
    assert isinstance(error, CustomerErased)
    return answer(erased(error))


def fault(error: Exception) -> Json:
    """Return the answer to a fault of ours, and log where it lies.

    The log names code, not data: an error's own message may quote a customer's values.
    """
    _log.error("fault", kind=type(error).__name__, where=_last_frame(error))
    detail = "this is a fault of Kairos, not of the request; the log has the particulars"
    return answer(problem(HTTPStatus.INTERNAL_SERVER_ERROR, "fault", detail))


def _last_frame(error: BaseException) -> str | None:
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    return f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else None


def errors_of(error: ValidationError) -> list[ErrorDetails]:
    """Return what pydantic found, without the values it found it in."""
    return error.errors(include_url=False, include_input=False, include_context=False)
