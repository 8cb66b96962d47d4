"""What every endpoint is given: Kairos itself, and the key as the OpenAPI page shows it."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.requests import Request  # noqa: TC002  # FastAPI reads annotations at run time

from runtime.build import Kairos
from serving.gate import CALLER, forbidden
from serving.problems import ProblemError
from serving.roles import rule_of

_BEARER = HTTPBearer(auto_error=False, description="The API key")
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="The API key")


async def permitted(
    request: Request, _bearer: Annotated[object, Security(_BEARER)], _header: Annotated[object, Security(_HEADER)]
) -> None:
    """Refuse a caller without the endpoint's role, and say in the OpenAPI document how the key is presented.

    :mod:`serving.gate` has refused nearly all by now, from the path alone. Should the router ever read a path in
    another way, or an endpoint stand in no table, this still judges the endpoint that would answer.
    """
    rule = rule_of(request.method, getattr(request.scope.get("route"), "path_format", ""))
    caller = request.scope.get(CALLER)
    if not rule.admits(caller.role if caller else None):
        raise ProblemError(forbidden(rule))


async def _kairos(request: Request) -> Kairos:
    return cast("Kairos", request.app.state.kairos)


TheKairos = Annotated[Kairos, Depends(_kairos)]
