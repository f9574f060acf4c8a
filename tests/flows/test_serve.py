"""The service as a process: starting, stopping, several workers, being killed."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.supervisor import STEADY
from tests.support import SLUICEWAY, environment, served, sluiceway, until

pytestmark = pytest.mark.slow

GOOD = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}


def test_it_starts_within_3_seconds_and_says_what_to_try(tmp_path):
    started = time.monotonic()
    with served(tmp_path) as service:
        elapsed = time.monotonic() - started
        assert service.stop() == 0
        printed = service.output + service.process.stdout.read()

    assert elapsed < 3
    assert "sqlite ./sluiceway.db" in printed
    assert len(re.findall(r"^  curl ", printed, re.MULTILINE)) == 3
    assert (tmp_path / "sluiceway.db").exists()


def test_the_printed_commands_do_what_they_say(tmp_path):
    with served(tmp_path) as service:
        printed = ""
        while "What was stored:" not in printed:
            printed += service.process.stdout.readline()
        commands = re.findall(r"^  (curl .*?[^\\])$", printed, re.MULTILINE | re.DOTALL)
        answers = [
            subprocess.run(
                ["bash", "-c", command], capture_output=True, text=True, check=True
            ).stdout
            for command in commands
        ]
        statuses = [answer.split()[1] for answer in answers]
        log = service.log()

    assert statuses == ["201", "400", "204"]
    assert [row["stream"] for row in log] == [
        "demo.button.click",
        "sluiceway.error",
        "eventlogging_DemoButtonClick",
    ]


def test_sigterm_makes_it_unready_lets_requests_finish_and_ends_it(tmp_path):
    with served(tmp_path, SLUICEWAY_HTTP__DRAIN_DELAY="3") as service:
        half = half_sent(service.url, json.dumps(GOOD).encode())
        service.process.send_signal(signal.SIGTERM)
        until(lambda: service.get("/readyz")[0] == 503)
        half.sendall(b"}")
        answer = half.recv(1000)
        half.close()

        assert b" 201 " in answer
        assert service.process.wait(10) == 0
        assert len(service.log()) == 1


def test_a_client_that_never_finishes_cannot_keep_it_from_ending(tmp_path):
    with served(tmp_path, SLUICEWAY_HTTP__GRACE_PERIOD="2") as service:
        half = half_sent(service.url, json.dumps(GOOD).encode())
        asked = time.monotonic()
        service.process.send_signal(signal.SIGTERM)

        service.process.wait(10)

        assert time.monotonic() - asked < 3
        assert b" 503 " in half.recv(1000)
        assert "Traceback" not in (tmp_path / "stderr.txt").read_text()
        half.close()


def half_sent(url, body):
    """A connection on which all but the last byte of a request has been sent."""
    host, port = url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)), timeout=10)
    head = f"POST /v1/events HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body[:-1])
    time.sleep(0.2)  # until the server has read it
    return connection


def totals(service):
    """The accepted events that workers tell of, asked ten times."""
    texts = {service.get("/metrics")[1] for _ in range(10)}
    return {
        float(line.split()[-1])
        for text in texts
        for line in text.decode().splitlines()
        if line.startswith('sluiceway_events_total{reason="accepted"')
    }


def test_several_workers_share_the_work_the_log_and_the_metrics(tmp_path):
    with served(tmp_path, "--workers", "2") as service:
        for _ in range(100):
            assert service.post([GOOD, GOOD])[0] == 201
        # What one worker counted, another tells a moment later.
        until(lambda: totals(service) == {200.0})
        until(lambda: b"\nsluiceway_ready 2.0\n" in service.get("/metrics")[1])
        assert len(service.log("--limit", "1000")) == 200
        assert service.stop() == 0


def test_a_killed_worker_is_replaced(tmp_path):
    with served(tmp_path, "--workers", "2") as service:
        before = workers_of(service.process.pid)
        assert len(before) == 2
        os.kill(before[0], signal.SIGKILL)

        until(lambda: len(set(workers_of(service.process.pid)) - set(before)) == 1)

        for _ in range(20):
            assert service.post(GOOD)[0] == 201
        assert service.stop() == 0


def workers_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_after_kill_9_every_event_that_was_answered_201_is_in_the_log(tmp_path, workers):
    told: list[str] = []
    stop = threading.Event()

    def load(name, service):
        number = 0
        while not stop.is_set():
            ids = [f"{name}-{number}-{i}" for i in range(5)]
            number += 1
            batch = [GOOD | {"meta": GOOD["meta"] | {"id": event_id}} for event_id in ids]
            try:
                if service.post(batch)[0] == 201:
                    told.extend(ids)
            except OSError:
                return

    with served(tmp_path, "--workers", workers) as service:
        threads = [threading.Thread(target=load, args=(n, service)) for n in range(8)]
        for thread in threads:
            thread.start()
        until(lambda: len(told) > 500)
        for pid in [*(workers_of(service.process.pid) if workers == "2" else [])]:
            os.kill(pid, signal.SIGKILL)
        os.kill(service.process.pid, signal.SIGKILL)
        service.process.wait()
        stop.set()
        for thread in threads:
            thread.join()
        stored = [row["event"]["meta"]["id"] for row in service.log("--limit", "1000000")]

    assert len(told) > 500
    assert set(told) <= set(stored)
    assert len(stored) == len(set(stored))
    print(f"\nkill -9 with {workers} workers: told {len(told)}, stored {len(stored)}, lost 0")


def test_a_port_that_is_taken_is_said_plainly(tmp_path):
    with served(tmp_path) as service:
        port = service.url.rsplit(":", 1)[1]
        done = sluiceway(tmp_path, "serve", "--port", port)

    assert done.returncode == 2
    assert "Cannot listen" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_what_is_configured_wrongly_is_all_said_at_once(tmp_path, workers):
    (tmp_path / "settings.yaml").write_text(
        "schemas: {base_uris: [./nowhere]}\nstreams: {uri: ./nothing.yaml}\n"
        "legacy: {mapping: ./no-mapping.yaml}\n"
    )
    done = sluiceway(
        tmp_path, "serve", "--config", "settings.yaml", "--port", "0", "--workers", workers
    )

    assert done.returncode == 2
    assert "no-mapping.yaml" in done.stderr
    assert "nothing.yaml" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("sig", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM, signal.SIGINT])
def test_without_their_supervisor_workers_end_too(tmp_path, sig):
    with served(tmp_path, "--workers", "2") as service:
        workers = workers_of(service.process.pid)
        assert len(workers) == 2

        service.process.send_signal(sig)

        service.process.wait(10)
        until(lambda: not any(alive(pid) for pid in workers))


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def test_a_worker_that_cannot_start_again_does_not_take_the_others_down(tmp_path):
    (tmp_path / "schemas").mkdir()
    (tmp_path / "streams.yaml").write_text("a.b: {schema_title: a/b}")
    (tmp_path / "settings.yaml").write_text(
        "schemas: {base_uris: [./schemas]}\nstreams: {uri: ./streams.yaml}\n"
    )
    with served(tmp_path, "--workers", "2", "--config", "settings.yaml") as service:
        time.sleep(STEADY + 1)  # until the workers count as having come to stay
        (tmp_path / "streams.yaml").write_text("nonsense")
        killed, other = workers_of(service.process.pid)
        os.kill(killed, signal.SIGKILL)

        until(lambda: said(tmp_path))

        assert service.get("/healthz")[0] == 200
        assert alive(other)
        (tmp_path / "streams.yaml").write_text("a.b: {schema_title: a/b}")
        until(lambda: len(workers_of(service.process.pid)) == 2)
        assert service.process.poll() is None


def said(folder):
    return re.findall("streams.yaml", (folder / "stderr.txt").read_text().partition("died")[2])


def test_sigterm_while_it_still_starts_ends_it_quietly(tmp_path):
    process = subprocess.Popen(
        [*SLUICEWAY, "serve", "--port", "0"],
        cwd=tmp_path,
        env=environment(SLUICEWAY_HTTP__DRAIN_DELAY="0"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    # Once its log is there it is in the middle of starting.
    until(lambda: (tmp_path / "sluiceway.db").exists() or process.poll() is not None)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=20)

    assert process.returncode == 0
    assert "Traceback" not in errors


def test_a_request_cut_off_while_it_is_stored_is_told_that_nobody_knows(tmp_path):
    limits = {"SLUICEWAY_HTTP__GRACE_PERIOD": "3", "SLUICEWAY_HTTP__DRAIN_DELAY": "0"}
    with served(tmp_path, **limits) as service, ThreadPoolExecutor() as threads:
        assert service.post([GOOD])[0] == 201
        holder = sqlite3.connect(tmp_path / "sluiceway.db", isolation_level=None)
        holder.execute("BEGIN EXCLUSIVE")
        asked = threads.submit(service.post, [GOOD | {"button": "victim"}])
        until(lambda: b"\nsluiceway_pending_body_bytes 0.0\n" not in service.get("/metrics")[1])

        service.process.send_signal(signal.SIGTERM)
        status, answer = asked.result(20)
        holder.execute("ROLLBACK")
        holder.close()
        service.process.wait(20)

    assert status == 504
    assert json.loads(answer)["error"][0]["reason"] == "unknown_delivery"
