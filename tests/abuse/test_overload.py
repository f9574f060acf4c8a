"""More than can be done: some requests are turned away early, so that the others are done in time.

A client cannot tell a worker that is overloaded from a machine that is busy with other tests, so
what is compared is the same load on the same service, with admission and without.
"""

import json
import subprocess
import sys
import time
from contextlib import contextmanager

import pytest

from tests.support import ROOT, environment, served

pytestmark = pytest.mark.slow

CLIENTS = 300
EVENTS = 200
SECONDS = 8


def loaded(service):
    """Put the load on a service; return what clients were told, and looks at it meanwhile."""
    clients = subprocess.Popen(
        [
            *(sys.executable, "-m", "tests.abuse.overload"),
            *(service.url, str(CLIENTS), str(EVENTS), str(SECONDS)),
        ],
        cwd=ROOT,
        env=environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    looks = []
    began = time.monotonic()
    while time.monotonic() - began < SECONDS - 1:
        for path in ("/readyz", "/metrics"):
            asked = time.monotonic()
            status, _ = service.get(path)
            looks.append((path, status, time.monotonic() - asked))
        time.sleep(0.2)
    output, _ = clients.communicate(timeout=60)
    assert clients.returncode == 0
    return json.loads(output), looks


@contextmanager
def under_load(folder, max_queue_time):
    with served(folder, SLUICEWAY_HTTP__MAX_QUEUE_TIME=max_queue_time) as service:
        told, looks = loaded(service)
        yield service, told, looks


@pytest.fixture(scope="module")
def with_admission(tmp_path_factory):
    with under_load(tmp_path_factory.mktemp("admitting"), "0.1") as seen:
        time.sleep(3)  # the share that is turned away takes its time to fall
        yield seen


@pytest.fixture(scope="module")
def without_admission(tmp_path_factory):
    with under_load(tmp_path_factory.mktemp("taking_all"), "0") as seen:
        yield seen


def part(seconds, share):
    return seconds[int(len(seconds) * share)]


def test_some_are_told_early_to_come_back_and_the_rest_is_stored(with_admission):
    _, told, _ = with_admission

    assert told["statuses"].keys() == {"201", "503"}
    assert told["statuses"]["201"] > 100
    assert told["bad"] == 0, "a 503 without its reason or without Retry-After"
    assert part(told["refused"], 0.5) < part(told["stored"], 0.5)


def test_what_is_admitted_is_done_sooner_than_if_all_were(with_admission, without_admission):
    _, admitted, _ = with_admission
    _, all_of_them, _ = without_admission

    assert all_of_them["statuses"].keys() == {"201"}
    assert part(admitted["stored"], 0.5) < 0.85 * part(all_of_them["stored"], 0.5)
    assert part(admitted["stored"], 0.99) < part(all_of_them["stored"], 0.99)


def test_readiness_and_metrics_are_served_throughout(with_admission):
    _, _, looks = with_admission

    assert len(looks) > 6
    assert {status for _, status, _ in looks} == {200}
    assert max(seconds for *_, seconds in looks) < 6


def test_every_event_that_was_told_201_is_stored_and_no_other(with_admission):
    service, told, _ = with_admission

    stored = {row["event"]["meta"]["id"] for row in service.log("--stream", "demo.button.click")}

    assert stored == set(told["ids"])


def test_afterwards_all_is_taken_and_the_metrics_say_what_was(with_admission):
    service, told, _ = with_admission
    event = {
        "$schema": "/demo/button/click/1.0.0",
        "meta": {"stream": "demo.button.click"},
        "button": "save",
    }

    statuses = {service.post(event)[0] for _ in range(20)}
    metrics = service.get("/metrics")[1].decode()

    assert statuses == {201}
    assert f"sluiceway_requests_turned_away_total {told['statuses']['503']}.0" in metrics
