import asyncio

import pytest

from app.diagnosis.examination import diagnose
from app.diagnosis.tokens import examine_tokens
from app.settings import JwtSettings, Settings
from tests.app.auth.issuer import AUDIENCE, ISSUER, jwks, key_server, public_jwk, standard_jwks


def tokens(place, **more):
    return JwtSettings(jwks=str(place), issuer=ISSUER, audience=[AUDIENCE], **more)


async def examined(place, *, patience=3.0, **more):
    return await examine_tokens(tokens(place, **more), str(place), patience)


async def test_keys_of_a_server_are_counted_where_they_are_of_use():
    async with key_server() as issuer:
        found = await examined(issuer.url)

    assert found.level == "ok"
    assert found.text == f"{issuer.url}: 2 keys for tokens, for ES256, RS256."


async def test_keys_of_a_file_are(tmp_path):
    path = tmp_path / "jwks.json"
    path.write_bytes(standard_jwks())

    found = await examined(path, algorithms=["EdDSA"])

    assert (found.level, found.text) == ("ok", f"{path}: 1 key for tokens, for EdDSA.")


async def test_keys_for_nothing_that_is_taken_are_a_problem():
    async with key_server() as issuer:
        issuer.respond(jwks(public_jwk("EC", "ec", "ES256")))
        found = await examined(issuer.url, algorithms=["RS256"])

    assert found.level == "problem"
    assert "No key" in found.text
    assert "RS256" in found.text
    assert "ES256" in found.advice


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ((b"", "500 Oops"), "status 500"),
        ((b"<html>",), "it is not JSON"),
        ((b'{"keys": []}',), "no public key"),
    ],
)
async def test_keys_that_cannot_be_had_are_a_problem_with_its_reason(answer, said):
    async with key_server() as issuer:
        issuer.respond(*answer)
        found = await examined(issuer.url)

    assert found.level == "problem"
    assert issuer.url in found.text
    assert said in found.text
    assert "503" in found.advice


async def test_a_server_that_is_silent_is_not_waited_for():
    async with key_server() as issuer:
        issuer.gate.clear()
        async with asyncio.timeout(5):
            found = await examined(issuer.url, patience=0.2)

    assert found.level == "problem"
    assert "within 0.2 s" in found.text


async def test_passwords_in_the_uri_are_not_told():
    found = await examined("http://me:secret@127.0.0.1:1/jwks.json")

    assert found.level == "problem"
    assert "secret" not in found.text + found.advice


async def test_the_examination_tells_of_a_file_that_is_not_there_once(tmp_path):
    settings = Settings(auth={"jwt": tokens(tmp_path / "none.json")})

    found = [each for each in await diagnose(settings) if "none.json" in each.text]

    assert [(each.level, each.area) for each in found] == [("problem", "auth")]
    assert "does not start" in found[0].advice


async def test_the_examination_asks_for_the_keys_once():
    async with key_server() as issuer:
        found = await diagnose(Settings(auth={"jwt": tokens(issuer.url)}))

    assert [each.level for each in found if each.area == "auth"] == ["ok"]
    assert issuer.hits == 1


async def test_a_silent_issuer_is_a_problem_of_the_tokens_and_of_nothing_else():
    async with key_server() as issuer:
        issuer.gate.clear()
        found = await diagnose(
            Settings(auth={"jwt": tokens(issuer.url, timeout=30)}), patience=10, step=0.2
        )

    assert [each.level for each in found if each.area == "auth"] == ["problem"]
    assert "ok" in [each.level for each in found if each.area == "settings"]


async def test_streams_with_producers_that_nobody_can_prove_to_be_are_a_problem(tmp_path):
    streams = tmp_path / "streams.yaml"
    streams.write_text("demo.button.click: {schema_title: demo/button/click, producers: [shop]}")

    schemas = {"base_uris": [str(tmp_path)]}
    found = await diagnose(Settings(schemas=schemas, streams={"uri": str(streams)}))

    (problem,) = [each for each in found if each.area == "auth"]
    assert problem.level == "problem"
    assert "nobody who could prove" in problem.text
    assert problem.advice
