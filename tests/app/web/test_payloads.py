import pytest

from app.core.json import Unstorable
from app.web.guard import Refusal
from app.web.payloads import payloads_of


@pytest.mark.parametrize(
    ("body", "payloads"),
    [(b'{"a": 1}', [{"a": 1}]), (b"[1, {}]", [1, {}]), (b"[[]]", [[]]), (b"7", [7])],
)
def test_a_body_holds_one_event_or_an_array_of_them(body, payloads):
    assert payloads_of(body, 2) == payloads


def test_one_that_cannot_be_stored_does_not_lose_the_others():
    good, bad = payloads_of(b'[{}, {"a": "\\ud800"}]', 2)

    assert good == {}
    assert isinstance(bad, Unstorable)


@pytest.mark.parametrize(
    ("body", "reason", "told"),
    [
        (b"", "malformed", "no body"),
        (b" \n", "malformed", "no body"),
        (b"{", "malformed", "not JSON"),
        (b"[]", "malformed", "array is empty"),
        (b"[1,2,3]", "too_large", "3 events; at most 2"),
    ],
)
def test_a_body_that_cannot_be_taken_is_refused_as_a_whole(body, reason, told):
    with pytest.raises(Refusal, match=told) as caught:
        payloads_of(body, 2)

    assert caught.value.error.reason == reason
    assert caught.value.whole
