"""GET /v1/schemas/{uri}: the schemas that events are judged by."""

import yaml
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from app.core.errors import EventError, SchemaNotFound
from app.web.replies import plain_failure
from app.web.responses import RunningService, failure, response_of

router = APIRouter(tags=["schemas"])

YAML_TYPES = ("application/yaml", "application/x-yaml", "text/yaml")


@router.get(
    "/v1/schemas/{uri:path}",
    responses={
        200: {"content": {kind: {} for kind in ("application/json", YAML_TYPES[0])}},
        404: failure("The repositories have no such schema."),
        503: failure("The schema cannot be had or used now; the message says why."),
    },
)
async def schema(uri: str, request: Request, service: RunningService) -> Response:
    """Return a schema as its author wrote it: as JSON, or as YAML if the Accept header asks."""
    try:
        found = await service.schemas.get(f"/{uri}")
    except EventError as error:
        status = 404 if isinstance(error, SchemaNotFound) else 503
        return response_of(plain_failure(status, str(error)))
    if any(kind in request.headers.get("accept", "") for kind in YAML_TYPES):
        text = yaml.safe_dump(found.document, sort_keys=False, allow_unicode=True)
        return Response(text, headers={"content-type": "application/yaml"})
    return JSONResponse(found.document)
