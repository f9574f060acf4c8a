"""The plain baseline, what people write first: a FastAPI route, `jsonschema`, one send for each."""

import asyncio
import json
import os
import sqlite3
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
import yaml
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response
from fastapi.responses import JSONResponse
from jsonschema import Draft7Validator

from tests.benchmarks.events import STREAM, URI, schema

OLD_SCHEMA = Path(__file__).parents[2] / "app/demo/schemas/demo/legacy/buttonclick/1.0.0.yaml"

SendOne = Callable[[bytes], Awaitable[Any]]


async def _nowhere(_value: bytes) -> None:
    return


def _into(database: str) -> SendOne:
    connection = sqlite3.connect(database, check_same_thread=False)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS events (value BLOB NOT NULL)")
    writing = asyncio.Lock()

    def write(value: bytes) -> None:
        with connection:
            connection.execute("INSERT INTO events VALUES (?)", (value,))

    async def to_database(value: bytes) -> None:
        async with writing:
            await asyncio.to_thread(write, value)

    return to_database


def old_event(query: str, dt: str, seq: str, address: str, agent: str) -> dict[str, Any]:
    """Return the event in an old client's query; raises ValueError if it is none."""
    capsule = json.loads(unquote(query.strip("?;")))
    event = {
        "$schema": "/demo/legacy/buttonclick/1.0.0",
        "meta": {"stream": f"eventlogging_{capsule['schema']}", "dt": dt, "id": seq},
        "http": {"client_ip": address, "request_headers": {"user-agent": agent}},
        **capsule,
    }
    return {name: event[name] for name in ("$schema", "meta", "event")}


def old_validator() -> Draft7Validator:
    """Return the validator of what `old_event` returns."""
    return Draft7Validator(yaml.safe_load(OLD_SCHEMA.read_text()))


def plain_app(bootstrap: str | None = None, database: str | None = None) -> FastAPI:
    """Return the application; events go to Kafka or a database, one by one, or nowhere."""
    validators = {URI: Draft7Validator(schema())}
    old = old_validator()
    send: SendOne = _nowhere

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        nonlocal send
        if database is not None:
            send = _into(database)
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

    @app.get("/beacon/event")
    async def beacon(request: Request) -> Response:
        now = datetime.now(UTC).isoformat()
        host = request.client.host if request.client else ""
        agent = request.headers.get("user-agent", "")
        event = old_event(request.url.query, now, str(uuid.uuid4()), host, agent)
        if old.is_valid(event):
            await send(orjson.dumps(event))
        return Response(status_code=204)

    @app.get("/readyz")
    async def ready() -> dict[str, Any]:
        return {"pid": os.getpid(), "at": time.time()}

    return app
