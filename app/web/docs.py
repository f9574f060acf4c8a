"""The root: the OpenAPI document (`/?spec`), and a page made of it (`/?doc`, `/docs`).

The page is plain HTML made here: no script, nothing fetched from elsewhere, a strict CSP.
"""

import json
from html import escape
from typing import Any

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

router = APIRouter(include_in_schema=False)

CSP = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"

STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code, pre { font-family: ui-monospace, monospace; font-size: .9em; }
pre { overflow-x: auto; padding: .75rem; border: 1px solid #8884; border-radius: .4rem; }
section { border-top: 1px solid #8884; padding: .5rem 0; }
h2 { font-size: 1.05rem; margin: .5rem 0; }
b { display: inline-block; min-width: 3.5rem; color: #2a7a4b; }
td { padding: .1rem .75rem .1rem 0; vertical-align: top; }
"""


@router.get("/")
async def root(request: Request) -> Response:
    """Answer `/?spec` with the OpenAPI document and `/?doc` with the page."""
    if "spec" in request.query_params:
        return JSONResponse(request.app.openapi())
    if "doc" in request.query_params:
        return docs_page(request.app.openapi())
    raise HTTPException(404, "There is nothing here; /?doc describes this service.")


@router.get("/docs")
async def docs(request: Request) -> Response:
    """Answer with the page."""
    return docs_page(request.app.openapi())


def docs_page(spec: dict[str, Any]) -> Response:
    """Return the page that describes an OpenAPI document."""
    info = spec["info"]
    sections = "".join(
        _operation(method, path, operation)
        for path, operations in spec["paths"].items()
        for method, operation in operations.items()
    )
    shapes = escape(json.dumps(spec.get("components", {}).get("schemas", {}), indent=2))
    page = (
        f'<!doctype html><html lang="en"><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(info['title'])}</title><style>{STYLE}</style>"
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>"
        f"<p>{escape(info.get('summary', ''))} The same for programs: "
        f'<a href="/?spec">OpenAPI</a>.</p>'
        f"{sections}<section><h2>Shapes</h2><pre>{shapes}</pre></section></html>"
    )
    return HTMLResponse(page, headers={"content-security-policy": CSP})


def _operation(method: str, path: str, operation: dict[str, Any]) -> str:
    about = escape(operation.get("description") or operation.get("summary") or "")
    rows = "".join(
        f"<tr><td><code>{escape(code)}</code></td><td>{escape(answer['description'])}</td></tr>"
        for code, answer in operation.get("responses", {}).items()
    )
    return (
        f"<section><h2><b>{escape(method.upper())}</b> <code>{escape(path)}</code></h2>"
        f"<p>{about}</p><table>{rows}</table></section>"
    )
