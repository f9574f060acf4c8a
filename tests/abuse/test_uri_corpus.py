"""Every URI of the corpus wherever a URI may stand: refused, and nothing is opened or asked."""

import json
import os
import socket
import sys
from contextlib import contextmanager
from urllib.parse import quote

import pytest

from app.protocol import MAX_URL
from tests.abuse.corpora.uris import URIS
from tests.abuse.corpora.wires import SCHEMA_URI, STREAM, settings

CASES = [pytest.param(uri, id=f"{uri.group}: {uri.name}") for uri in URIS]
SECRET = '{"title": "corpus/any", "$id": "/outside/1.0.0", "description": "secret"}'


class Watch:
    """Remembers which files Python opens and to whom it connects, while it is asked to."""

    def __init__(self):
        self.on = False
        self.seen: list[tuple[str, str]] = []
        sys.addaudithook(self._heard)  # for good: there is no way to take it back

    def _heard(self, event, arguments):
        if not self.on:
            return
        if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
            name = os.fsdecode(arguments[0])
            if not name.endswith(".py"):  # the interpreter reads its own, for tracebacks
                self.seen.append((event, name))
        elif event in {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname"}:
            self.seen.append((event, str(arguments)))

    @contextmanager
    def watching(self):
        self.seen.clear()
        self.on = True
        try:
            yield
        finally:
            self.on = False


@pytest.fixture(scope="module")
def watch():
    return Watch()


@pytest.fixture(scope="module")
def trap():
    """A port where somebody listens; at the end nobody may have knocked."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.setblocking(False)
        yield listening.getsockname()[1]
        with pytest.raises(BlockingIOError):
            listening.accept()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A repository with links that lead out of it, beside a file that nobody may read."""
    folder = tmp_path_factory.mktemp("uris")
    made = settings(folder)
    outside = folder / "outside"
    outside.mkdir()
    (outside / "1.0.0").write_text(SECRET)
    repository = folder / "schemas"
    (repository / "linked").symlink_to(outside)
    for name in ("file", "text", "circle", "device", "pipe"):
        (repository / "links" / name).mkdir(parents=True)
    links = repository / "links"
    (links / "file" / "1.0.0").symlink_to(outside / "1.0.0")
    (links / "text" / "1.0.0").write_text("../../../outside/1.0.0")
    (links / "circle" / "1.0.0").symlink_to(links / "circle" / "1.0.0")
    (links / "device" / "1.0.0").symlink_to("/dev/zero")
    os.mkfifo(links / "pipe" / "1.0.0")
    (repository / ".hidden").mkdir()
    (repository / ".hidden" / "1.0.0").write_text(SECRET)
    return folder, made


@pytest.fixture
async def client(serving, folder):
    _, made = folder
    http = {"stream_query_param": "stream", "schema_uri_query_param": "schema_uri"}
    async with serving(**made, http=http) as client:
        yield client


def check_nothing_left_the_repository(watch, folder):
    repository = str((folder[0] / "schemas").resolve())
    for event, what in watch.seen:
        assert event == "open", what
        assert os.path.realpath(what).startswith(repository + os.sep), what


@pytest.mark.parametrize("uri", CASES)
async def test_a_uri_in_an_event_leads_nowhere(client, folder, watch, trap, uri):
    text = uri.text.format(trap=trap)
    meta = {"stream": STREAM}
    raw = quote(text, safe="")
    sent = [
        ("/v1/events", {"$schema": text, "meta": meta}, uri.reason),
        ("/v1/events", {"meta": {"schema_uri": text, "topic": STREAM}}, uri.eventbus),
        ("/v1/events", {"$schema": SCHEMA_URI, "meta": {"stream": text}}, "unknown_stream"),
        (f"/v1/events?stream={raw}", {"$schema": SCHEMA_URI}, "unknown_stream"),
        (f"/v1/events?schema_uri={raw}", {"meta": meta}, uri.reason),
    ]

    with watch.watching():
        answers = [
            (await client.post(url, content=json.dumps(event)), reason)
            for url, event, reason in sent
            if len(url) < MAX_URL
        ]

    for answer, reason in answers:
        if reason == "stored":
            assert answer.status_code == 201
            continue
        (told,) = answer.json()["invalid"] + answer.json()["error"]
        assert told["reason"] == reason
        assert answer.status_code == (503 if reason == "schema_unavailable" else 400)
    assert {event["$schema"] for event in client.journal.stored} <= {SCHEMA_URI}
    check_nothing_left_the_repository(watch, folder)


@pytest.mark.parametrize("uri", CASES)
async def test_a_uri_behind_the_route_of_schemas_leads_nowhere(client, folder, watch, trap, uri):
    text = uri.text.format(trap=trap)
    paths = {
        quote(path, safe=safe)
        for path in (text, text.removeprefix("/"))
        for safe in ("", "/:@", "%/:@?#;")
    }

    with watch.watching():
        answers = [await client.get(f"/v1/schemas/{p}") for p in paths if len(p) < MAX_URL - 100]

    for answer in answers:
        # What a client takes for a query or a fragment may stand behind a schema that is there.
        if answer.status_code == 200:
            assert answer.json()["$id"] == SCHEMA_URI
        else:
            assert answer.status_code in {404, 503 if uri.reason == "schema_unavailable" else 404}
        assert "secret" not in answer.text
    check_nothing_left_the_repository(watch, folder)


@pytest.mark.parametrize("uri", CASES)
async def test_a_uri_in_a_schema_leads_nowhere(serving, tmp_path, watch, trap, uri):
    made = settings(tmp_path)
    text = uri.text.format(trap=trap)
    place = tmp_path / "schemas" / "corpus" / "any"
    reference = {"title": "corpus/any", "type": "object", "properties": {"value": {"$ref": text}}}
    named = {"title": "corpus/any", "$schema": text, "type": "object"}
    (place / "2.0.0.yaml").write_text(json.dumps(reference))
    (place / "3.0.0.yaml").write_text(json.dumps(named))
    events = [
        {"$schema": f"/corpus/any/{version}", "meta": {"stream": STREAM}, "value": 1}
        for version in ("2.0.0", "3.0.0")
    ]

    async with serving(**made) as client:
        with watch.watching():
            answers = [await client.post("/v1/events", json=event) for event in events]

        # A reference may well lead to a place in the repository, or to a meta-schema.
        for answer, event in zip(answers, events, strict=True):
            assert answer.status_code in {201, 400, 503}, event
            assert "secret" not in answer.text
        check_nothing_left_the_repository(watch, (tmp_path, made))


def test_the_watch_sees_what_it_is_for(watch, tmp_path):
    (tmp_path / "file").write_text("")
    with socket.create_server(("127.0.0.1", 0)) as listening, watch.watching():
        (tmp_path / "file").read_text()
        os.close(os.open(tmp_path / "file", os.O_RDONLY))
        socket.create_connection(listening.getsockname()).close()

    assert [event for event, _ in watch.seen if event != "socket.getaddrinfo"] == [
        "open",
        "open",
        "socket.connect",
    ]


def test_the_corpus_is_as_large_as_it_says():
    assert len(URIS) >= 80
    assert len({uri.text for uri in URIS}) == len(URIS)
