import io

import pytest

from app.commands.oldlines import MAX_LINE, kind_of, lines_of, query_in


def test_lines_are_numbered_and_empty_ones_left_out():
    source = io.BytesIO(b"\xef\xbb\xbfa\r\n\n  \nb\tc \nlast")

    lines = [(line.number, line.text, line.end) for line in lines_of(source)]

    assert lines == [(1, b"a", 6), (4, b"b\tc ", 15), (5, b"last", 19)]


def test_a_line_that_is_too_long_is_passed_over_without_being_kept():
    source = io.BytesIO(b"x" * MAX_LINE + b"\n" + b"y" * (3 * MAX_LINE) + b"\nz\n")

    lines = list(lines_of(source))

    assert [(line.number, line.text and len(line.text)) for line in lines] == [
        (1, MAX_LINE),
        (2, None),
        (3, 1),
    ]
    assert lines[-1].end == source.tell()


def test_lines_are_read_as_they_are_asked_for():
    source = io.BytesIO(b"a\n" * 1_000)

    next(lines_of(source))

    assert source.tell() == 2


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (b'{"schema": "A"}', "capsule"),
        (b" [1, 2]", "capsule"),
        (b"?%7B%7D;", "query"),
        (b"%7B%7D", "query"),
        (b" https://host/beacon/event?%7B%7D; ", "query"),
        (b'?%7B%7D;\tcp1\t7\t2018-03-04T05:06:07\t-\t"-"', "line"),
        (b"?%7B%7D; cp1 7 2018-03-04T05:06:07", "line"),
        (b'523 EventLogging {"schema":"A"}', "line"),
    ],
)
def test_each_line_shows_what_it_is(text, kind):
    assert kind_of(text) == kind


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (b" ?%7B%7D; ", b"?%7B%7D;"),
        (b"%7B%22a%22:%22?%22%7D", b"%7B%22a%22:%22?%22%7D"),
        (b"https://host/beacon/event?%7B%7D;", b"%7B%7D;"),
        (b"/event.gif?%7B%7D?", b"%7B%7D?"),
    ],
)
def test_the_query_of_a_url_is_what_follows_its_path(text, query):
    assert query_in(text) == query
