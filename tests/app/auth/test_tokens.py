import time

import pytest

from app.auth.jwks import Jwks
from app.auth.tokens import MAX_SEEN, Tokens, _Seen
from app.core.errors import CredentialsRefused
from tests.app.auth.issuer import AUDIENCE, ISSUER, jwks, public_jwk, standard_jwks, token
from tests.support import Clock


class Issuer:
    name = "the issuer"
    remote = True
    document = standard_jwks()

    async def fetch(self):
        return self.document


@pytest.fixture
async def make():
    """Make a judge of tokens, with clocks that stand still."""

    async def make(**options):
        issuer, ticking = Issuer(), Clock(0.0)
        keys = Jwks(issuer, ttl=300, clock=ticking)
        await keys.start()
        options = {
            "issuer": ISSUER,
            "audience": [AUDIENCE],
            "algorithms": ["RS256"],
            "clock": Clock(time.time()),
            "leeway": 0,
        } | options
        return Tokens(keys, **options), issuer, ticking

    return make


async def test_the_subject_is_a_claim_with_a_prefix(make):
    tokens, _, _ = await make(claim="client_id", prefix="jwt:")

    assert await tokens.subject_of(token(client_id="x", sub="y")) == "jwt:x"
    with pytest.raises(CredentialsRefused, match="lacks a claim"):
        await tokens.subject_of(token())


async def test_a_token_is_recalled_until_it_expires(make):
    clock = Clock(time.time())
    tokens, _, _ = await make(clock=clock)
    good = token(exp=int(clock.now) + 60)

    before = tokens.recalled(good)
    await tokens.subject_of(good)
    during = tokens.recalled(good)
    clock.now += 61
    after = tokens.recalled(good)

    assert (before, during, after) == (None, "importer", None)
    assert tokens._seen == {}


async def test_a_token_is_forgotten_when_the_keys_change(make):
    tokens, issuer, ticking = await make()
    good = token()
    await tokens.subject_of(good)
    issuer.document = jwks(public_jwk("RSA", "rsa", "RS256", "another"))
    ticking.now += 301
    with pytest.raises(CredentialsRefused):  # waits for the new keys
        await tokens.subject_of(token(kid="unknown"))

    assert tokens.recalled(good) is None
    with pytest.raises(CredentialsRefused):
        await tokens.subject_of(good)


async def test_refused_tokens_are_not_remembered_and_no_token_is_kept_in_the_clear(make):
    tokens, _, _ = await make()
    good, bad = token(), token(exp=1)

    await tokens.subject_of(good)
    with pytest.raises(CredentialsRefused, match="expired"):
        await tokens.subject_of(bad)

    assert len(tokens._seen) == 1
    assert all(len(digest) == 32 for digest in tokens._seen)
    assert good not in str(tokens._seen)


async def test_what_is_remembered_has_a_bound(make):
    tokens, _, _ = await make()
    seen = _Seen("x", 0.0, tokens.jwks.in_force())

    for number in range(MAX_SEEN + 10):
        tokens._remember(str(number), seen)

    assert len(tokens._seen) == MAX_SEEN


async def test_the_owner_is_told_what_to_mend(make):
    tokens, _, _ = await make()
    said = {
        "has expired": token(exp=1),
        "not valid yet": token(nbf=int(time.time()) + 100),
        "another audience": token(aud="x"),
        "another issuer": token(iss="x"),
        "lacks a claim": token(exp=None),
        "is not valid": token("RSA", "RS256", "rsa", None, "evil"),
        "not taken here": token("EC", "ES256", "ec"),
        "cannot be read": "x.y.z",
    }

    for text, bad in said.items():
        with pytest.raises(CredentialsRefused, match=text):
            await tokens.subject_of(bad)
