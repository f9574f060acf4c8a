from hypothesis import given
from hypothesis import strategies as st

from app.consuming.lines import MAX_LINE, Line, Splitter

PIECES = st.lists(st.sampled_from([b"a", b"\n", b"\r", b"\xef\xbb\xbf", b"", b" ", b"?q;\tx"]))


def split(*chunks):
    splitter = Splitter("line")
    found = [line for chunk in chunks for line in splitter.feed(chunk)]
    return [*found, *splitter.close()]


def test_lines_are_numbered_and_their_ends_and_empty_ones_left_out():
    lines = split(b"\xef\xbb\xbfone\r\n\n \t\nfour\n\xef\xbb\xbffive")

    assert [(line.number, line.text) for line in lines] == [
        (1, b"one"),
        (4, b"four"),
        (5, b"\xef\xbb\xbffive"),
    ]


@given(PIECES)
def test_where_the_bytes_are_cut_changes_no_line(pieces):
    assert split(*pieces) == split(b"".join(pieces))


def test_a_line_as_long_as_may_be_is_kept_and_one_byte_more_is_not():
    longest = b"x" * MAX_LINE

    lines = split(longest, b"\r\n", longest, b"y", b"\nz")

    assert [line.text for line in lines] == [longest, None, b"z"]


def test_of_a_line_that_never_ends_little_is_kept():
    splitter = Splitter("line")

    for _ in range(40):
        assert list(splitter.feed(b"x" * 100_000)) == []
    kept = sum(map(len, splitter._begun))
    (last,) = splitter.close()

    assert kept <= MAX_LINE + 1
    assert last.text is None


def test_a_line_has_the_same_identity_wherever_it_is_read_again_and_no_other_has_it():
    line = Line(b"text", "topic [0] offset", 7, 1_000)
    others = [
        Line(b"text", "topic [0] offset", 8, 1_000),
        Line(b"text", "topic [1] offset", 7, 1_000),
        Line(b"text", "topic [0] offset", 7, 1_001),
        Line(b"other", "topic [0] offset", 7, 1_000),
    ]

    assert Line(b"text", "topic [0] offset", 7, 1_000).event_id == line.event_id
    assert len({line.event_id, *(other.event_id for other in others)}) == 5
    assert str(line) == "topic [0] offset 7"
