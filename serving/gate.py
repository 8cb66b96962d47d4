"""What stands before every ``/v1`` request: the key, how often, the role, then the kind of body and its size.

A plain ASGI wrapper that answers and never raises: inside BentoML, an exception above the application leaves
the caller waiting for the timeout. The order is the cheapest refusal first; a stranger's body is never read.
"""

from __future__ import annotations

from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from decisions.ledger import StorageError
from decisions.ledger.actor import acting
from serving import problems
from serving.limiting import Limiter, address_of
from serving.problems import answer, problem
from serving.roles import Rule, rule_at

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from runtime.access import Caller
    from runtime.build import Kairos
    from serving.rendering import Json

PROTECTED = "/v1"
CALLER = "kairos.caller"
"""Where a request's scope holds who asks; None on public endpoints."""
TEMPLATE = "kairos.template"
"""Where it holds the template of its path, for the log of a request that is refused before it is routed."""
_PUBLIC = "public"
_WITH_BODY = {"POST", "PUT", "PATCH"}
_FORMS = {"application/x-www-form-urlencoded", "multipart/form-data"}


class Gate:
    """Lets a request through to ``app`` as its :class:`Rule` says, and remembers for the audit whose it is."""

    def __init__(self, app: ASGIApp, *, kairos: Callable[[], Kairos]) -> None:
        self.app = app
        self.kairos = kairos

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a problem document, or hand on."""
        if scope["type"] != "http" or not scope["path"].startswith(PROTECTED):
            await self.app(scope, receive, send)
            return
        rule, scope[TEMPLATE] = rule_at(scope["method"], scope["path"])
        headers = Headers(scope=scope)
        refusal = await self._unknown(scope, rule, headers) or _not_allowed(scope, rule, headers)
        if refusal is None and scope["method"] in _WITH_BODY:
            body = await _read(receive, rule.limit)
            refusal = _too_large(rule.limit) if body is None else None
            receive = _replayed(body or b"", receive)
        caller = scope.get(CALLER)
        with acting(caller.key_id if caller else _PUBLIC):
            await (refusal or self.app)(scope, receive, send)

    async def _unknown(self, scope: Scope, rule: Rule, headers: Headers) -> Json | None:
        """Find out who asks; refuse a stranger, and whoever asks too often."""
        if rule.public:
            return self._too_often(_PUBLIC, address_of(scope.get("client")))
        try:
            caller = scope[CALLER] = await self._authenticated(_presented(headers))
        except StorageError as error:
            return problems.ledger_away(error)
        if caller is None:
            return self._too_often("stranger", address_of(scope.get("client"))) or _stranger()
        return self._too_often(caller.role, caller.key_id)

    async def _authenticated(self, presented: str) -> Caller | None:
        access = self.kairos().access
        if access.at_once(presented):
            return access.authenticate(presented)
        return await run_in_threadpool(access.authenticate, presented)  # the event loop never waits for the ledger

    def _too_often(self, kind: str, who: str) -> Json | None:
        seconds = self._limiter.wait(kind, who)
        return None if seconds is None else _slow_down(seconds)

    @cached_property
    def _limiter(self) -> Limiter:
        settings = self.kairos().settings
        return Limiter(settings.rate_limits, workers=settings.workers)


def _presented(headers: Headers) -> str:
    scheme, _, bearer = headers.get("authorization", "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _stranger() -> Json:
    detail = "send the API key as 'Authorization: Bearer KEY' or as 'X-API-Key: KEY'; it may be revoked or expired"
    response = answer(problem(HTTPStatus.UNAUTHORIZED, "unauthorized", detail))
    response.headers["WWW-Authenticate"] = "Bearer"
    return response


def _slow_down(seconds: int) -> Json:
    detail = f"too many requests; the next one may come in {seconds} s. Endpoints that take many items count once"
    response = answer(problem(HTTPStatus.TOO_MANY_REQUESTS, "too_many_requests", detail))
    response.headers["Retry-After"] = str(seconds)
    return response


def _not_allowed(scope: Scope, rule: Rule, headers: Headers) -> Json | None:
    """Refuse a role that may not, and a body of a kind that is not read. What is nowhere gets its 404 or 405."""
    caller = scope.get(CALLER)
    if scope[TEMPLATE] and not rule.admits(caller and caller.role):
        return answer(forbidden(rule))
    if scope["method"] in _WITH_BODY and not _is_read(headers, rule):
        kinds = "'Content-Type: application/json'" + (" or as a form" if rule.form else "")
        kind = "unsupported_media_type"
        return answer(problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, kind, f"send the body as {kinds}"))
    return None


def forbidden(rule: Rule) -> problems.Problem:
    """Return the problem that names the roles it takes."""
    detail = (
        f"this needs a key with the role {' or '.join(rule.names())}; an admin makes one with `kairos keys add`"
    )
    return problem(HTTPStatus.FORBIDDEN, "forbidden", detail)


def _too_large(limit: int) -> Json:
    detail = f"the body is larger than {limit} bytes; send it in several requests"
    return answer(problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", detail))


def _is_read(headers: Headers, rule: Rule) -> bool:
    if headers.get("content-length") == "0":
        return True  # confirm and release need no body
    if "content-type" not in headers and "transfer-encoding" not in headers and "content-length" not in headers:
        return True
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if rule.form and kind in _FORMS:
        return True
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


async def _read(receive: Receive, limit: int) -> bytes | None:
    """Return the whole body, or None once it is longer than ``limit``, whatever its header claimed."""
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that gives ``body`` once, and then whatever comes after it (a disconnect)."""
    first = [True]

    async def replay() -> Message:
        if first:
            first.clear()
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return replay
