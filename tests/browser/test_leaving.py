"""Pages that are left while they send: what the browser was given arrives all the same."""

import json
import os
import signal
from contextlib import contextmanager

import pytest

from tests.browser.page import Page

OLD, MODERN = "eventlogging_DemoButtonClick", "demo.button.click"
EVENTS = [{"button": f"button {n}", "count": n + 1} for n in range(20)]


@pytest.fixture
def page(open_page, service):
    """A page with an old client and a modern one, whose batches are never full."""
    page = open_page()
    url = json.dumps(service.url)
    page.run(f"void (globalThis.old = new OldClient({url}, 'mediawiki-2020', {{wiki: 'demo'}}))")
    page.run(
        f"void (globalThis.modern = new ModernClient({url} + '/v1/events',"
        " {batchSize: 1000, wait: 1e9}))"
    )
    return page


@contextmanager
def standstill(service):
    """A service that accepts connections, and does nothing with them until the end of the block."""
    os.kill(service.process.pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(service.process.pid, signal.SIGCONT)


def queue(page):
    log = f"modern.log('{MODERN}', '/demo/button/click/1.0.0', event)"
    return page.run(f"{json.dumps(EVENTS)}.map((event) => {log})")


def go_elsewhere(page):
    page.go("about:blank")


@pytest.mark.parametrize("leave", [Page.close, go_elsewhere, Page.hide])
def test_what_a_page_has_queued_arrives_when_it_is_left(leave, page, arrived):
    sent = queue(page)

    leave(page)

    stored = arrived(len(EVENTS))
    assert [event["button"] for event in stored] == [event["button"] for event in sent]
    assert [event["dt"] for event in stored] == [event["dt"] for event in sent]


@pytest.mark.parametrize("leave", [Page.close, go_elsewhere])
def test_beacons_arrive_though_their_page_was_gone_before_the_service_looked_at_them(
    leave, page, service, arrived
):
    queued = queue(page)

    # More beacons than browsers open connections: most of them, the queue's too, have to wait.
    with standstill(service):
        page.start(f"for (const event of {json.dumps(EVENTS)}) old.log('DemoButtonClick', event);")
        leave(page)

    stored = arrived(2 * len(EVENTS))
    old = (event["event"] for event in stored if event["meta"]["stream"] == OLD)
    modern = (event for event in stored if event["meta"]["stream"] == MODERN)
    assert sorted(old, key=lambda event: event["count"]) == EVENTS
    assert [event["button"] for event in modern] == [event["button"] for event in queued]


def test_a_page_that_is_hidden_and_then_left_sends_nothing_twice(page, service, arrived):
    sent = queue(page)

    page.hide()
    page.exchanges(service.url, count=1)
    page.go("about:blank")

    assert len(page.exchanges(service.url, count=1)) == 1
    assert len(arrived(len(EVENTS))) == len(sent)
