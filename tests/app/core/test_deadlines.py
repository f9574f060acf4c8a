import asyncio

import pytest

from app.core.deadlines import Deadlines

SHORT = 0.02


async def test_work_that_ends_in_time_is_not_disturbed():
    deadlines = Deadlines(SHORT)

    with deadlines.limit():
        await asyncio.sleep(0)
    await asyncio.sleep(3 * SHORT)  # the timer comes and finds nobody


async def test_work_that_takes_too_long_ends_with_a_timeout():
    deadlines = Deadlines(SHORT)

    with pytest.raises(TimeoutError), deadlines.limit():
        await asyncio.Event().wait()

    assert asyncio.current_task().cancelling() == 0


async def test_each_of_many_has_its_own_time():
    loop = asyncio.get_running_loop()
    deadlines = Deadlines(0.05)

    async def work(begin, takes):
        await asyncio.sleep(begin)
        started = loop.time()
        try:
            with deadlines.limit():
                await asyncio.sleep(takes)
        except TimeoutError:
            return "late", loop.time() - started
        return "done", loop.time() - started

    ended = await asyncio.gather(*(work(n * 0.01, 0.001 if n % 2 else 60) for n in range(20)))

    assert [how for how, _ in ended] == ["late", "done"] * 10
    assert all(took >= 0.05 for how, took in ended if how == "late")


async def test_it_can_be_used_again_after_a_pause():
    deadlines = Deadlines(SHORT)

    for _ in range(2):
        with pytest.raises(TimeoutError), deadlines.limit():
            await asyncio.Event().wait()
        with deadlines.limit():
            await asyncio.sleep(0)


async def test_whoever_cancels_the_task_is_obeyed():
    deadlines = Deadlines(60)

    async def work():
        with deadlines.limit():
            await asyncio.Event().wait()

    task = asyncio.create_task(work())
    await asyncio.sleep(0)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_task_that_is_cancelled_as_it_times_out_stays_cancelled():
    deadlines = Deadlines(SHORT)

    async def work():
        with deadlines.limit() as _:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                asyncio.current_task().cancel()
                raise

    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(work())


async def test_an_error_of_the_work_itself_passes():
    with pytest.raises(KeyError), Deadlines(60).limit():
        raise KeyError
