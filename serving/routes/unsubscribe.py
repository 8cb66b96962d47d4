"""One-click unsubscribe (RFC 8058): the link that a message carries. No key, no cookie, no redirect.

Only POST withdraws. GET shows a page with a button, because scanners of mail follow every link. A POST with a good
token withdraws whatever its body says, and of whatever kind it says to be: RFC 8058 has mailers send a form, and
many send something else, but nobody posts a token by mistake. An opt-out that was meant is taken.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote_to_bytes

from fastapi import APIRouter, Depends, Query
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

_TOKEN = re.compile(rb"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{43}(?![A-Za-z0-9_-])")
_MOST = 3
"""How many tokens of one query or body are looked at."""

Token = Annotated[str, Query(description="The token of a decision, as its link carries it")]
_REFUSALS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "Not a token of this service, or one that was cut"},
    410: {"model": Problem, "description": "The token expired"},
}
_FORM: dict[str, Any] = {
    "requestBody": {
        "description": "A form by RFC 8058. Any other body, or none, is taken as well; one may carry the token.",
        "content": {
            "application/x-www-form-urlencoded": {
                "schema": {
                    "type": "object",
                    "properties": {ONE_CLICK[0]: {"type": "string", "example": ONE_CLICK[1]}},
                }
            }
        },
    }
}

_PAGES: dict[int | str, dict[str, Any]] = {
    status: {"content": {"text/html": {}}, "description": _REFUSALS[status]["description"]}
    for status in (400, 410)
}


@router.head(UNSUBSCRIBE_PATH, include_in_schema=False)
@router.get(UNSUBSCRIBE_PATH, response_class=HTMLResponse, responses=_PAGES)
def ask(kairos: TheKairos, token: Token = "") -> HTMLResponse:
    """Show a page that asks whether to unsubscribe. It changes nothing, and does not say what is withdrawn."""
    try:
        asked = _read([token], kairos)
    except TokenError as refusal:
        return pages.refusal(str(refusal), _status(refusal))
    return pages.question(asked.channel, asked.purpose)


async def _tokens(request: Request, token: Token = "") -> list[str]:
    """Return the tokens that were sent: the address's, whatever a mailer made of it, and those of a body."""
    sent = await request.body()
    return [token, *tokens_in(request.scope["query_string"]), *tokens_in(sent)]


@router.post(UNSUBSCRIBE_PATH, responses={200: {"model": UnsubscribedOut}, **_REFUSALS}, openapi_extra=_FORM)
def withdraw(request: Request, kairos: TheKairos, tokens: Annotated[list[str], Depends(_tokens)]) -> Response:
    """Withdraw consent to what the token names; everything not yet confirmed stops at once. Twice is once."""
    try:
        asked = _read(tokens, kairos)
    except TokenError as refusal:
        return _refused(refusal, request)
    kairos.ledger.wishes.unsubscribe(asked, kairos.clock.now())
    metrics.UNSUBSCRIBES.labels("withdrawn").inc()
    if _is_browser(request):
        return pages.done(asked.channel, asked.purpose)
    return Json({"status": "withdrawn", "channel": asked.channel, "purpose": asked.purpose})


def tokens_in(sent: bytes) -> list[str]:
    """Return whatever looks like a token in a query or a body: those signed here alone are believed."""
    return [each.decode() for each in _TOKEN.findall(unquote_to_bytes(sent))[:_MOST]]


def _read(tokens: list[str], kairos: Kairos) -> Unsubscribe:
    """Return what the first good token asks for; of none, the refusal of the first."""
    refusals = []
    for token in tokens:
        try:
            return read_unsubscribe_token(token.strip(), kairos.keys, now=kairos.clock.now())
        except TokenError as refusal:
            refusals.append(refusal)
    raise next((each for each in refusals if isinstance(each, ExpiredToken)), refusals[0])


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
