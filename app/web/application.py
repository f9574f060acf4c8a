"""The web application: FastAPI with its routes, behind the front door, around one service."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from app import __version__
from app.config import load_settings
from app.core.errors import ConfigError
from app.service import Service, open_service
from app.settings import Settings
from app.sinks.base import Sink
from app.web import beacon, docs, ops, schemas, streams, testevents
from app.web.accesslog import AccessLog, tally
from app.web.admission import Admission
from app.web.beacon import BeaconWire
from app.web.clients import Clients
from app.web.context import Contexts
from app.web.cors import Cors
from app.web.events import EventsWire
from app.web.frontdoor import FrontDoor
from app.web.openapi import describe
from app.web.replies import plain_failure
from app.web.responses import response_of

EVENTS = "/v1/events"


def create_app(settings: Settings | None = None, *, sink: Sink | None = None) -> FrontDoor:
    """Return the ASGI application; its lifespan starts and stops the service.

    `settings` None: those that the environment names (raises ConfigError). `sink` takes the place
    of the configured one.
    """
    settings = settings or load_settings()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            try:
                service = await stack.enter_async_context(open_service(settings, sink=sink))
            except ConfigError as error:
                door.problems = error.problems
                raise
            app.state.service = service
            admission = Admission(
                settings.http.max_queue_time, of_sink=lambda: service.outlets.queue_time
            )
            service.metrics.queue_time = lambda: admission.queue_time
            service.metrics.turned_away = lambda: admission.refused
            watching = asyncio.create_task(admission.run())
            stack.callback(watching.cancel)
            _open(door, service, app, admission)
            yield

    app = FastAPI(
        title="Sluiceway",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    door = FrontDoor(app)
    for module in (ops, streams, schemas, testevents, docs):
        app.include_router(module.router)
    app.add_exception_handler(HTTPException, _http_failure)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(Exception, _defect)
    describe(app)
    return door


def _open(door: FrontDoor, service: Service, app: FastAPI, admission: Admission) -> None:
    http = service.settings.http
    contexts = Contexts(
        trusted_proxies=http.trusted_proxies, client_headers=http.client_address_headers
    )
    app.state.contexts = contexts
    identification, rates = service.identification, service.rates
    clients = None
    if identification or rates:
        clients = Clients(identification=identification, rates=rates)
    app.state.clients = clients
    events = EventsWire(service, contexts, clients)
    old = BeaconWire(service, contexts, events.guard, clients)
    access = service.settings.log.access
    access_log = None
    if access.enabled:
        access_log = AccessLog(
            sample=access.sample, client_ip=access.client_ip, client_of=contexts.client_of
        )
        service.pipeline.observers = [*service.pipeline.observers, tally]
    door.open(
        wires={
            EVENTS: (EVENTS, events),
            **dict.fromkeys(beacon.PATHS, (beacon.PATHS[0], old)),
        },
        cors=Cors(http.cors_origins, credentials=identification is not None),
        metrics=service.metrics,
        drain=service.drain,
        access_log=access_log,
        admission=admission,
    )


async def _http_failure(_request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    headers = dict(error.headers or {})
    return response_of(plain_failure(error.status_code, str(error.detail)), headers)


async def _bad_request(_request: Request, error: Exception) -> Response:
    return response_of(plain_failure(400, f"The request cannot be read: {error}"))


async def _defect(_request: Request, _error: Exception) -> Response:
    return response_of(plain_failure(500, "Sluiceway failed on this request; its log says how."))
