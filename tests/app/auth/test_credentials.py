import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.auth.credentials import MAX_TOKEN, Credentials, credentials_of
from app.core.errors import CredentialsRefused

# In a fresh checkout the first text to be made waits for tables of Unicode.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def read(**headers):
    return credentials_of({name.replace("_", "-"): text for name, text in headers.items()}.get)


def test_without_the_headers_there_are_none():
    assert read(cookie="session=1") is None


@pytest.mark.parametrize(
    ("headers", "kind", "secret"),
    [
        ({"authorization": "Bearer abc"}, "key", "abc"),
        ({"authorization": "bearer  abc="}, "key", "abc="),
        ({"authorization": "BEARER a.b.c"}, "token", "a.b.c"),
        ({"authorization": "Bearer a.b"}, "key", "a.b"),
        ({"x_api_key": "abc"}, "key", "abc"),
        ({"x_api_key": "a.b.c"}, "key", "a.b.c"),
    ],
)
def test_a_key_or_a_token_is_read(headers, kind, secret):
    assert read(**headers) == (kind, secret)


def test_credentials_do_not_show_themselves():
    assert "abc" not in f"{Credentials('key', 'abc')!r} {Credentials('key', 'abc')}"


def test_what_is_too_long_is_refused():
    with pytest.raises(CredentialsRefused, match="characters"):
        read(authorization="Bearer " + "a" * MAX_TOKEN)


@PATIENT
@given(
    st.dictionaries(
        st.sampled_from(["authorization", "x-api-key"]),
        st.text() | st.text().map(lambda text: f"Bearer {text}"),
    )
)
def test_any_text_is_credentials_or_refused_without_repeating_it(headers):
    try:
        found = credentials_of(headers.get)
    except CredentialsRefused as error:
        said = f"{error} {error.hint} {error.expected}"
        assert all(len(text) < 25 or text not in said for text in headers.values())
    else:
        assert (found is None) == (not headers)
        assert found is None or found.secret.isascii()
