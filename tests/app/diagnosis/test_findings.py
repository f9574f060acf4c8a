from hypothesis import given
from hypothesis import strategies as st

from app.diagnosis.findings import counted, listed, sized


def test_numbers_agree_with_their_nouns():
    assert [counted(n, "topic") for n in (0, 1, 2_000)] == ["0 topics", "1 topic", "2,000 topics"]
    assert counted(2, "entry") == "2 entries"


@given(st.lists(st.text(alphabet="abc", min_size=1)), st.integers(1, 20))
def test_a_list_shows_so_many_names_and_counts_the_others(names, most):
    shown = listed(names, most)

    left = len(names) - most
    assert shown == ", ".join(names) if left <= 0 else shown.endswith(f" and {left} more")


def test_sizes_are_for_people():
    assert [sized(n) for n in (0, 1023, 1024, 1536 * 1024**2, 2 * 1024**4)] == [
        "0 bytes",
        "1,023 bytes",
        "1.0 KiB",
        "1.5 GiB",
        "2.0 TiB",
    ]
