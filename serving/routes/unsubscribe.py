"""One-click unsubscribe (RFC 8058): the link that a message carries. No key, no cookie, no redirect.

Only POST withdraws. GET shows a page with a button, because scanners of mail follow every link.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any, Literal

from fastapi import APIRouter, Form, Query
from starlette.requests import Request  # noqa: TC002  # FastAPI reads annotations at run time
from starlette.responses import HTMLResponse, Response

from decisions.tokens import (
    ONE_CLICK,
    UNSUBSCRIBE_PATH,
    ExpiredToken,
    TokenError,
    Unsubscribe,
    read_unsubscribe_token,
)
from serving import metrics, pages
from serving.access import TheKairos  # noqa: TC001  # likewise
from serving.answers import UnsubscribedOut
from serving.problems import Problem, answer, problem
from serving.rendering import Json

if TYPE_CHECKING:
    from runtime.build import Kairos

router = APIRouter(tags=["unsubscribe"])

Token = Annotated[str, Query(description="The token of a decision, as its link carries it")]
OneClick = Annotated[
    Literal["One-Click"],
    Form(alias=ONE_CLICK[0], description="Always `One-Click`, as RFC 8058 has it"),
]
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Not a token of this service, or one that was cut"},
    410: {"model": Problem, "description": "The token expired"},
    422: {"model": Problem, "description": "The form does not say `List-Unsubscribe=One-Click`"},
}

_PAGES: dict[int | str, dict[str, Any]] = {
    status: {"content": {"text/html": {}}, "description": _REFUSALS[status]["description"]}
    for status in (400, 410)
}


@router.get(UNSUBSCRIBE_PATH, response_class=HTMLResponse, responses=_PAGES)
def ask(kairos: TheKairos, token: Token = "") -> HTMLResponse:
    """Show a page that asks whether to unsubscribe. It changes nothing, and does not say what is withdrawn."""
    try:
        asked = _read(token, kairos)
    except TokenError as refusal:
        return pages.refusal(str(refusal), _status(refusal))
    return pages.question(asked.channel, asked.purpose)


@router.post(UNSUBSCRIBE_PATH, responses={200: {"model": UnsubscribedOut}, **_REFUSALS})
def withdraw(request: Request, kairos: TheKairos, form: OneClick, token: Token = "") -> Response:  # noqa: ARG001  # its presence is the consent of RFC 8058
    """Withdraw consent to what the token names; everything not yet confirmed stops at once. Twice is once."""
    try:
        asked = _read(token, kairos)
    except TokenError as refusal:
        return _refused(refusal, request)
    kairos.ledger.wishes.unsubscribe(asked, kairos.clock.now())
    metrics.UNSUBSCRIBES.labels("withdrawn").inc()
    if _is_browser(request):
        return pages.done(asked.channel, asked.purpose)
    return Json({"status": "withdrawn", "channel": asked.channel, "purpose": asked.purpose})


def _read(token: str, kairos: Kairos) -> Unsubscribe:
    return read_unsubscribe_token(token, kairos.keys, now=kairos.clock.now())


def _refused(refusal: TokenError, request: Request) -> Response:
    status = _status(refusal)
    metrics.UNSUBSCRIBES.labels(_kind(refusal)).inc()
    if _is_browser(request):
        return pages.refusal(str(refusal), status)
    return answer(problem(status, _kind(refusal), str(refusal)))


def _status(refusal: TokenError) -> HTTPStatus:
    return HTTPStatus.GONE if isinstance(refusal, ExpiredToken) else HTTPStatus.BAD_REQUEST


def _kind(refusal: TokenError) -> str:
    return "token_expired" if isinstance(refusal, ExpiredToken) else "token_invalid"


def _is_browser(request: Request) -> bool:
    """Mail clients and programs want JSON or nothing; the button of our own page is pressed in a browser."""
    return "text/html" in request.headers.get("accept", "")
