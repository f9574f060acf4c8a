"""What `sluiceway serve` says when it is ready: where it listens, and what to try."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

from app import __version__
from app.outlets import target_of
from app.service import DEMO
from app.settings import JsonlSinkSettings, Settings, SqliteSinkSettings


def writes_to_stdout(settings: Settings) -> bool:
    """Say whether events go to standard output."""
    return isinstance(settings.sink, JsonlSinkSettings) and settings.sink.path == "-"


def banner(settings: Settings, host: str, port: int) -> str:
    """Return what `sluiceway serve` prints: where it listens, where events go, what to try."""
    address = _url(_ANY.get(host, host), port)
    lines = [
        f"Sluiceway {__version__} listens on {_url(host, port)}",
        f"Events go to   {target_of(settings)}",
        f"Documentation  {address}/docs",
    ]
    if settings.demo:
        events = json.loads((DEMO / "events.json").read_text())
        lines += [
            "",
            "No schemas and streams are configured: this is the demo. A good event (201):",
            "",
            _curl(address, events["good"][0]),
            "",
            "A bad one (400, and the answer says what is wrong):",
            "",
            _curl(address, events["bad"][0]),
            "",
            "One of an old EventLogging client (always 204):",
            "",
            f"  curl -i '{address}/beacon/event?{quote(json.dumps(_CAPSULE))};'",
            "",
        ]
        if isinstance(settings.sink, SqliteSinkSettings):
            lines += [f"What was stored:  {_command()} log", ""]
    return "\n".join(lines)


def _url(host: str, port: int) -> str:
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


# A listener on all addresses is asked at this machine's own: a wildcard cannot be connected to.
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 (nothing is bound here)
_CAPSULE = {"schema": "DemoButtonClick", "revision": 1, "wiki": "demo", "event": {"button": "save"}}


def _command() -> str:
    """Return how this command line can be typed here."""
    if shutil.which("sluiceway"):
        return "sluiceway"
    return os.path.relpath(Path(sys.executable).parent / "sluiceway")


def _curl(address: str, event: Any) -> str:
    return (
        f"  curl -i {address}/v1/events -H 'content-type: application/json' \\\n"
        f"    -d '{json.dumps(event)}'"
    )
