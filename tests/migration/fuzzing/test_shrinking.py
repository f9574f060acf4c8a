from hypothesis import given
from hypothesis import strategies as st

from migration.fuzzing.shrinking import shrunk

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=20,
)


def test_everything_goes_that_does_not_matter():
    event = {"a": [1, 2, {"bad": 5.0, "x": "long text"}], "b": {"c": True}, "d": "z" * 100}

    def shows(value):
        return any("bad" in each for each in value.get("a", []) if isinstance(each, dict))

    assert shrunk(event, shows, 1_000) == {"a": [{"bad": 0}]} or shrunk(event, shows, 1_000) == {
        "a": [{"bad": 5.0}]
    }


def test_it_stops_after_so_many_tries():
    tries = []

    shrunk(list(range(100)), lambda value: bool(tries.append(value)), 7)

    assert len(tries) == 7


@given(json_values)
def test_what_it_returns_still_shows_it(value):
    def shows(candidate):
        return "a" in str(candidate)

    assert not shows(value) or shows(shrunk(value, shows, 500))
