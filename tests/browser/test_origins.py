"""Pages of other origins: what a browser lets them send, and what it lets them read."""

import json

import pytest

from tests.browser.arrivals import Arrivals
from tests.browser.page import ScriptError
from tests.support import served

EVENT = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}
CAPSULE = "%7B%22schema%22%3A%22DemoButtonClick%22%2C%22event%22%3A%7B%22button%22%3A%22a%22%7D%7D;"


def fetched(page, url, **options):
    """What a page sees of the answer to a fetch: its type, and its status if it may know it."""
    script = f"fetch({json.dumps(url)}, {json.dumps(options)})"
    return tuple(page.run(f"{script}.then((answer) => [answer.type, answer.status])"))


def posted(page, service, *, kind="application/json", **options):
    """Post the event from a page, and return what it sees of the answer."""
    return fetched(
        page,
        f"{service.url}/v1/events",
        method="POST",
        headers={"content-type": kind},
        body=json.dumps(EVENT),
        **options,
    )


@pytest.fixture(scope="module")
def shut(chromium, tmp_path_factory):
    """A service that lists no origins."""
    with served(tmp_path_factory.mktemp("shut")) as shut:
        yield shut


@pytest.fixture(params=["not listed", "none listed"])
def unlisted(request, open_page, site):
    """A page, a service that does not let it read, and what arrives there."""
    others_are_listed = request.param == "not listed"
    service = request.getfixturevalue("service" if others_are_listed else "shut")
    page = open_page(site.other_origin if others_are_listed else site.origin)
    return page, service, Arrivals(service)


def test_a_page_of_a_listed_origin_reads_the_statuses(open_page, service, arrived):
    page = open_page()

    assert posted(page, service) == ("cors", 201)
    assert posted(page, service, kind="text/plain") == ("cors", 201)
    assert fetched(page, f"{service.url}/beacon/event?{CAPSULE}") == ("cors", 204)
    assert fetched(page, f"{service.url}/v1/events", method="POST", body="{}") == ("cors", 400)
    assert [event["meta"]["stream"] for event in arrived(4)] == [
        "demo.button.click",
        "demo.button.click",
        "eventlogging_DemoButtonClick",
        "sluiceway.error",
    ]


def test_a_page_of_a_listed_origin_reads_whose_lines_of_the_log_to_ask_for(open_page, service):
    page = open_page()
    request = f"fetch('{service.url}/v1/events', {{method: 'POST', body: '{{}}'}})"

    told = page.run(f"{request}.then((answer) => answer.headers.get('x-request-id'))")

    assert told


def test_a_page_of_another_origin_cannot_read_and_what_needs_permission_is_not_sent(unlisted):
    page, service, arrived = unlisted

    with pytest.raises(ScriptError, match="Failed to fetch"):
        posted(page, service)

    preflight, post = sorted(page.exchanges(service.url, count=2), key=lambda e: e.method)
    assert (preflight.method, preflight.status) == ("OPTIONS", 204)
    assert (post.method, post.status, post.failure) == ("POST", None, "net::ERR_FAILED")
    assert arrived(0) == []


def test_a_page_of_any_origin_sends_beacons_and_plain_text_all_the_same(unlisted):
    page, service, arrived = unlisted
    url = json.dumps(f"{service.url}/v1/events")

    assert page.run(f"navigator.sendBeacon({url}, {json.dumps(json.dumps(EVENT))})")
    assert page.run(f"navigator.sendBeacon('{service.url}/beacon/event?{CAPSULE}')")
    assert posted(page, service, kind="text/plain", mode="no-cors") == ("opaque", 0)

    statuses = [each.status for each in page.exchanges(service.url, count=3)]
    assert statuses == [201, 204, 201]
    assert len(arrived(3)) == 3


def test_an_answer_to_a_request_with_cookies_is_not_for_any_page(open_page, service, arrived):
    page = open_page()

    with pytest.raises(ScriptError, match="Failed to fetch"):
        posted(page, service, kind="text/plain", credentials="include")

    assert len(arrived(1)) == 1


def test_a_beacon_of_json_is_stopped_by_the_browser_since_it_would_bring_cookies(
    open_page, service, arrived
):
    page = open_page()
    body = f"new Blob([{json.dumps(json.dumps(EVENT))}], {{type: 'application/json'}})"

    taken = page.run(f"navigator.sendBeacon('{service.url}/v1/events', {body})")
    preflight, beacon = sorted(page.exchanges(service.url, count=2), key=lambda e: e.method)

    assert taken is True  # the page is not told
    assert (preflight.method, preflight.status) == ("OPTIONS", 204)
    assert (beacon.method, beacon.status, beacon.failure) == ("POST", None, "net::ERR_FAILED")
    assert arrived(0) == []
