"""Script in the fields of events, opened in a browser: nothing of it runs on our origin."""

import json
from urllib.parse import quote

import pytest

from tests.support import until

SCRIPTS = [
    "<script>window.owned = true</script>",
    "\"'><img src=x onerror='window.owned = true'>",
    "<!doctype html><html><body onload='window.owned = true'>",
    "</pre></style></title><svg onload='window.owned = true'>",
]
EVENT = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": 7,
}
# A form of another site takes its visitors to our answer: what they see is on our origin.
SUBMIT = """{
  const form = document.createElement("form");
  const field = document.createElement("input");
  Object.assign(form, {action: %s, method: "POST", enctype: "text/plain"});
  Object.assign(field, {type: "hidden", name: %s, value: %s});
  form.append(field);
  document.body.append(form);
  form.submit();
}"""


def seen(page):
    """What the page is, as the browser took it: its type, its text, and whether a script ran."""
    return page.run("[document.contentType, document.body.innerText, window.owned === true]")


@pytest.mark.parametrize("text", SCRIPTS)
def test_an_answer_that_repeats_an_event_runs_nothing(open_page, service, text):
    page = open_page()
    # A form in plain text is sent as "name=value": the equals sign ends up in a string.
    before, _, after = json.dumps(EVENT | {"note": f"{text}="}).partition("=")
    address = f"{service.url}/v1/events"

    page.start(SUBMIT % (json.dumps(address), json.dumps(before), json.dumps(after)))
    until(lambda: page.run("location.href") == address)
    until(lambda: page.run("document.readyState") == "complete")

    kind, shown, owned = seen(page)
    assert kind == "application/json"
    assert "schema_violation" in shown
    assert "window.owned" in shown
    assert not owned


@pytest.mark.parametrize("text", SCRIPTS)
@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/v1/schemas/", "application/json"),
        ("/v1/stream-configs/", "application/json"),
        ("/_info/", "application/json"),
        ("/docs?", "text/html"),
        ("/?doc&", "text/html"),
        ("/docs#", "text/html"),
    ],
)
def test_an_address_with_script_in_it_runs_nothing(open_page, service, path, wanted, text):
    page = open_page()

    page.go(f"{service.url}{path}{quote(text, safe='')}")

    kind, _, owned = seen(page)
    assert kind == wanted
    assert not owned


def test_on_the_page_not_even_a_script_that_got_there_would_run(open_page, service):
    page = open_page()
    page.go(f"{service.url}/docs")

    page.run(
        """new Promise((done) => {
          document.addEventListener("securitypolicyviolation", (event) => done(event.blockedURI));
          const script = document.createElement("script");
          script.textContent = "window.owned = true";
          document.body.append(script);
        })"""
    )

    assert seen(page)[2] is False
