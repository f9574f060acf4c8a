import asyncio
import json

import pytest

from app.core.errors import ConfigError, StreamsUnavailable, UnknownStream
from app.streams.live import LiveStreams
from app.streams.source import SourceError, StreamSource

TEN = {f"s{number}": {"schema_title": "t"} for number in range(10)}


class Script:
    """A source that answers as it is told; the last answer is given again and again."""

    name = "http://user.example.org/streams"

    def __init__(self, *answers, remote=True):
        self.remote = remote
        self.answers = list(answers)
        self.asked = 0

    async def fetch_once(self):
        self.asked += 1
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    fetch = fetch_once


@pytest.fixture
async def live_of(passing):
    started = []

    def make(*answers, remote=True, **options):
        live = LiveStreams(
            source=Script(*answers, remote=remote),
            clock=passing.clock,
            sleep=passing.sleep,
            jitter=lambda: 1.0,
            **options,
        )
        started.append(live)
        return live

    yield make
    for live in started:
        await live.stop()


def first(count):
    return dict(list(TEN.items())[:count])


async def test_streams_of_a_file_are_in_force_after_start(live_of):
    live = live_of(TEN, remote=False, topic_prefix="p.", header_fields={"a.b": "x-y"})

    await live.start()

    assert live.ready
    assert live.get("s1").topic == "p.s1"
    assert live.get("s1").header_fields == {"a.b": "x-y"}
    assert live.settings_of(["s1", "no"]) == {"s1": {"schema_title": "t"}}
    assert live.last_error is None
    with pytest.raises(UnknownStream):
        live.get("no.such")


async def test_a_file_that_cannot_be_read_refuses_the_start(live_of):
    live = live_of(SourceError("it cannot be read: gone"), remote=False)

    with pytest.raises(ConfigError) as caught:
        await live.start()

    assert caught.value.problems == (
        "streams.uri http://user.example.org/streams: it cannot be read: gone",
    )


async def test_a_file_with_problems_refuses_the_start_and_tells_all_of_them(live_of):
    live = live_of(TEN | {"a": {}, "b c": {}}, remote=False)

    with pytest.raises(ConfigError) as caught:
        await live.start()

    assert len(caught.value.problems) == 2
    assert all(problem.startswith("streams.uri ") for problem in caught.value.problems)


async def test_without_ttl_a_configuration_is_read_once(live_of, passing):
    live = live_of(TEN)

    await live.start()

    assert live._task is None
    assert passing.sleeps == []


async def test_an_unreachable_server_does_not_stop_the_start_and_is_asked_until_it_answers(
    live_of, passing
):
    down = SourceError("it cannot be fetched")
    live = live_of(down, down, down, SourceError("still"), TEN)

    await live.start()

    assert not live.ready
    assert live.age_seconds is None
    assert live.settings_of() == {}
    assert "it cannot be fetched" in live.last_error
    with pytest.raises(StreamsUnavailable, match="could not be loaded yet"):
        live.get("s1")

    await passing.until_asleep()
    await passing.pass_sleep()
    await passing.pass_sleep()
    await passing.pass_sleep()

    assert passing.sleeps == [1.0, 2.0, 4.0, 8.0]
    assert "still" in live.last_error

    passing.now += 8
    passing._wake.set()
    await asyncio.wait_for(live._task, 30)

    assert live.ready
    assert live.last_error is None
    assert live.get("s1").name == "s1"


@pytest.mark.parametrize("garbage", [None, "<html>", [], {}, {"a": 7}, 12])
async def test_garbage_at_the_start_is_like_no_answer(live_of, garbage):
    live = live_of(garbage)

    await live.start()

    assert not live.ready
    assert live.last_error
    with pytest.raises(StreamsUnavailable):
        live.get("a")


async def test_pauses_between_attempts_have_a_limit(live_of, passing):
    live = live_of(SourceError("down"))
    await live.start()
    await passing.until_asleep()

    for _ in range(12):
        await passing.pass_sleep()

    assert max(passing.sleeps) == 60.0


async def test_a_refresh_brings_new_streams_into_force(live_of, passing):
    live = live_of(first(9), TEN, ttl=60)
    await live.start()
    await passing.until_asleep()
    before = live.current

    await passing.pass_sleep()

    assert live.get("s9").name == "s9"
    assert live.current is not before
    assert passing.sleeps == [60.0, 60.0]


async def test_a_configuration_that_did_not_change_stays_the_same_table(live_of, passing):
    live = live_of(TEN, json.loads(json.dumps(TEN)), ttl=60)
    await live.start()
    await passing.until_asleep()
    stream = live.get("s1")
    passing.now += 5

    assert live.age_seconds == 5

    await passing.pass_sleep()

    assert live.get("s1") is stream
    assert live.age_seconds == 0


@pytest.mark.parametrize(
    "bad", [SourceError("status 500"), None, "<html>", {}, {"a": {}}, RuntimeError("a defect")]
)
async def test_the_last_good_configuration_survives_whatever_comes(live_of, passing, caplog, bad):
    live = live_of(TEN, bad, TEN, ttl=60)
    await live.start()
    await passing.until_asleep()

    await passing.pass_sleep()

    assert live.get("s1").name == "s1"
    assert live.last_error
    assert live.age_seconds == 60
    assert [r for r in caplog.records if "last good one stays in force" in r.getMessage()]

    await passing.pass_sleep()

    assert live.last_error is None
    assert live.age_seconds == 0


async def test_a_failed_refresh_is_tried_again_sooner_than_the_ttl(live_of, passing):
    live = live_of(TEN, SourceError("down"), ttl=3)
    await live.start()
    await passing.until_asleep()

    for _ in range(4):
        await passing.pass_sleep()

    assert passing.sleeps == [3.0, 1.0, 2.0, 3.0, 3.0]


async def test_a_flapping_server_never_takes_streams_away(live_of):
    down = SourceError("down")
    live = live_of(TEN, *[down, TEN, {}, TEN, first(2), TEN, "<html>"] * 3, TEN)
    await live.start()

    for _ in range(21):
        await live.refresh()

        assert live.get("s9").name == "s9"


async def test_a_configuration_that_lost_too_many_streams_is_not_taken(live_of, caplog):
    live = live_of(TEN, first(4), first(5), extra={"own": {"schema_title": "t"}})
    await live.start()

    await live.refresh()

    assert live.get("s9").name == "s9"
    assert "6 of 10 streams are gone" in live.last_error
    assert "restart the service" in live.last_error

    await live.refresh()

    assert live.last_error is None
    assert len(live.current) == 5 + 1


@pytest.mark.parametrize(
    ("max_shrink", "left", "taken"), [(0, 9, False), (0, 10, True), (1, 1, True), (0.1, 9, True)]
)
async def test_how_many_streams_one_refresh_may_lose_is_a_setting(live_of, max_shrink, left, taken):
    live = live_of(TEN, first(left) | {"new": {"schema_title": "t"}}, max_shrink=max_shrink)
    await live.start()

    await live.refresh()

    assert ("new" in live.settings_of()) is taken


async def test_one_broken_entry_of_a_server_costs_only_that_stream(live_of, caplog):
    live = live_of(TEN | {"s3": {}, "/(/": {"schema_title": "t"}})

    await live.start()

    assert live.get("s1").name == "s1"
    with pytest.raises(UnknownStream):
        live.get("s3")
    (record,) = [r for r in caplog.records if r.levelname == "WARNING"]
    assert record.count == 2
    assert record.problems[0].startswith("stream s3: schema_title is missing")


async def test_one_broken_entry_of_a_file_leaves_the_whole_file_out_of_force(live_of):
    live = live_of(TEN, TEN | {"new": {"schema_title": "t"}, "s3": {}}, remote=False)
    await live.start()

    await live.refresh()

    assert "new" not in live.settings_of()
    assert live.get("s3").name == "s3"
    assert "stream s3: schema_title is missing" in live.last_error


async def test_streams_of_the_service_itself_are_in_every_table(live_of):
    live = live_of(TEN, TEN | {"new": {"schema_title": "t"}}, extra={"own": {"schema_title": "o"}})
    await live.start()

    assert live.get("own").schema_title == "o"

    await live.refresh()

    assert live.get("own").schema_title == "o"
    assert live.get("new").schema_title == "t"


async def test_stopping_ends_the_refreshing_and_keeps_the_streams(live_of, passing):
    live = live_of(TEN, ttl=60)
    await live.start()
    await passing.until_asleep()
    task = live._task

    await live.stop()
    await live.stop()

    assert task.done()
    assert live.get("s1").name == "s1"


async def test_a_changed_file_is_in_force_after_a_refresh(tmp_path, passing):
    path = tmp_path / "streams.yaml"
    path.write_text("a: {schema_title: t}\n")
    live = LiveStreams(
        source=StreamSource(str(path)), ttl=60, clock=passing.clock, sleep=passing.sleep
    )
    await live.start()
    await passing.until_asleep()

    path.write_text("a: {schema_title: t}\nb: {schema_title: t}\n")
    await passing.pass_sleep()

    assert live.get("b").name == "b"

    path.unlink()
    await passing.pass_sleep()

    assert live.get("b").name == "b"
    assert "No such file" in live.last_error
    await live.stop()


async def test_a_server_that_comes_up_late_is_found(answers, passing):
    answers.then(b"down", 503).then(b"<html>", 200).then(
        b'{"streams": {"a": {"schema_title": "t"}}}'
    )
    live = LiveStreams(
        source=StreamSource(answers.url, object_path="streams", retries=0),
        clock=passing.clock,
        sleep=passing.sleep,
    )

    await live.start()
    await passing.until_asleep()

    assert "status 503" in live.last_error

    await passing.pass_sleep()

    assert "it has no streams" in live.last_error

    passing._wake.set()
    await asyncio.wait_for(live._task, 30)

    assert live.get("a").name == "a"
    await live.stop()
