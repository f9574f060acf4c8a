"""What operators alone may see: where there is an internal listener, it is had only there."""

from typing import Annotated

from fastapi import Depends, HTTPException, Request


def is_internal(request: Request) -> bool:
    """Say whether a request may see what is for operators.

    What counts is the port of our own socket that it came in by, which no header can change.
    """
    port: int | None = request.app.state.service.settings.http.internal_port
    server = request.scope.get("server")
    return port is None or (server is not None and server[1] == port)


async def _is_internal(request: Request) -> bool:
    return is_internal(request)


async def _check_internal(request: Request) -> None:
    if not is_internal(request):
        raise HTTPException(404)  # as where there is nothing


IsInternal = Annotated[bool, Depends(_is_internal)]
INTERNAL = [Depends(_check_internal)]
"""The dependencies of a route that is internal."""
