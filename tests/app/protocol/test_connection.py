import asyncio
import gc
import weakref

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from app.protocol import MAX_HEAD, MAX_URL


def post(body, path=b"/hot", *more):
    lines = (b"content-length: %d" % len(body), *more)
    return b"POST %b HTTP/1.1\r\nhost: x\r\n%b\r\n\r\n%b" % (path, b"\r\n".join(lines), body)


def chunked(*parts, path=b"/hot", trailer=b""):
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (*parts,))
    head = b"POST %b HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n" % path
    return head + chunks + b"0\r\n" + trailer + b"\r\n"


def bodies(written):
    """Return the body of each answer, all of which say their length."""
    found = []
    while written:
        head, _, written = written.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 "), head
        length = next(
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.startswith(b"content-length:")
        )
        found.append(written[:length])
        written = written[length:]
    return found


async def test_what_comes_whole_for_a_hot_path_does_not_go_through_asgi(made, app, settled):
    connection = made()

    connection.data_received(post(b"abc", b"/hot?a=1&b=%20"))
    await settled(connection)

    assert bodies(connection.transport.written) == [b"abc"]
    assert app.through_asgi == []
    ((scope, body),) = app.whole
    assert body == b"abc"
    assert scope["method"] == "POST"
    assert scope["path"] == "/hot"
    assert scope["query_string"] == b"a=1&b=%20"
    assert (b"host", b"x") in scope["headers"]


@pytest.mark.parametrize(
    "request_",
    [
        post(b"abc", b"/other"),
        post(b"abc", b"/hot/"),
        post(b"abc", b"/h%6ft"),
        post(b"abc", b"http://x/hot"),
        post(b"abc").replace(b"POST", b"PUT"),
        post(b"abc").replace(b"HTTP/1.1", b"HTTP/1.0"),
        post(b"abc", b"/hot", b"connection: upgrade", b"upgrade: x"),
    ],
    ids=["path", "slash", "escaped", "absolute", "method", "version", "upgrade"],
)
async def test_everything_else_does(made, app, settled, request_):
    connection = made()

    connection.data_received(request_)
    await settled(connection)

    assert app.whole == []
    assert len(app.through_asgi) == 1


async def test_a_body_of_which_a_part_is_still_to_come_goes_through_asgi(made, app, settled):
    connection = made()
    whole = post(b"abcdef", b"/hot?q", b"expect: 100-continue")

    connection.data_received(whole[:-3])
    await asyncio.sleep(0)
    connection.data_received(whole[-3:])
    await settled(connection)

    ((scope, body),) = app.through_asgi
    assert body == b"abcdef"
    assert (scope["path"], scope["query_string"]) == ("/hot", b"q")
    go_on, _, answer = connection.transport.written.partition(b"\r\n\r\n")
    assert go_on == b"HTTP/1.1 100 Continue"
    assert bodies(answer) == [b"abcdef"]


async def test_answers_have_the_order_of_their_requests(made, app, settled):
    connection = made()
    app.may_answer.clear()

    connection.data_received(post(b"1") + post(b"2", b"/other") + post(b"3") + chunked(b"4", b"5"))
    await asyncio.sleep(0)
    assert connection.transport.written == b""
    app.may_answer.set()
    await settled(connection)

    assert bodies(connection.transport.written) == [b"1", b"2", b"3", b"45"]


async def test_a_trailer_does_not_pass_for_a_header(made, app, settled):
    connection = made()

    connection.data_received(chunked(b"a", trailer=b"authorization: admin\r\n"))
    connection.data_received(chunked(b"a", path=b"/other", trailer=b"authorization: admin\r\n"))
    await settled(connection)

    for scope, _ in (*app.whole, *app.through_asgi):
        assert b"authorization" not in dict(scope["headers"])


async def test_blanks_around_a_headers_value_are_none_of_it(made, app, settled):
    connection = made()

    connection.data_received(post(b"a", b"/hot", b"x:  a b \t "))
    await settled(connection)

    assert (b"x", b"a b") in app.whole[0][0]["headers"]


@pytest.mark.parametrize("version", [b"1.0", b"1.1"])
async def test_a_connection_ends_with_the_answer_if_the_client_says_so(made, settled, version):
    connection = made()

    connection.data_received(
        post(b"a", b"/hot", b"connection: close").replace(b"1.1\r\n", version + b"\r\n")
    )
    await settled(connection)

    assert b"connection: close\r\n" in connection.transport.written
    assert connection.transport.is_closed


async def test_a_client_that_has_left_gets_no_answer(made, app, settled):
    connection = made()
    app.may_answer.clear()
    connection.data_received(post(b"a"))
    await asyncio.sleep(0)

    connection.connection_lost(None)
    app.may_answer.set()
    await asyncio.gather(*connection.tasks)

    assert connection.transport.written == b""


async def test_stopping_lets_a_request_have_its_answer_and_closes(made, app, settled):
    busy, idle = made(), made()
    app.may_answer.clear()
    busy.data_received(post(b"a"))
    await asyncio.sleep(0)

    for connection in (busy, idle):
        connection.shutdown()
    assert idle.transport.is_closed
    assert not busy.transport.is_closed
    app.may_answer.set()
    await settled(busy)

    assert b"connection: close\r\n" in busy.transport.written
    assert busy.transport.is_closed


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_however_bytes_arrive_the_answers_are_the_same(made, settled, data):
    body = st.binary(max_size=300)
    path = st.sampled_from((b"/hot", b"/other", b"/hot?x=y"))
    requests = data.draw(
        st.lists(
            st.one_of(
                st.tuples(body, st.builds(post, body, path)),
                st.tuples(body, body).map(lambda pair: (b"".join(pair), None)),
            ),
            min_size=1,
            max_size=5,
        )
    )
    expected, stream = [], b""
    for content, request_ in requests:
        if request_ is None:
            stream += chunked(*(part for part in (content[:7], content[7:]) if part))
            expected.append(content)
        else:
            stream += request_
            expected.append(request_.partition(b"\r\n\r\n")[2])
    cuts = sorted(data.draw(st.sets(st.integers(0, len(stream)), max_size=20)))
    connection = made()

    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        connection.data_received(stream[start:end])
        if data.draw(st.booleans()):
            await asyncio.sleep(0)
    await settled(connection)

    assert bodies(connection.transport.written) == expected
    async with asyncio.timeout(5):
        await asyncio.gather(*connection.tasks)


@pytest.mark.parametrize("is_busy", [False, True], ids=["alone", "behind_another"])
@pytest.mark.parametrize(
    "nonsense",
    [b"nonsense\r\n\r\n", chunked(b"a")[:-9] + b"zz\r\n", post(b"a").replace(b"h: 1", b"h: x")],
    ids=["head", "body", "length"],
)
async def test_what_cannot_be_read_is_400_but_harms_no_request_before_it(
    made, app, settled, nonsense, is_busy
):
    connection = made()
    app.may_answer.clear()

    connection.data_received(post(b"good") * is_busy + nonsense)
    connection.data_received(b"more of it")
    await asyncio.sleep(0)
    app.may_answer.set()
    await settled(connection)

    assert connection.transport.is_closed
    if is_busy:
        assert bodies(connection.transport.written) == [b"good"]
        assert b"connection: close\r\n" in connection.transport.written
    else:
        assert connection.transport.written.startswith(b"HTTP/1.1 400 ")
    assert b"nonsense" not in {body for _, body in app.whole}


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /" + b"a" * MAX_URL + b" HTTP/1.1\r\n\r\n", b"414"),
        (b"GET / HTTP/1.1\r\nx: " + b"a" * MAX_HEAD + b"\r\n\r\n", b"431"),
        (b"GET / HTTP/1.1\r\n" + b"x: y\r\n" * (MAX_HEAD // 5), b"431"),
    ],
    ids=["url", "header", "headers"],
)
async def test_a_head_that_is_too_large_is_refused(made, head, status):
    connection = made()

    connection.data_received(head)

    assert connection.transport.written.startswith(b"HTTP/1.1 %b " % status)
    assert connection.transport.is_closed


async def test_a_line_of_a_head_that_never_ends_is_refused(made):
    connection = made()
    connection.data_received(b"GET / HTTP/1.1\r\nx: ")

    for _ in range((MAX_HEAD + MAX_URL) // 4_096 + 1):
        connection.data_received(b"a" * 4_096)

    assert connection.transport.written.startswith(b"HTTP/1.1 431 ")


async def test_a_large_body_before_a_part_of_a_head_is_no_large_head(made, settled):
    connection = made()

    connection.data_received(post(b"a" * (MAX_HEAD + MAX_URL)) + post(b"b")[:30])
    connection.data_received(post(b"b")[30:])
    await settled(connection)

    assert [len(body) for body in bodies(connection.transport.written)] == [MAX_HEAD + MAX_URL, 1]


async def test_a_head_that_does_not_come_in_time_is_408(made):
    connection = made(header_timeout=20)
    begun = asyncio.get_running_loop().time()
    connection.data_received(b"GET / HTTP/1.1\r\nhost:")

    connection.look(begun + 19)
    assert connection.transport.written == b""
    connection.look(begun + 22)

    assert connection.transport.written.startswith(b"HTTP/1.1 408 ")
    assert connection.transport.is_closed


async def test_a_connection_that_says_nothing_is_closed(made):
    connection = made(header_timeout=20)

    connection.look(connection.idle_since + 19)
    assert not connection.transport.is_closed
    connection.look(connection.idle_since + 21)

    assert connection.transport.is_closed
    assert connection.transport.written == b""


async def test_between_requests_a_connection_may_be_idle_for_longer(made, settled):
    connection = made(header_timeout=20, idle_timeout=75)
    connection.data_received(post(b"a"))
    await settled(connection)

    connection.look(connection.idle_since + 74)
    assert not connection.transport.is_closed
    connection.look(connection.idle_since + 76)

    assert connection.transport.is_closed


async def test_a_request_in_work_is_not_idle(made, app, settled):
    connection = made(idle_timeout=75)
    app.may_answer.clear()
    connection.data_received(post(b"a"))

    connection.look(connection.idle_since + 1_000)
    app.may_answer.set()
    await settled(connection)

    assert bodies(connection.transport.written) == [b"a"]
    assert not connection.transport.is_closed


async def test_a_client_that_does_not_take_in_its_answer_is_cut(made):
    connection = made(write_timeout=30, min_rate=100)
    connection.transport.unsent = 1_000

    for now in (0, 20, 39):
        connection.look(now)
        assert not connection.transport.is_aborted
    connection.look(41)

    assert connection.transport.is_aborted


async def test_one_that_takes_it_in_fast_enough_is_not(made):
    connection = made(write_timeout=30, min_rate=100)

    for now in range(0, 200, 10):
        connection.transport.unsent = max(0, 5_000 - 100 * now)
        connection.look(now)

    assert not connection.transport.is_aborted


async def test_without_a_least_rate_only_standing_still_counts(made):
    connection = made(write_timeout=30, min_rate=0)

    for now in range(0, 1_000, 20):
        connection.transport.unsent = 5_000 - now
        connection.look(now)
        assert not connection.transport.is_aborted
    connection.look(1_020)

    assert connection.transport.is_aborted


async def test_a_closed_connection_that_keeps_its_answer_is_cut_too(made):
    connection = made(write_timeout=30)
    connection.transport.unsent = 10
    connection.transport.close()

    connection.look(0)
    connection.look(31)

    assert connection.transport.is_aborted


async def test_where_there_are_too_many_those_idle_for_the_longest_make_room(made, app, settled):
    app.may_answer.clear()
    state = ServerState()
    busy = made(state, max_connections=3)
    busy.data_received(post(b"a"))
    old, new = made(state, max_connections=3), made(state, max_connections=3)
    new._since = old.idle_since + 1

    newest = made(state, max_connections=3)

    closed = [each.transport.is_closed for each in (busy, old, new, newest)]
    assert closed == [False, True, False, False]
    app.may_answer.set()
    await settled(busy)


async def test_a_connection_that_ended_leaves_nothing_to_the_garbage_collector(made, settled):
    connection = made()
    connection.data_received(post(b"a") + post(b"b", b"/other"))
    await settled(connection)
    connection.connection_lost(None)
    ended = weakref.ref(connection)
    gc.disable()
    try:
        del connection
        await asyncio.sleep(0)

        assert ended() is None
    finally:
        gc.enable()
