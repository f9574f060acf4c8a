"""The plain baseline, what people write first: a FastAPI route, `jsonschema`, one send for each."""

import os
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from jsonschema import Draft7Validator

from tests.benchmarks.events import STREAM, URI, schema

SendOne = Callable[[bytes], Awaitable[Any]]


async def _nowhere(_value: bytes) -> None:
    return


def plain_app(bootstrap: str | None = None) -> FastAPI:
    """Return the application; events go to Kafka, one by one, or nowhere."""
    validators = {URI: Draft7Validator(schema())}
    send: SendOne = _nowhere

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        nonlocal send
        if bootstrap is None:
            yield
            return
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
        await producer.start()

        async def to_kafka(value: bytes) -> None:
            await producer.send_and_wait(STREAM, value)

        send = to_kafka
        yield
        await producer.stop()

    app = FastAPI(lifespan=lifespan)

    @app.post("/v1/events")
    async def events(request: Request) -> Response:
        body = orjson.loads(await request.body())
        failed = []
        given = body if isinstance(body, list) else [body]
        for event in given:
            meta = event["meta"]
            meta["dt"] = datetime.now(UTC).isoformat()
            meta["id"] = str(uuid.uuid4())
            http = event.setdefault("http", {})
            http["client_ip"] = request.client.host if request.client else None
            http["request_headers"] = {"user-agent": request.headers.get("user-agent", "")}
            errors = [error.message for error in validators[event["$schema"]].iter_errors(event)]
            if errors:
                failed.append({"event": event, "errors": errors})
                continue
            await send(orjson.dumps(event))
        if not failed:
            return Response(status_code=201)
        return JSONResponse({"invalid": failed}, 207 if len(failed) < len(given) else 400)

    @app.get("/readyz")
    async def ready() -> dict[str, Any]:
        return {"pid": os.getpid(), "at": time.time()}

    return app
