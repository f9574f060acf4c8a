"""GET /v1/_test/events: configured events take the normal way, to see that it is open."""

from fastapi import APIRouter, HTTPException, Request, Response

from app.core.events import RawEvent
from app.web.replies import reply_of
from app.web.responses import RequestContexts, RunningService, failure, response_of

router = APIRouter(tags=["operations"])

SOURCE = "test"


@router.get(
    "/v1/_test/events",
    status_code=201,
    response_class=Response,
    responses={
        201: {"description": "All were stored. No body."},
        202: {"description": "All will be stored: some are spooled."},
        207: failure("Some were stored."),
        400: failure("All were refused."),
        404: failure("No test events are configured."),
        503: failure("They could not be stored now."),
        504: failure("They may or may not be stored."),
    },
)
async def send_test_events(
    request: Request, service: RunningService, contexts: RequestContexts
) -> Response:
    """Send the configured test events through the service; answer as POST /v1/events does."""
    if service.test_events is None:
        raise HTTPException(404, "No test events are configured: the setting test_events is empty.")
    raws = [RawEvent(event) for event in service.test_events]
    return response_of(reply_of(await service.process(raws, contexts.of(request.scope, SOURCE))))
