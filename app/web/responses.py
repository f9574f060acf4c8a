"""Replies as the routes behind FastAPI give them, and what those routes share."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from app.service import Service
from app.web.context import Contexts
from app.web.replies import Reply

FAILURES = "Failures"
"""Under this name OpenAPI describes the body of every answer that tells of a failure."""


def failure(description: str) -> dict[str, Any]:
    """Return what OpenAPI says of an answer that tells of a failure."""
    reference = {"$ref": f"#/components/schemas/{FAILURES}"}
    return {
        "description": description,
        "content": {"application/json": {"schema": reference}},
    }


def response_of(reply: Reply, headers: Mapping[str, str] | None = None) -> Response:
    """Return a reply as a FastAPI response, with further headers."""
    named = {name.decode(): value.decode() for name, value in reply.headers}
    return Response(reply.body, reply.status, headers=named | dict(headers or {}))


async def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _contexts(request: Request) -> Contexts:
    contexts: Contexts = request.app.state.contexts
    return contexts


RunningService = Annotated[Service, Depends(_service)]
RequestContexts = Annotated[Contexts, Depends(_contexts)]
