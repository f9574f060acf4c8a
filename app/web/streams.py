"""GET /v1/stream-configs: the stream configurations in force."""

import re
from typing import Any

from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse

from app.web.responses import RunningService, failure

router = APIRouter(tags=["streams"])

NOT_YET: dict[int | str, dict[str, Any]] = {503: failure("No stream configuration was loaded yet.")}
NO_PATH: dict[int | str, dict[str, Any]] = {404: failure("The names hold a line end.")}


@router.get("/v1/stream-configs", responses=NOT_YET)
async def all_streams(service: RunningService) -> JSONResponse:
    """Return every stream's settings, by name."""
    _check_loaded(service)
    return JSONResponse(service.streams.settings_of())


@router.get("/v1/stream-configs/{names:path}", responses=NOT_YET | NO_PATH)
async def some_streams(names: str, service: RunningService) -> JSONResponse:
    """Return the settings of the streams named (`a,b` or `a|b`); unknown names are left out."""
    _check_loaded(service)
    return JSONResponse(service.streams.settings_of(re.split(r"[,|]", names)))


def _check_loaded(service: RunningService) -> None:
    if not service.streams.ready:
        raise HTTPException(503, "No stream configuration was loaded yet.")
