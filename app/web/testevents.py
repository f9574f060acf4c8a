"""GET /v1/_test/events: configured events take the normal way, to see that it is open."""

from fastapi import APIRouter, HTTPException, Request, Response

from app.core.events import RawEvent
from app.web.clients import Clients
from app.web.guard import Refusal
from app.web.internal import INTERNAL
from app.web.replies import reply_of, reply_of_refusal
from app.web.responses import RequestContexts, RunningService, failure, response_of

router = APIRouter(tags=["operations"])

SOURCE = "test"


@router.get(
    "/v1/_test/events",
    status_code=201,
    dependencies=INTERNAL,
    response_class=Response,
    responses={
        201: {"description": "All were stored. No body."},
        202: {"description": "All will be stored: some are spooled."},
        207: failure("Some were stored."),
        400: failure("All were refused."),
        401: failure("They belong to streams whose producers the caller must be."),
        403: failure("The caller is none of the producers."),
        404: failure("No test events are configured."),
        429: failure("The caller has sent more than it may."),
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
    context = contexts.of(request.scope, SOURCE)
    clients: Clients | None = request.app.state.clients
    try:
        if clients:
            context = await clients.let_in(context)
            clients.count_events(context, len(raws))
    except Refusal as refusal:
        outcomes = await service.refuse(refusal.error, b"", context)
        return response_of(reply_of_refusal(outcomes))
    return response_of(reply_of(await service.process(raws, context)))
