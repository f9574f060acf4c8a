"""Script in whatever a stranger can write: no answer of the service is a page that holds it."""

import html
import json
from urllib.parse import quote

import httpx
import pytest

from tests.abuse.corpora.wires import CAPSULE_NAME, SCHEMA_URI, STREAM, settings
from tests.support import served

pytestmark = pytest.mark.slow

SCRIPTS = {
    "an element": "<script>owned()</script>",
    "out of an attribute": "\"'><img src=x onerror=owned()>",
    "out of a style": "</style></title></textarea><svg onload=owned()>",
    "out of a script": "</script><script>owned()</script>",
    "a page": "<!doctype html><html><body onload=owned()>",
    "an address": "javascript:owned()",
    "a template": "{{constructor.constructor('owned()')()}}${owned()}<%= owned() %>",
    "UTF-7": "+ADw-script+AD4-owned()+ADw-/script+AD4-",
    "characters alike": "\uff1cscript\uff1eowned()\u2039/script\u203a",
    "with NUL": "<scr\x00ipt>owned()</scr\x00ipt>",
    "a comment": "<!--><script>owned()</script>-->",
    "XML": '<?xml version="1.0"?><x xmlns="http://www.w3.org/1999/xhtml"><script>owned()</script></x>',
}
PAGES = ["/docs", "/?doc"]
POLICY = {
    "default-src": "'none'",
    "style-src": "'unsafe-inline'",
    "base-uri": "'none'",
    "form-action": "'none'",
}
HARMLESS = {"application/json", "application/yaml", "text/plain", "text/plain; charset=utf-8"}


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    """A service whose schema and stream have script in them, too."""
    folder = tmp_path_factory.mktemp("scripts")
    made = settings(folder)
    schema = folder / "schemas" / "corpus" / "any" / "1.0.0.yaml"
    document = json.loads(schema.read_text())
    document |= {"description": "".join(SCRIPTS.values()), "examples": [{"x": SCRIPTS["a page"]}]}
    schema.write_text(json.dumps(document))
    streams = json.loads((folder / "streams.yaml").read_text())
    streams[STREAM]["description"] = SCRIPTS["a page"]
    (folder / "streams.yaml").write_text(json.dumps(streams))
    (folder / "sluiceway.yaml").write_text(json.dumps(made))
    with served(folder, "--config", "sluiceway.yaml") as service:
        yield service
        assert "Traceback" not in (folder / "stderr.txt").read_text()


@pytest.fixture
def client(service):
    with httpx.Client(base_url=service.url, timeout=20) as client:
        yield client


def bodies(text):
    """Events and capsules, good and bad, with a text in each place that a stranger writes to."""
    good = {"$schema": SCHEMA_URI, "meta": {"stream": STREAM}}
    yield good | {"value": text, text: text}
    yield good | {"meta": {"stream": STREAM, "id": text, "domain": 7, "uri": text}, text: text}
    yield good | {"meta": {"stream": text}}
    yield {"$schema": text, "meta": {"stream": STREAM}}
    yield {"$schema": f"/{text}/1.0.0", "meta": {"stream": STREAM}}
    yield {"schema": text, "event": {text: text}}
    yield {"schema": CAPSULE_NAME, "event": {text: text}, "webHost": text}
    yield {text: text}
    yield text


def check(answer):
    """An answer with a body says of itself that it is no page, and browsers may not guess."""
    if answer.content:
        assert answer.headers["content-type"] in HARMLESS
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert answer.headers["x-frame-options"] == "SAMEORIGIN"
    assert "owned" not in str(answer.headers)


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_answer_to_an_event_is_a_page(client, name):
    for body in bodies(SCRIPTS[name]):
        for sent in (body, [body, body]):
            for accepted in ("text/html", "application/xhtml+xml", "*/*"):
                content = json.dumps(sent)
                check(client.post("/v1/events", content=content, headers={"accept": accepted}))
        check(client.post("/beacon/event", json=body))
        check(client.get(f"/beacon/event?{quote(json.dumps(body))};"))


@pytest.mark.parametrize("name", SCRIPTS)
def test_no_answer_to_an_address_is_a_page(client, name):
    text = SCRIPTS[name]
    for path in ("/v1/schemas/", "/v1/stream-configs/", "/_info/", "/", "/v1/events/", "/beacon/"):
        for raw in (quote(text, safe=""), quote(text)):
            answer = client.get(path + raw, headers={"accept": "text/html", "referer": path + raw})

            check(answer)
            assert answer.status_code in {200, 404}
            client.post(f"/v1/events?hasty={raw}", content=b"{}")


@pytest.mark.parametrize("accepted", ["text/html", "application/yaml", "text/html, */*"])
def test_script_in_a_schema_or_a_stream_is_shown_as_data(client, accepted):
    schema = client.get(f"/v1/schemas{SCHEMA_URI}", headers={"accept": accepted})
    streams = client.get("/v1/stream-configs", headers={"accept": accepted})

    for answer in (schema, streams):
        assert answer.status_code == 200
        assert "owned()" in answer.text  # it is there, as it was written
        check(answer)


@pytest.mark.parametrize("path", PAGES)
def test_the_page_holds_nothing_of_a_strangers_and_may_run_nothing(client, path):
    for text in SCRIPTS.values():
        for body in bodies(text):
            client.post("/v1/events", content=json.dumps(body))
    glue = "&" if "?" in path else "?"

    answers = [client.get(path)]
    answers += [
        client.get(
            f"{path}{glue}{quote(text)}", headers={"referer": quote(text), "cookie": quote(text)}
        )
        for text in SCRIPTS.values()
    ]

    assert len({answer.content for answer in answers}) == 1
    page = answers[0]
    directives = dict(
        part.split(maxsplit=1) for part in page.headers["content-security-policy"].split("; ")
    )
    assert directives == POLICY
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    for word in ("owned", "<script", "onerror=", "onload=", "javascript:", "<iframe", "<form"):
        assert word not in html.unescape(page.text).lower()
