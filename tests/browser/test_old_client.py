"""Old clients in a real browser: what they say they sent is what is stored."""

import json

import pytest

from tests.browser.naughty import CHARACTERS, STRINGS

GENERATIONS = {
    "mediawiki-2013": ("GET", "/event.gif", ";"),
    "mediawiki-2015": ("POST", "/beacon/event", ";"),
    "mediawiki-2020": ("POST", "/beacon/event", ";"),
    "portal": ("GET", "/event.gif", ""),
    "app": ("POST", "/beacon/event", ""),
}
MAX_URL_SIZE = 2000
STREAM = "eventlogging_DemoButtonClick"
CAPSULE = ("event", "schema", "revision", "wiki", "webHost")
WITHOUT_BEACONS = {
    "missing": "delete Navigator.prototype.sendBeacon;",
    "refusing": "navigator.sendBeacon = () => false;",
    "throwing": "navigator.sendBeacon = () => { throw new TypeError('blocked'); };",
}


@pytest.fixture
def old_page(open_page, service):
    """Open a page with an old client in `client`."""

    def old_page(generation="mediawiki-2020", *, before=""):
        about = {"wiki": "demowiki", "revisions": {"DemoButtonClick": 12}}
        page = open_page(before=before)
        arguments = ", ".join(json.dumps(each) for each in (service.url, generation, about))
        page.run(f"void (globalThis.client = new OldClient({arguments}))")
        return page

    return old_page


def logged(page, events, *, schema="DemoButtonClick"):
    """Log events one after the other, and return what the page says of each."""
    arguments = f"{json.dumps(schema)}, event"
    return page.run(f"Promise.all({json.dumps(events)}.map((event) => client.log({arguments})))")


def capsule_of(event):
    """What of a stored event the client has sent."""
    return {name: event[name] for name in CAPSULE if name in event}


@pytest.mark.parametrize("generation", GENERATIONS)
def test_an_event_of_each_generation_is_stored_field_by_field(
    generation, old_page, service, arrived
):
    method, path, end = GENERATIONS[generation]
    page = old_page(generation)

    (sent,) = logged(page, [{"button": "save all", "count": 3}])
    (exchange,) = page.exchanges(service.url, count=1)

    assert (exchange.method, exchange.url) == (method, sent["url"])
    assert exchange.url.startswith(f"{service.url}{path}?%7B")
    assert exchange.url.endswith(f"%7D{end}")
    assert exchange.status == 204
    (stored,) = arrived(1)
    set_by_us = {name: stored["meta"].pop(name) for name in ("dt", "id", "request_id")}
    domain = {"domain": host} if (host := sent["capsule"].get("webHost")) else {}
    assert stored == sent["capsule"] | {
        "$schema": "/demo/legacy/buttonclick/1.0.0",
        "meta": {"stream": STREAM} | domain,
        "dt": set_by_us["dt"],
        "client_dt": set_by_us["dt"],
        "recvFrom": stored["recvFrom"],
        "http": {
            "client_ip": "127.0.0.1",
            "request_headers": {"user-agent": page.run("navigator.userAgent")},
        },
    }


@pytest.mark.parametrize("generation", ["mediawiki-2013", "mediawiki-2020", "portal"])
def test_every_text_arrives_as_it_was_sent(generation, old_page, service, arrived):
    page = old_page(generation)

    sent = logged(page, [{"button": text, "count": n} for n, text in enumerate(STRINGS, 1)])
    page.exchanges(service.url, count=len(STRINGS))

    stored = sorted(arrived(len(STRINGS)), key=lambda event: event["event"]["count"])
    assert [capsule_of(event) for event in stored] == [each["capsule"] for each in sent]
    assert [event["event"]["button"] for event in stored] == list(STRINGS)


def test_characters_of_every_kind_arrive(old_page, service, arrived):
    page = old_page("mediawiki-2013")
    texts = [CHARACTERS[at : at + 5000] for at in range(0, len(CHARACTERS), 5000)]
    events = [{"button": text, "count": n} for n, text in enumerate(texts, 1)]

    logged(page, events)
    page.exchanges(service.url, count=len(events))

    stored = arrived(len(events))
    assert sorted((each["event"] for each in stored), key=lambda e: e["count"]) == events


@pytest.mark.parametrize("hindrance", WITHOUT_BEACONS)
def test_where_there_is_no_beacon_an_image_brings_the_event(hindrance, old_page, service, arrived):
    page = old_page(before=WITHOUT_BEACONS[hindrance])

    (sent,) = logged(page, [{"button": "a;b+c%"}])
    (exchange,) = page.exchanges(service.url, count=1)

    assert sent["by"] == "image"
    assert (exchange.method, exchange.kind, exchange.status) == ("GET", "Image", 204)
    (stored,) = arrived(1)
    assert capsule_of(stored) == sent["capsule"]


@pytest.mark.parametrize("generation", ["mediawiki-2013", "mediawiki-2020"])
def test_the_same_event_twice_is_stored_twice(generation, old_page, service, arrived):
    page = old_page(generation)

    (first,) = logged(page, [{"button": "save"}])
    # Browsers ask once for an image that is wanted twice at a time; our answer must not be kept.
    page.run("client.image?.decode().catch(() => 'it is no image')")
    (second,) = logged(page, [{"button": "save"}])
    page.exchanges(service.url, count=2)

    assert first == second
    stored = arrived(2)
    assert [capsule_of(event) for event in stored] == [first["capsule"]] * 2
    assert stored[0]["meta"]["id"] != stored[1]["meta"]["id"]


def test_the_client_sends_no_url_beyond_its_limit_and_the_limit_itself_arrives(
    old_page, service, arrived
):
    page = old_page("mediawiki-2020")
    empty = len(page.run("client.url(client.capsule('DemoButtonClick', {button: ''}))"))
    longest = "x" * (MAX_URL_SIZE - empty)

    refused = page.run(
        f"client.log('DemoButtonClick', {{button: '{longest}x'}}).catch((error) => error.message)"
    )
    (sent,) = logged(page, [{"button": longest}])
    (exchange,) = page.exchanges(service.url, count=1)

    assert refused == "urlSize"
    assert page.run("client.errors") == {"urlSize": 1}
    assert len(exchange.url) == MAX_URL_SIZE
    (stored,) = arrived(1)
    assert capsule_of(stored) == sent["capsule"]


def test_a_client_without_a_limit_gets_through_whole_or_not_at_all(old_page, service, arrived):
    page = old_page("app")

    sent, _ = logged(page, [{"button": "x" * 60_000}, {"button": "x" * 70_000}])
    exchanges = page.exchanges(service.url, count=2)

    assert sorted(each.status for each in exchanges) == [204, 414]
    (stored,) = arrived(1)
    assert capsule_of(stored) == sent["capsule"]


def test_half_a_surrogate_pair_is_told_on_the_error_stream(old_page, service, arrived):
    page = old_page()

    (sent,) = logged(page, [{"button": "cut \ud83d"}])
    (exchange,) = page.exchanges(service.url, count=1)

    assert sent["capsule"]["event"] == {"button": "cut \ud83d"}
    assert "%5Cud83d" in exchange.url  # JSON.stringify escapes it, so that a URL can hold it
    assert exchange.status == 204
    (error,) = arrived(1)
    assert (error["meta"]["stream"], error["reason"]) == ("sluiceway.error", "malformed")
    assert error["raw_event"] == exchange.url.partition("?")[2]


def test_half_a_surrogate_pair_that_the_browser_replaces_arrives_replaced(
    old_page, service, arrived
):
    page = old_page()
    json_by_hand = (
        '{"schema":"DemoButtonClick","revision":12,"wiki":"demowiki",'
        '"webHost":"127.0.0.1","event":{"button":"cut \ud83d, whole \U0001f600 <100%> \'a\'"}}'
    )

    page.run(f"client.send({json.dumps(service.url + '/beacon/event?' + json_by_hand)})")
    (exchange,) = page.exchanges(service.url, count=1)

    assert "%EF%BF%BD" in exchange.url
    (stored,) = arrived(1)
    assert stored["event"] == {"button": "cut \ufffd, whole \U0001f600 <100%> 'a'"}


def test_no_client_sees_that_its_event_was_refused_but_the_error_stream_tells(
    old_page, service, arrived
):
    page = old_page()

    logged(page, [{"button": 7}])
    logged(page, [{"button": "save"}], schema="Unheard")
    exchanges = page.exchanges(service.url, count=2)

    assert [each.status for each in exchanges] == [204, 204]
    errors = sorted(arrived(2), key=lambda event: event["reason"])
    assert [error["reason"] for error in errors] == ["schema_violation", "unmapped_schema"]
    assert [error["meta"]["stream"] for error in errors] == ["sluiceway.error"] * 2
    violated, unmapped = (json.loads(error["raw_event"]) for error in errors)
    assert violated["event"] == {"button": 7}
    assert (unmapped["schema"], unmapped["revision"]) == ("Unheard", -1)
