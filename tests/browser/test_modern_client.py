"""Modern clients in a real browser: batches by fetch and by beacon, and what the page learns."""

import json

import pytest

from tests.browser.naughty import CHARACTERS, STRINGS

STREAM = "demo.button.click"
SCHEMA = "/demo/button/click/1.0.0"
ODD_VALUES = """{
    integers: [0, -0, 9007199254740991, -9007199254740991],
    doubles: [0.1, 1e21, 5e-324, 1.7976931348623157e308, -1.5],
    lost: [NaN, Infinity, undefined],
    left_out: undefined,
    date: new Date(86400000.5),
    deep: { a: [{ b: { "": [[], {}, null, true] } }] },
    "naughty key \\u{1f600} + % ; \\" '": "\\u0000",
    __proto_: 1
}"""


@pytest.fixture
def modern_page(open_page, service, site):
    """Open a page with a modern client in `client`."""

    def modern_page(*, path="/v1/events", origin=site.origin, **options):
        page = open_page(origin)
        arguments = f"{json.dumps(service.url + path)}, {json.dumps(options)}"
        page.run(f"void (globalThis.client = new ModernClient({arguments}))")
        return page

    return modern_page


def queued(page, events):
    """Queue events, and return what the page says they are."""
    log = f"client.log({json.dumps(STREAM)}, {json.dumps(SCHEMA)}, fields)"
    return page.run(f"{json.dumps(events)}.map((fields) => {log})")


def as_sent(event):
    """Return a stored event without what the service has set."""
    kept = {name: value for name, value in event.items() if name != "http"}
    return kept | {"meta": {"stream": event["meta"]["stream"]}}


def test_a_fetched_batch_is_stored_field_by_field_and_the_page_sees_201(
    modern_page, service, arrived
):
    page = modern_page()
    sent = queued(page, [{"button": "save", "count": n} for n in range(1, 6)])

    answer = page.run("client.flush()")

    assert answer == {"status": 201, "failures": None}
    stored = arrived(5)
    assert [as_sent(event) for event in stored] == sent
    for event in stored:
        assert set(event) == {*sent[0], "http"}
        assert set(event["meta"]) == {"stream", "dt", "id", "request_id"}
        assert event["http"] == {"client_ip": "127.0.0.1"}
    preflight, post = sorted(page.exchanges(service.url, count=2), key=lambda e: e.method)
    assert (preflight.method, preflight.status) == ("OPTIONS", 204)
    assert (post.method, post.status) == ("POST", 201)


@pytest.mark.parametrize(("path", "status"), [("/v1/events", 201), ("/v1/events?hasty=true", 202)])
def test_a_beacon_of_text_is_stored_field_by_field_without_a_preflight(
    path, status, modern_page, service, arrived
):
    page = modern_page(path=path)
    sent = queued(page, [{"button": "save"}, {"button": "undo"}])

    page.run("client.leave()")
    (exchange,) = page.exchanges(service.url, count=1)

    assert (exchange.method, exchange.kind, exchange.status) == ("POST", "Ping", status)
    assert exchange.headers["Content-Type"] == "text/plain"
    assert [as_sent(event) for event in arrived(2)] == sent


def test_a_beacon_of_one_event_as_a_string_is_stored(modern_page, service, arrived):
    page = modern_page()
    (sent,) = queued(page, [{"button": "save"}])

    page.run("navigator.sendBeacon(client.url, JSON.stringify(client.take()[0]))")
    (exchange,) = page.exchanges(service.url, count=1)

    assert exchange.status == 201
    assert exchange.headers["Content-Type"] == "text/plain;charset=UTF-8"
    (stored,) = arrived(1)
    assert as_sent(stored) == sent


def test_a_full_batch_goes_at_once_and_the_rest_after_a_while(modern_page, arrived):
    page = modern_page(batchSize=3, wait=20)
    sent = queued(page, [{"button": f"b{n}"} for n in range(8)])

    stored = arrived(8)

    assert page.run("client.queue") == []
    answers = page.run("Promise.all(client.answers)")
    assert [answer["status"] for answer in answers] == [201] * 3
    assert sorted(map(as_sent, stored), key=lambda event: event["button"]) == sent


@pytest.mark.parametrize("way", ["flush", "leave"])
def test_every_text_arrives_as_it_was_sent(way, modern_page, arrived):
    page = modern_page(batchSize=1000)
    sent = queued(page, [{"button": "naughty", "text": text} for text in STRINGS])

    page.run(f"client.{way}()")

    stored = arrived(len(STRINGS))
    assert [as_sent(event) for event in stored] == sent
    assert [event["text"] for event in stored] == list(STRINGS)


def test_characters_of_every_kind_arrive(modern_page, arrived):
    page = modern_page()
    (sent,) = queued(page, [{"button": "all", "text": CHARACTERS}])

    answer = page.run("client.flush()")

    assert answer["status"] == 201
    (stored,) = arrived(1)
    assert as_sent(stored) == sent
    assert stored["text"] == CHARACTERS


def test_values_of_every_kind_arrive_as_javascript_writes_them(modern_page, arrived):
    page = modern_page()

    sent = page.run(
        f"JSON.stringify(client.log('{STREAM}', '{SCHEMA}', {{button: 'odd', odd: {ODD_VALUES}}}))"
    )
    page.run("client.flush()")

    (stored,) = arrived(1)
    assert as_sent(stored) == json.loads(sent)
    assert stored["odd"]["integers"] == [0, 0, 2**53 - 1, 1 - 2**53]
    assert stored["odd"]["lost"] == [None, None, None]
    assert stored["odd"]["date"] == "1970-01-02T00:00:00.000Z"


def test_half_a_surrogate_pair_costs_its_own_event_only_and_the_page_is_told_which(
    modern_page, arrived
):
    page = modern_page()
    sent = queued(page, [{"button": "a"}, {"button": "cut \ud83d"}, {"button": "b"}])

    answer = page.run("client.flush()")

    assert answer["status"] == 207
    (failure,) = answer["failures"]["invalid"]
    assert (failure["index"], failure["reason"]) == (1, "malformed")
    stored = arrived(3)
    assert [as_sent(e) for e in stored if e["meta"]["stream"] == STREAM] == [sent[0], sent[2]]
    (error,) = (e for e in stored if e["meta"]["stream"] != STREAM)
    assert (error["meta"]["stream"], error["reason"]) == ("sluiceway.error", "malformed")
    assert "cut \ufffd" in error["raw_event"]


def test_half_a_surrogate_pair_that_the_browser_replaces_arrives_replaced(modern_page, arrived):
    page = modern_page()
    json_by_hand = json.dumps(
        {"$schema": SCHEMA, "meta": {"stream": STREAM}, "button": "cut \ud83d"},
        ensure_ascii=False,
    )

    page.run(f"navigator.sendBeacon(client.url, {json.dumps(json_by_hand)})")

    (stored,) = arrived(1)
    assert stored["button"] == "cut \ufffd"


def test_the_page_is_told_what_is_wrong_with_its_events(modern_page, arrived):
    page = modern_page()
    (sent,) = queued(page, [{"button": True}])

    answer = page.run("client.flush()")

    assert answer["status"] == 400
    (failure,) = answer["failures"]["invalid"]
    assert (failure["reason"], failure["pointer"]) == ("schema_violation", "/button")
    assert failure["event"] == sent
    (error,) = arrived(1)
    assert error["meta"]["stream"] == "sluiceway.error"


def test_what_is_more_than_beacons_may_hold_goes_by_fetch(modern_page, service, arrived):
    page = modern_page(batchSize=1000)
    sent = queued(page, [{"button": f"{n:03}", "text": "x" * 1000} for n in range(150)])

    page.run("client.leave()")
    left = page.run("client.queue.length")
    answer = page.run("client.flush()")

    assert 80 < left < 150  # browsers take 64 KiB of beacons at a time
    assert answer["status"] == 201
    stored = sorted(arrived(150), key=lambda event: event["button"])
    assert [as_sent(event) for event in stored] == sent
