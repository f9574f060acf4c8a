import asyncio

import pytest

from app.web import guard as module
from app.web.guard import ClientGone, Guard, Refusal
from app.web.whole import WholeBody

NOTHING_SAID = {}.get


def guard_of(**limits):
    return Guard(**{"max_body_size": 100, "max_pending_size": 150, "timeout": 5} | limits)


def arriving(*parts, every=0.0, end=True):
    """Return ASGI's receive for a body that arrives in parts, one after some seconds each."""
    messages = [{"type": "http.request", "body": part, "more_body": True} for part in parts]
    if end:
        messages.append({"type": "http.request"})

    async def receive():
        await asyncio.sleep(every)
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    return receive


@pytest.mark.parametrize("receive", [WholeBody(b"abcd"), arriving(b"ab", b"cd")], ids=["1", "2"])
async def test_what_is_read_counts_as_in_work_until_it_is_let_go(receive):
    guard = guard_of()

    with guard.hold() as held:
        body = await guard.read(NOTHING_SAID, receive, held)
        pending = guard.pending

    assert body == b"abcd"
    assert pending == 4
    assert guard.pending == 0


@pytest.mark.parametrize(
    "receive", [WholeBody(b"a" * 101), arriving(b"a" * 60, b"a" * 41)], ids=["1", "2"]
)
async def test_a_body_over_the_limit_is_too_large(receive):
    guard = guard_of()

    with pytest.raises(Refusal) as refused, guard.hold() as held:
        await guard.read(NOTHING_SAID, receive, held)

    assert refused.value.error.reason == "too_large"
    assert guard.pending == 0


@pytest.mark.parametrize(
    "receive", [WholeBody(b"a" * 80), arriving(b"a" * 60, b"a" * 20)], ids=["1", "2"]
)
async def test_where_there_is_no_room_for_it_a_body_is_refused(receive):
    guard = guard_of()

    with guard.hold() as other, guard.hold() as held:
        other.add(100)
        with pytest.raises(Refusal) as refused:
            await guard.read(NOTHING_SAID, receive, held)

    assert refused.value.error.reason == "overloaded"
    assert guard.pending == 0


async def test_a_body_that_does_not_end_in_time_is_408():
    guard = guard_of(timeout=0.01)

    with pytest.raises(Refusal, match=r"within 0\.01 s") as refused, guard.hold() as held:
        await guard.read(NOTHING_SAID, arriving(b"a", end=False), held)

    assert refused.value.status == 408
    assert guard.pending == 0


async def test_a_body_that_trickles_in_is_408(monkeypatch):
    monkeypatch.setattr(module, "SLOW_START", 0.05)
    guard = guard_of(min_rate=1_000)
    began = asyncio.get_running_loop().time()

    with pytest.raises(Refusal, match="too slowly") as refused, guard.hold() as held:
        await guard.read(NOTHING_SAID, arriving(*[b"a"] * 100, every=0.02), held)

    assert refused.value.status == 408
    assert refused.value.error.expected == "at least 1000 bytes per second"
    assert asyncio.get_running_loop().time() - began < 1


async def test_what_arrived_early_buys_time_for_the_rest(monkeypatch):
    monkeypatch.setattr(module, "SLOW_START", 0.01)
    guard = guard_of(min_rate=100)

    with guard.hold() as held:
        body = await guard.read(NOTHING_SAID, arriving(b"a" * 90, b"b", every=0.005), held)

    assert body == b"a" * 90 + b"b"


async def test_without_a_least_rate_a_body_may_trickle_in(monkeypatch):
    monkeypatch.setattr(module, "SLOW_START", 0.0)
    guard = guard_of(min_rate=0)

    with guard.hold() as held:
        body = await guard.read(NOTHING_SAID, arriving(*[b"a"] * 5, every=0.005), held)

    assert body == b"aaaaa"


async def test_a_client_that_leaves_is_noticed():
    guard = guard_of()

    async def receive():
        return {"type": "http.disconnect"}

    with pytest.raises(ClientGone), guard.hold() as held:
        await guard.read(NOTHING_SAID, receive, held)


def arrays(count):
    return b"[" + b"[]," * count + b"[]]"


async def test_what_a_body_takes_once_it_is_read_counts_until_it_is_let_go():
    guard = guard_of(max_body_size=10**7, max_pending_size=10**8)
    body = arrays(90_000)

    with guard.hold() as held:
        await guard.read(NOTHING_SAID, WholeBody(body), held)
        pending = guard.pending

    assert pending > len(body) + 180_000 * 50
    assert guard.pending == 0


async def test_a_body_with_more_values_than_one_can_read_in_time_is_too_large():
    guard = guard_of(max_body_size=10**6, max_pending_size=10**8)

    with pytest.raises(Refusal) as refused, guard.hold() as held:
        await guard.read(NOTHING_SAID, WholeBody(arrays(100_000)), held)

    assert refused.value.error.reason == "too_large"
    assert "values" in str(refused.value.error)
    assert guard.pending == 0


async def test_commas_in_a_long_string_are_no_values():
    guard = guard_of(max_body_size=10**6, max_pending_size=10**8)
    body = rb'{"table": "\"' + b"1,2," * 150_000 + b'"}'

    with guard.hold() as held:
        assert await guard.read(NOTHING_SAID, WholeBody(body), held) == body


async def test_a_body_that_is_alone_has_room_whatever_it_takes_and_others_wait_for_it():
    guard = guard_of(max_body_size=10**7, max_pending_size=10**6)
    body = arrays(90_000)

    with guard.hold() as held:
        await guard.read(NOTHING_SAID, WholeBody(body), held)
        with pytest.raises(Refusal) as refused, guard.hold() as other:
            await guard.read(NOTHING_SAID, WholeBody(body), other)

    assert refused.value.error.reason == "overloaded"
    assert guard.pending == 0
