"""The one FastAPI application: the public contract under ``/v1``, its documentation, and the metrics."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import Depends, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.staticfiles import StaticFiles

from serving import metrics, problems, roles
from serving.access import permitted
from serving.gate import Gate
from serving.logs import Observed
from serving.roles import BODY_LIMIT
from serving.routes import customers, decisions, events, outbox, privacy, status, unsubscribe

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from runtime.build import Kairos

API_VERSION = "1"

_REFUSALS: dict[int | str, dict[str, object]] = {
    400: {"description": "A body that cannot be read as JSON, or not be unpacked"},
    401: {"description": "No key, or one that is wrong, revoked or expired"},
    403: {"description": "A key without the role; `x-roles` names those that may"},
    404: {"description": "There is nothing at this address"},
    413: {"description": f"A body of more than {BODY_LIMIT} bytes, or less where little is expected"},
    415: {"description": "A body that is not JSON, or packed otherwise than as gzip"},
    422: {"description": "A field that breaks a rule; `errors` names it"},
    429: {"description": "Too many requests; `Retry-After` says in how many seconds to come again"},
    503: {
        "description": "The ledger is away or busy; nothing was written, and `Retry-After` says when to come again"
    },
}


def create_app(kairos: Kairos | None = None) -> FastAPI:
    """Return the application. ``app.state.kairos`` is set before the first request, or given here."""
    app = _Documented(
        title="Kairos",
        version=API_VERSION,
        description="Decides whom to message, with what, on which channel and when. See docs/api.md.",
        docs_url=None,  # FastAPI's page fetches its scripts from a CDN; ours stands on this machine
        redoc_url=None,
    )
    app.state.kairos = kairos
    problems.install(app)
    app.add_middleware(Gate, kairos=lambda: app.state.kairos)
    app.add_middleware(Observed)
    _add_contract(app)
    _add_pages(app)
    app.router.routes.append(_Nowhere())
    return app


def _add_contract(app: FastAPI) -> None:
    described = {code: {**said, "model": problems.Problem} for code, said in _REFUSALS.items()}
    for part in (decisions, outbox, events, customers, privacy, status):
        app.include_router(part.router, dependencies=[Depends(permitted)], responses=described)
    app.include_router(unsubscribe.router)


def _add_pages(app: FastAPI) -> None:
    app.mount("/docs/assets", StaticFiles(directory=_swagger_files()))
    app.add_api_route("/docs", _docs_page, include_in_schema=False)
    app.add_api_route("/metrics", metrics.exposition, include_in_schema=False)
    app.add_api_route("/", _to_docs, include_in_schema=False)


def _docs_page() -> HTMLResponse:
    return get_swagger_ui_html(
        openapi_url="/openapi.json",
        title="Kairos API",
        swagger_js_url="/docs/assets/swagger-ui-bundle.js",
        swagger_css_url="/docs/assets/swagger-ui.css",
        swagger_favicon_url="/docs/assets/favicon-light-32x32.png",
    )


def _to_docs() -> Response:
    return RedirectResponse("/docs")


def _swagger_files() -> Path:
    """Return where BentoML keeps its copy of Swagger UI, without importing BentoML."""
    found = find_spec("bentoml")
    assert found is not None
    assert found.submodule_search_locations is not None
    return Path(found.submodule_search_locations[0]) / "_internal" / "server" / "static_content"


class _Documented(FastAPI):
    """Says in its OpenAPI document which roles each endpoint takes."""

    def openapi(self) -> dict[str, Any]:
        """Return the document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = problems.describe(roles.describe(super().openapi()))
        return self.openapi_schema


class _Nowhere(BaseRoute):
    """Answers what nothing else does, so that BentoML's plain-text 404 does not.

    It matches in part only: a route of the same path and another method (405) and BentoML's own pages come first.
    """

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match any request, in part."""
        return (Match.PARTIAL if scope["type"] == "http" else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # Starlette's shape
        """Refuse: there is nothing here."""
        raise HTTPException(404)
