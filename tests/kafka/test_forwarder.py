"""The forwarder as an instrument: what passes, what waits and what is lost."""

import contextlib
import socket
import threading
import time

import pytest

from tests.kafka.forwarder import Forwarder
from tests.support import until


class Echo:
    """Answers every connection with its own bytes, and remembers them."""

    def __init__(self, greeting=b""):
        self.heard = b""
        self.greeting = greeting
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self):
        with self.server:
            while True:
                connection, _ = self.server.accept()
                with connection, contextlib.suppress(ConnectionError):
                    connection.sendall(self.greeting)
                    while chunk := connection.recv(65536):
                        if chunk == b"stop":
                            return
                        self.heard += chunk
                        connection.sendall(chunk)

    def stop(self):
        with dial(self.port) as last:
            last.sendall(b"stop")
        self.thread.join()


@pytest.fixture
def echo():
    echo = Echo()
    yield echo
    echo.stop()


@pytest.fixture
def forwarder(echo):
    forwarder = Forwarder(echo.port)
    yield forwarder
    forwarder.close()


def dial(port):
    return socket.create_connection(("127.0.0.1", port), timeout=10)


def hear(connection, size):
    with connection.makefile("rb") as answers:
        return answers.read(size)


def test_bytes_pass_both_ways_unchanged(forwarder):
    sent = bytes(range(256)) * 4096
    with dial(forwarder.port) as connection:
        sender = threading.Thread(target=connection.sendall, args=(sent,))
        sender.start()

        assert hear(connection, len(sent)) == sent
        sender.join()


def test_an_end_on_one_side_is_an_end_on_the_other(forwarder):
    with dial(forwarder.port) as connection:
        connection.sendall(b"last words")
        connection.shutdown(socket.SHUT_WR)

        assert hear(connection, 100) == b"last words"
    until(lambda: forwarder.connections == 0)


def test_held_requests_arrive_when_they_are_released(forwarder, echo):
    with dial(forwarder.port) as connection:
        forwarder.hold()
        connection.sendall(b"waits")
        until(lambda: forwarder.held == 5)
        assert echo.heard == b""

        forwarder.release()

        assert hear(connection, 5) == b"waits"
        assert forwarder.held == 0


def test_an_answer_is_missing_while_the_request_was_heard(forwarder, echo):
    with dial(forwarder.port) as connection:
        forwarder.hold(requests=False)
        connection.sendall(b"heard")
        until(lambda: forwarder.held == 5)
        assert echo.heard == b"heard"

        forwarder.release()

        assert hear(connection, 5) == b"heard"


def test_what_is_held_in_a_connection_that_is_cut_is_lost(forwarder, echo):
    with dial(forwarder.port) as connection:
        forwarder.hold()
        connection.sendall(b"lost")
        until(lambda: forwarder.held == 4)

        forwarder.cut()
        forwarder.release()

        assert connection.recv(1) == b""
    with dial(forwarder.port) as connection:
        connection.sendall(b"new")
        assert hear(connection, 3) == b"new"
    assert echo.heard == b"new"
    assert forwarder.held == 0


def test_delay_is_added_each_way_and_to_all_bytes_alike(forwarder):
    forwarder.delay = 0.1
    with dial(forwarder.port) as connection:
        connection.sendall(b"a")
        began = time.monotonic()
        connection.sendall(b"b")

        assert hear(connection, 2) == b"ab"
        assert time.monotonic() - began >= 0.19


def test_new_connections_go_to_the_target_of_the_moment(forwarder):
    other = Echo(greeting=b"other")
    try:
        with dial(forwarder.port) as old:
            old.sendall(b"1")
            assert hear(old, 1) == b"1"

            forwarder.target = other.port
            with dial(forwarder.port) as new:
                assert hear(new, 5) == b"other"
            old.sendall(b"2")
            assert hear(old, 1) == b"2"
    finally:
        other.stop()


def test_a_target_that_does_not_listen_closes_the_connection(forwarder):
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        forwarder.target = nobody.getsockname()[1]

        with dial(forwarder.port) as connection:
            assert connection.recv(1) == b""


def test_it_can_refuse(forwarder):
    forwarder.refusing = True

    with dial(forwarder.port) as connection:
        assert connection.recv(1) == b""


def test_a_closed_forwarder_listens_no_more(echo):
    forwarder = Forwarder(echo.port)

    forwarder.close()
    forwarder.close()

    with pytest.raises(ConnectionRefusedError):
        dial(forwarder.port)
