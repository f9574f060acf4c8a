import asyncio

import pytest

from app.protocol import Exchange
from app.web.asgi import headers_of
from app.web.replies import CLOSE, CREATED, NO_CONTENT, Reply, plain_failure
from app.web.whole import WholeBody, write_reply


class Owner:
    """A connection that keeps what is written to it."""

    default_headers = ((b"date", b"today"),)

    def __init__(self):
        self.written = b""
        self.is_closed = False
        self.went_on = 0
        self.transport = self
        self.flow = self
        self.write_paused = False
        self.may_write = asyncio.Event()

    def write(self, data):
        self.written += data

    def close(self):
        self.is_closed = True

    def on_response_complete(self):
        self.went_on += 1

    async def drain(self):
        await self.may_write.wait()


@pytest.fixture
async def owner():
    return Owner()


@pytest.fixture
def exchange(owner):
    return Exchange(owner, {}, b"", keep_alive=True)


@pytest.mark.parametrize("beside", [(), ((b"x-request-id", b"a-7"),)], ids=["nothing", "an_id"])
@pytest.mark.parametrize(
    "reply",
    [CREATED, NO_CONTENT, Reply(204, b"", (CLOSE,)), plain_failure(400, "No.", ((b"a", b"b"),))],
    ids=["created", "no_content", "closing", "failure"],
)
async def test_an_answer_is_what_asgi_would_send(owner, exchange, reply, beside):
    status = await write_reply(exchange, reply, beside)

    head, _, body = owner.written.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    told = [tuple(line.split(b": ", 1)) for line in lines]
    assert status == reply.status
    assert first.startswith(b"HTTP/1.1 %d " % reply.status)
    assert sorted(told) == sorted([(b"date", b"today"), *headers_of(reply, beside)])
    assert body == reply.body
    assert owner.is_closed is (CLOSE in reply.headers)
    assert exchange.response_complete
    assert owner.went_on == 1


@pytest.mark.parametrize("reply", [CREATED, plain_failure(400, "No.")])
@pytest.mark.parametrize("value", [b"a\r\nx: y", b"a\nb", b"a\x00"])
async def test_no_header_has_a_line_of_its_own(owner, exchange, reply, value):
    with pytest.raises(ValueError, match="control character"):
        await write_reply(exchange, reply, ((b"x-request-id", value),))

    assert owner.written == b""


async def test_it_waits_until_the_client_has_taken_in_enough(owner, exchange):
    owner.write_paused = True
    writing = asyncio.create_task(write_reply(exchange, CREATED, ()))
    await asyncio.sleep(0)
    assert owner.written == b""

    owner.may_write.set()

    assert await writing == 201
    assert owner.written


async def test_a_whole_body_is_what_asgi_would_tell():
    body = WholeBody(b"abc")

    assert await body() == {"type": "http.request", "body": b"abc", "more_body": False}
