"""For operators and their tools: health, readiness, metrics, and what this service is."""

from fastapi import APIRouter, HTTPException
from fastapi.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response

from app.metrics import CONTENT_TYPE
from app.service import about
from app.web.internal import INTERNAL, IsInternal
from app.web.responses import RunningService, failure

router = APIRouter(tags=["operations"])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz", response_class=PlainTextResponse)
async def healthz() -> str:
    """Say that the process lives; never looks further."""
    return "ok\n"


@router.head("/readyz", include_in_schema=False)
@router.get(
    "/readyz",
    response_class=PlainTextResponse,
    responses={503: {"description": "Not now; the text says why."}},
)
async def readyz(service: RunningService, internal: IsInternal) -> Response:
    """Say whether requests should be sent here."""
    ok, detail = await service.ready()
    if not internal:  # why is nobody else's business: it may name hosts
        return PlainTextResponse("ok\n" if ok else "not ready\n", 200 if ok else 503)
    text = f"ok: {detail}" if ok and detail else detail or "ok"
    return PlainTextResponse(f"{text}\n", 200 if ok else 503)


@router.get("/metrics", response_class=PlainTextResponse, dependencies=INTERNAL)
async def metrics(service: RunningService) -> Response:
    """Return metrics in Prometheus' text format, of all workers."""
    await service.refresh_gauges()
    body = service.metrics.rendered()
    return Response(body, headers={"content-type": CONTENT_TYPE})


@router.get("/_info")
async def info(service: RunningService) -> JSONResponse:
    """Return the service's name, version, description and home page."""
    return JSONResponse(about(service.settings))


@router.get("/_info/home", status_code=301, response_class=RedirectResponse)
async def home() -> RedirectResponse:
    """Lead to the documentation."""
    return RedirectResponse("/?doc", 301)


@router.get("/_info/{fact}", responses={404: failure("There is no such fact.")})
async def fact(fact: str, service: RunningService) -> JSONResponse:
    """Return one of the facts of `/_info`: name, version, description or home."""
    facts = about(service.settings)
    if fact not in facts:
        raise HTTPException(404, f"There is no such fact; there are {', '.join(facts)}.")
    return JSONResponse({fact: facts[fact]})


@router.get("/robots.txt", response_class=PlainTextResponse)
async def robots() -> str:
    """Ask crawlers to stay away."""
    return "User-agent: *\nDisallow: /\n"
