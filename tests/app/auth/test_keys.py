import re

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.auth.keys import HASH, ApiKeys, hash_of, new_key

# In a fresh checkout the first text to be made waits for tables of Unicode.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def test_a_new_key_is_long_random_and_fit_for_a_header():
    keys = {new_key() for _ in range(100)}

    assert len(keys) == 100
    for key in keys:
        assert re.fullmatch(r"slw_[A-Za-z0-9_-]{43}", key)
        assert HASH.fullmatch(hash_of(key))
        assert key not in hash_of(key)


def test_each_owner_may_have_several_keys():
    keys = [new_key() for _ in range(3)]
    known = ApiKeys({"a": [hash_of(keys[0]), hash_of(keys[1])], "b": [hash_of(keys[2])]})

    assert [known.subject_of(key) for key in keys] == ["a", "a", "b"]
    assert known.subject_of(new_key()) is None


def test_hashes_that_begin_alike_are_told_apart():
    key = new_key()
    twin = hash_of(key)[:-1] + ("0" if hash_of(key)[-1] != "0" else "1")

    assert ApiKeys({"twin": [twin]}).subject_of(key) is None
    assert ApiKeys({"twin": [twin], "owner": [hash_of(key)]}).subject_of(key) == "owner"


@PATIENT
@given(st.text())
def test_nothing_else_is_a_key(text):
    assert ApiKeys({"a": [hash_of(new_key())]}).subject_of(text) is None
