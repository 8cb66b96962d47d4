"""What every endpoint is given: Kairos itself, and the key as the OpenAPI page shows it."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.requests import Request  # noqa: TC002  # FastAPI reads annotations at run time

from runtime.build import Kairos

_BEARER = HTTPBearer(auto_error=False, description="The API key")
_HEADER = APIKeyHeader(name="X-API-Key", auto_error=False, description="The API key")


async def documented_key(
    _bearer: Annotated[object, Security(_BEARER)], _header: Annotated[object, Security(_HEADER)]
) -> None:
    """Say in the OpenAPI document how the key is presented; :mod:`serving.gate` has checked it by now."""


async def _kairos(request: Request) -> Kairos:
    return cast("Kairos", request.app.state.kairos)


TheKairos = Annotated[Kairos, Depends(_kairos)]
