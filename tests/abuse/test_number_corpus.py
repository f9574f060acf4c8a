"""Every number of the corpus on both wires: what is stored equals what was sent, or is refused."""

import json
import math
from decimal import Decimal

import pytest

from tests.abuse.corpora.numbers import NUMBERS
from tests.abuse.corpora.wires import CAPSULE, MODERN, query_of, settings

BOM = b"\xef\xbb\xbf"
CASES = [pytest.param(number, id=number.name) for number in NUMBERS]


@pytest.fixture
async def client(serving, tmp_path):
    async with serving(**settings(tmp_path)) as client:
        yield client


def token(client) -> str | None:
    """Return the number as it is written in the stored event, None if nothing is stored."""
    if not client.journal.stored:
        assert [error["reason"] for error in client.journal.errors] == ["malformed"]
        return None
    (record,) = client.journal._sink.records
    value = json.loads(record.value, parse_int=str, parse_float=str)["value"]
    assert isinstance(value, str)
    return value


def same(stored: str | None, expected: str | None) -> bool:
    if stored is None or expected is None:
        return stored is expected
    if expected.lstrip("-").isdecimal():
        return stored == expected
    alike = float(stored) == float(expected)
    return alike and math.copysign(1, float(stored)) == math.copysign(1, float(expected))


@pytest.mark.parametrize("number", CASES)
@pytest.mark.parametrize("before", [b"", BOM], ids=["plain", "after a BOM"])
async def test_a_number_is_kept_or_refused_on_the_modern_wire(client, number, before):
    answer = await client.post("/v1/events", content=before + MODERN % number.text.encode())

    assert answer.status_code == (400 if number.stored is None else 201)
    assert same(token(client), number.stored)


@pytest.mark.parametrize("number", CASES)
async def test_a_number_has_the_same_verdict_on_the_beacon(client, number):
    await client.get(f"/beacon/event?{query_of(CAPSULE % number.text.encode())}")

    assert same(token(client), number.stored)


@pytest.mark.parametrize("number", CASES)
async def test_a_number_beside_others_of_a_batch_has_the_same_verdict(client, number):
    good = MODERN % b"1"

    answer = await client.post(
        "/v1/events", content=b"[%b,%b]" % (good, MODERN % number.text.encode())
    )

    assert answer.status_code == (207 if number.stored is None else 201)
    assert len(client.journal.stored) == (1 if number.stored is None else 2)


@pytest.mark.parametrize("number", [n for n in NUMBERS if n.stored is not None], ids=str)
def test_the_corpus_itself_says_what_equals(number):
    assert number.stored is not None
    if "." in number.text or "e" in number.text.lower():
        assert float(number.text) == float(number.stored)
    else:
        assert Decimal(number.text) == Decimal(number.stored)


def test_the_corpus_is_as_large_as_it_says():
    assert len(NUMBERS) >= 60
    assert len({number.name for number in NUMBERS}) == len(NUMBERS)
