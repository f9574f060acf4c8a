import asyncio
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.auth.jwks import Jwks, JwksError, table_of
from app.auth.sources import JwksFile, JwksUrl
from app.core.errors import ConfigError, CredentialsRefused, IdentityUnavailable
from tests.app.auth.issuer import jwks, key_server, public_jwk, standard_jwks
from tests.support import Clock

# In a fresh checkout the first text to be made waits for tables of Unicode.
PATIENT = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

RSA = public_jwk("RSA", "rsa", "RS256")
SECOND = public_jwk("RSA", "second", "RS256", "second")
EC = public_jwk("EC", "ec", "ES256")


class Issuer:
    """A source whose fetches can be held up, and fail."""

    name = "the issuer"
    remote = True

    def __init__(self):
        self.document = standard_jwks()
        self.fetches = 0
        self.failing = False
        self.open = asyncio.Event()
        self.open.set()

    async def fetch(self):
        self.fetches += 1
        await self.open.wait()
        if self.failing:
            raise JwksError("it is away")
        return self.document


@pytest.fixture
def clock():
    return Clock(1_000.0)


@pytest.fixture
def issuer():
    return Issuer()


@pytest.fixture
async def keys(issuer, clock):
    keys = Jwks(issuer, ttl=300, interval=10, clock=clock)
    yield keys
    await keys.stop()


async def turn():
    """Let tasks run that need nothing but a few turns of the loop, and a thread."""
    for _ in range(200):
        await asyncio.sleep(0.001)
        if len(asyncio.all_tasks()) == 1:
            return


async def test_keys_are_fetched_at_start_and_not_for_each_token(keys, issuer):
    await keys.start()

    for _ in range(3):
        key, _ = await keys.key_of("rsa", "RS256")

    assert key.algorithm_name == "RS256"
    assert issuer.fetches == 1


async def test_old_keys_serve_while_they_are_renewed(keys, issuer, clock):
    await keys.start()
    clock.now += 301
    issuer.open.clear()
    issuer.document = jwks(EC)

    for _ in range(5):
        await keys.key_of("rsa", "RS256")
    issuer.open.set()
    await turn()

    assert issuer.fetches == 2
    with pytest.raises(CredentialsRefused):
        await keys.key_of("rsa", "RS256")


async def test_the_same_document_is_the_same_table(keys, clock):
    await keys.start()
    before = keys.in_force()
    clock.now += 301
    keys.in_force()
    await turn()

    assert keys.in_force() is before
    assert keys.age_seconds == 0


async def test_an_unknown_key_makes_one_fetch_for_all_and_none_until_the_interval_is_over(
    keys, issuer, clock
):
    await keys.start()
    clock.now += 11
    issuer.open.clear()
    waiting = [asyncio.create_task(keys.key_of("new", "RS256")) for _ in range(100)]
    await asyncio.sleep(0)
    issuer.document = jwks(RSA | {"kid": "new"})
    issuer.open.set()

    found = await asyncio.gather(*waiting)

    assert len({id(key) for key, _ in found}) == 1
    assert issuer.fetches == 2
    for number in range(100):
        with pytest.raises(CredentialsRefused):
            await keys.key_of(f"unknown {number}", "RS256")
    assert issuer.fetches == 2
    clock.now += 10
    with pytest.raises(CredentialsRefused):
        await keys.key_of("unknown", "RS256")
    assert issuer.fetches == 3


async def test_one_that_leaves_does_not_take_the_fetch_from_those_who_wait(keys, issuer, clock):
    await keys.start()
    clock.now += 11
    issuer.open.clear()
    first, second = (asyncio.create_task(keys.key_of("new", "RS256")) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    issuer.document = jwks(RSA | {"kid": "new"})
    issuer.open.set()

    assert await second
    assert first.cancelled() or (await asyncio.gather(first, return_exceptions=True))


async def test_keys_are_kept_while_the_issuer_is_away_and_unknown_ones_are_no_verdict(
    keys, issuer, clock
):
    await keys.start()
    issuer.failing = True
    for _ in range(5):
        clock.now += 1_000
        await keys.key_of("rsa", "RS256")
        await turn()

    with pytest.raises(IdentityUnavailable):
        await keys.key_of("new", "RS256")
    assert keys.last_error == "it is away"
    assert keys.age_seconds == 5_000
    issuer.failing = False
    clock.now += 10
    with pytest.raises(CredentialsRefused):
        await keys.key_of("new", "RS256")
    assert keys.last_error is None


async def test_a_service_starts_without_its_issuer_and_asks_again(issuer, clock):
    counts = []
    keys = Jwks(issuer, interval=10, count=counts.append, clock=clock)
    issuer.failing = True

    await keys.start()

    with pytest.raises(IdentityUnavailable):
        await keys.key_of("rsa", "RS256")
    assert issuer.fetches == 1
    issuer.failing = False
    clock.now += 10
    await keys.key_of("rsa", "RS256")
    assert counts == [False, True]


async def test_a_file_that_holds_no_keys_is_refused_at_start(tmp_path):
    path = tmp_path / "jwks.json"
    for content, said in (
        (None, "cannot be read"),
        (b"<html>", "it is not JSON"),
        (b"{}", "no list of keys"),
        (jwks({"kty": "oct", "k": "c2VjcmV0", "kid": "a"}), "no public key"),
        (b" " * 300_000, "larger than"),
    ):
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(ConfigError, match=said):
            await Jwks(JwksFile(str(path))).start()


async def test_stopping_ends_a_fetch_that_is_under_way(issuer, clock):
    keys = Jwks(issuer, clock=clock)
    issuer.open.clear()
    starting = asyncio.create_task(keys.start())
    await asyncio.sleep(0.001)

    await keys.stop()

    assert starting.done() or await asyncio.gather(starting, return_exceptions=True)
    assert issuer.fetches == 1


async def test_keys_come_over_http_in_one_request(clock):
    async with key_server() as server:
        keys = Jwks(JwksUrl(server.url), clock=clock)

        await keys.start()

        assert await keys.key_of("ed", "EdDSA")
        assert server.hits == 1


@pytest.mark.parametrize("url", ["https://a.example:x/", "https://a\x00.example/"])
def test_an_address_that_is_none_is_a_mistake_in_the_settings(url):
    with pytest.raises(ConfigError, match=r"auth\.jwt\.jwks"):
        JwksUrl(url)


def test_a_token_without_a_key_id_has_the_only_key_that_fits():
    assert table_of(jwks(RSA, EC)).get(None, "RS256") is not None
    assert table_of(jwks(RSA, SECOND)).get(None, "RS256") is None
    unnamed = {name: value for name, value in RSA.items() if name != "kid"}
    assert table_of(jwks(unnamed)).get(None, "RS256") is not None
    assert table_of(jwks(unnamed)).get("rsa", "RS256") is None


def test_a_key_proves_only_the_algorithm_that_it_says():
    table = table_of(jwks(RSA | {"alg": "RS256"}, SECOND))

    assert table.get("rsa", "RS256") is not None
    assert table.get("rsa", "PS256") is None
    assert table.get("second", "PS256") is not None
    assert table.get("second", "ES256") is None


@pytest.mark.parametrize(
    "bad",
    [
        7,
        None,
        {"kty": ["RSA"]},
        RSA | {"n": 1},
        RSA | {"n": "!"},
        RSA | {"n": "A" * 100_000},
        RSA | {"kid": 7},
        RSA | {"alg": ["RS256"]},
        EC | {"x": "AA"},
        EC | {"crv": "P-384"},
        EC | {"crv": "secp256k1"},
    ],
)
def test_a_key_that_cannot_be_used_harms_no_other(bad):
    table = table_of(jwks(bad, SECOND))

    assert {kid for kid, _ in table.keys} == {"second"}


def test_a_set_has_a_bound():
    with pytest.raises(JwksError, match="more than 100 keys"):
        table_of(jwks(*[RSA] * 101))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
MEMBERS = st.fixed_dictionaries(
    {},
    optional={
        name: JSON | st.sampled_from(sorted({str(RSA.get(name)), str(EC.get(name))}))
        for name in ("kty", "crv", "n", "e", "x", "y", "kid", "alg", "use", "key_ops")
    },
)


@PATIENT
@given(st.binary() | JSON.map(json.dumps) | st.lists(MEMBERS).map(lambda k: {"keys": k}))
def test_whatever_a_server_says_is_a_table_or_a_reason(document):
    if isinstance(document, dict):
        document = json.dumps(document)
    data = document if isinstance(document, bytes) else document.encode()

    try:
        table = table_of(data)
    except JwksError:
        return
    assert table.keys
