"""OpenAPI for the wires that FastAPI does not serve itself: what really happens on them."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from app.web.beacon import PATHS
from app.web.guard import CONTENT_TYPES
from app.web.inflate import ENCODINGS
from app.web.responses import FAILURES, failure

_EVENT: dict[str, Any] = {
    "title": "Event",
    "type": "object",
    "required": ["$schema", "meta"],
    "properties": {
        "$schema": {
            "type": "string",
            "description": "URI of the schema that the event follows.",
            "examples": ["/demo/button/click/1.0.0"],
        },
        "meta": {
            "type": "object",
            "required": ["stream"],
            "properties": {
                "stream": {"type": "string", "examples": ["demo.button.click"]},
                "id": {"type": "string", "description": "Set by the service if absent."},
                "dt": {"type": "string", "description": "Set by the service: time of receipt."},
            },
        },
    },
}

_CAPSULE: dict[str, Any] = {
    "title": "EventCapsule",
    "type": "object",
    "required": ["schema", "event"],
    "properties": {
        "schema": {"type": "string", "description": "Old name; the mapping says what it is now."},
        "revision": {"type": "integer"},
        "wiki": {"type": "string"},
        "webHost": {"type": "string"},
        "event": {"type": "object"},
    },
}

_EVENTBUS_EVENT: dict[str, Any] = {
    "title": "EventBus event",
    "type": "object",
    "required": ["meta"],
    "properties": {
        "meta": {
            "type": "object",
            "required": ["topic"],
            "properties": {
                "schema_uri": {"type": "string", "examples": ["demo/button/click/1"]},
                "topic": {"type": "string", "examples": ["demo.button.click"]},
            },
        },
    },
}

_ANY_EVENT: dict[str, Any] = {"anyOf": [_EVENT, _CAPSULE, _EVENTBUS_EVENT]}
_CAPSULES: dict[str, Any] = {"anyOf": [_CAPSULE, {"type": "array", "items": _CAPSULE}]}

_ENTRY: dict[str, Any] = {
    "type": "object",
    "required": ["status", "event", "context"],
    "properties": {
        "status": {"enum": ["invalid", "error"]},
        "reason": {
            "type": "string",
            "description": "One word; docs/errors.md explains each. Only of events.",
        },
        "index": {"type": ["integer", "null"], "description": "Position of the event, from 0."},
        "id": {"type": ["string", "null"], "description": "The event's meta.id as it was sent."},
        "event": {"type": ["object", "null"], "description": "The event as it was sent."},
        "context": {
            "type": "object",
            "properties": {
                "message": {"type": "string"},
                "errors": {"type": "array", "items": {"type": "object"}},
                "errorsText": {"type": "string"},
            },
        },
        "pointer": {"type": "string", "description": "Where in the event (JSON pointer)."},
        "expected": {"type": "string"},
        "got": {"type": "string"},
        "hint": {"type": "string", "description": "What to do."},
    },
}

_SECURITY: dict[str, Any] = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An API key or a JWT, where streams name who may write to them.",
    },
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}

_FAILURES: dict[str, Any] = {
    "type": "object",
    "properties": {
        "invalid": {"type": "array", "items": _ENTRY},
        "error": {"type": "array", "items": _ENTRY},
    },
}


_EVENTS: dict[str, Any] = {
    "post": {
        "tags": ["events"],
        "summary": "Send one event, or an array of them",
        "description": "Events name their schema and stream; events of the EventBus service and "
        "EventCapsules are known by their shape. Bodies may be compressed once with "
        + ", ".join(ENCODINGS)
        + ".",
        "operationId": "post_events",
        "parameters": [
            {
                "name": "hasty",
                "in": "query",
                "schema": {"type": "string", "enum": ["1", "true", "yes", "", "0", "false", "no"]},
                "description": "Answer before the events are looked at; nothing is promised.",
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                kind: {"schema": {"anyOf": [_ANY_EVENT, {"type": "array", "items": _ANY_EVENT}]}}
                for kind in CONTENT_TYPES
            },
        },
        "security": [{}, {"bearer": []}, {"apiKey": []}],
        "responses": {
            "201": {"description": "Every event is stored. No body."},
            "202": {
                "description": "Taken, with the durability that the body names: `none` for hasty "
                "requests, `spooled` if the events will be produced later.",
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "properties": {"durability": {"enum": ["none", "spooled"]}},
                        }
                    }
                },
            },
            "207": failure("Some events failed; those not listed are stored."),
            "400": failure("No event is stored, and sending them again cannot help."),
            "401": {
                **failure("No event is stored: credentials are missing, or prove nothing."),
                "headers": {"WWW-Authenticate": {"schema": {"type": "string"}}},
            },
            "403": failure("No event is stored: the sender may not write these to the streams."),
            "405": failure("The method is not POST."),
            "408": failure("The body did not arrive in time."),
            "413": failure("The body, or every event in it, is too large."),
            "415": failure("Content type, charset or content encoding is none that is read."),
            "429": {
                **failure("The client has sent more than it may."),
                "headers": {"Retry-After": {"schema": {"type": "integer"}}},
            },
            "500": failure("A defect of the service; its log has more."),
            "503": failure("No event is stored; send them again after `Retry-After` seconds."),
            "504": failure("Events may or may not be stored; sending again may repeat them."),
        },
    }
}


def _beacon(path: str) -> dict[str, Any]:
    def operation(method: str) -> dict[str, Any]:
        name = path.strip("/").replace("/", "_").replace(".", "_")
        body = {"requestBody": {"content": {"application/json": {"schema": _CAPSULES}}}}
        return {
            "tags": ["events"],
            "summary": "Send one EventCapsule of old EventLogging clients",
            "description": "The whole query string is one percent-encoded JSON object, usually "
            "ended by `;`. The body of a POST is read if there is no query.",
            "operationId": f"{method}_{name}",
            "responses": {
                "204": {"description": "Always, whatever became of the event."},
                "405": failure("The method is none of GET, HEAD and POST."),
            },
            **(body if method == "post" else {}),
        }

    return {method: operation(method) for method in ("get", "head", "post")}


def describe(app: FastAPI) -> None:
    """Make the application's OpenAPI tell of all wires."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            spec = get_openapi(
                title=app.title,
                version=app.version,
                summary="Event stream intake: JSON events, checked by their schemas, into streams.",
                license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
                routes=app.routes,
            )
            wires = {"/v1/events": _EVENTS, **{path: _beacon(path) for path in PATHS}}
            spec["paths"] = wires | spec["paths"]
            for operations in spec["paths"].values():
                for operation in operations.values():
                    operation["responses"].pop("422", None)  # our parameters are texts: any will do
            components = spec.setdefault("components", {})
            components.setdefault("schemas", {})[FAILURES] = _FAILURES
            components["securitySchemes"] = _SECURITY
            app.openapi_schema = spec
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend it
