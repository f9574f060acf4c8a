"""Lines of old logs for tests, and an intake on a service that runs the demo."""

import json
from contextlib import asynccontextmanager
from urllib.parse import quote

import pytest

from app.consuming.intake import Intake
from app.consuming.lines import Line
from app.consuming.tally import Tally
from app.service import open_service
from app.settings import Settings
from app.sinks.memory import MemorySink
from legacy.logline import PRODUCTION


def text_of(number, *, button="save", columns="cp1\t{}\t2018-03-04T05:06:07\t192.0.2.1\t-"):
    capsule = {
        "schema": "DemoButtonClick",
        "revision": number,
        "wiki": "demo",
        "event": {"button": button},
    }
    return f"?{quote(json.dumps(capsule))};\t{columns.format(number)}".encode()


def line(number, **facts):
    return Line(text_of(number, **facts), "line", number)


@pytest.fixture
def intake():
    """Open an intake on a memory sink; `answers` are what it says, as for MemorySink."""

    @asynccontextmanager
    async def intake(answer=None, *, form=PRODUCTION, pauses=(0.0,), **settings):
        sink = MemorySink(answer=answer)
        async with open_service(Settings(**settings), sink=sink) as service:
            opened = Intake(service, form, Tally(), pauses=pauses)
            opened.sink = sink
            yield opened

    return intake
