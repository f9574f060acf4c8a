import io

from app.commands.progress import BETWEEN, Progress
from tests.support import Clock


def progress_of(total, *, shown=True):
    stream, clock = io.StringIO(), Clock()
    return stream, clock, Progress(stream, total=total, shown=shown, clock=clock)


def test_a_bar_shows_how_far_it_is_and_how_fast():
    stream, clock, progress = progress_of(1_000)
    clock.now += 2

    progress.advance(5_000, 250)

    assert stream.getvalue().endswith("[########......................]  25%  5,000 lines, 2,500/s")


def test_without_a_size_there_is_no_bar():
    stream, clock, progress = progress_of(None)
    clock.now += 1

    progress.advance(7, 250)

    assert stream.getvalue().endswith("\x1b[K7 lines, 7/s")


def test_it_is_not_drawn_more_often_than_eyes_can_follow():
    stream, clock, progress = progress_of(1_000)

    for _ in range(75):
        clock.now += BETWEEN / 50
        progress.advance(1, 1)

    assert stream.getvalue().count("lines,") == 1


def test_what_is_said_stands_on_a_line_of_its_own():
    stream, clock, progress = progress_of(1_000)
    clock.now += 1
    progress.advance(1, 1)

    progress.say("line 1: malformed")
    progress.clear()

    assert stream.getvalue().endswith("\r\x1b[Kline 1: malformed\n")


def test_where_nobody_looks_only_what_is_said_is_written():
    stream, clock, progress = progress_of(1_000, shown=False)
    clock.now += 1

    progress.advance(1, 1)
    progress.say("line 1: malformed")

    assert stream.getvalue() == "line 1: malformed\n"
    assert io.StringIO().isatty() is False  # so is a pipe, by default
