"""Every text of the corpus of JSON, on every wire that carries JSON: one verdict each."""

import json

import pytest

from app.protocol import MAX_URL
from tests.abuse.corpora.case import EVENT, JsonText
from tests.abuse.corpora.jsontexts import JSON_TEXTS, WHOLE_EVENT
from tests.abuse.corpora.wires import CAPSULE, MODERN, query_of, settings

CASES = [
    pytest.param(case, id=f"{group}: {case.name}")
    for group, cases in JSON_TEXTS.items()
    for case in cases
]


@pytest.fixture
async def client(serving, tmp_path):
    async with serving(**settings(tmp_path)) as client:
        yield client


def document(case: JsonText, event: bytes) -> bytes:
    """Return what is sent: the text itself, or a good event with the text as a value."""
    if case.whole:
        return case.text.replace(EVENT, event % b'"good"')
    return event % case.text


def check(client, case: JsonText, verdict: str, count: int = 1) -> None:
    """Check what the journal says became of a document."""
    if verdict == "stored":
        assert client.journal.errors == []
        values = [event["value"] for event in client.journal.stored]
        expected = "good" if case.whole else json.loads(case.text)
        assert values == [expected] * count
        assert repr(values) == repr([expected] * count)  # 1 is not 1.0, 0.0 is not -0.0
    else:
        assert client.journal.stored == []
        reasons = {error["reason"] for error in client.journal.errors}
        assert reasons == ({verdict} if verdict != "ignored" else set())


@pytest.mark.parametrize("case", CASES)
async def test_a_text_has_its_verdict_on_the_modern_wire(client, case):
    answer = await client.post("/v1/events", content=document(case, MODERN))

    assert answer.status_code == (201 if case.verdict == "stored" else 400)
    check(client, case, case.verdict, max(case.text.count(EVENT), 1))


@pytest.mark.parametrize("case", CASES)
async def test_a_text_has_the_same_verdict_as_the_query_of_a_beacon(client, case):
    url = f"/beacon/event?{query_of(document(case, CAPSULE))}"
    if case.beacon == "414":
        assert len(url) > MAX_URL  # which tests/app/test_protocol.py shows to be refused
        return

    answer = await client.get(url)

    assert answer.status_code == 204
    check(client, case, case.beacon or case.verdict)


@pytest.mark.parametrize("case", CASES)
async def test_a_text_has_the_same_verdict_as_the_body_of_a_beacon(client, case):
    answer = await client.post(
        "/beacon/event",
        content=document(case, CAPSULE),
        headers={"content-type": "application/json"},
    )

    assert answer.status_code == 204
    verdict = "ignored" if case.beacon == "ignored" else case.verdict
    check(client, case, verdict, max(case.text.count(EVENT), 1))


async def test_a_document_that_is_cut_anywhere_is_refused_on_both_wires(client):
    capsule = CAPSULE % b'"\xc3\xa9"'

    for end in range(1, len(WHOLE_EVENT)):
        answer = await client.post("/v1/events", content=WHOLE_EVENT[:end])
        assert answer.status_code == 400
    for end in range(1, len(capsule)):
        answer = await client.get(f"/beacon/event?{query_of(capsule[:end])}")
        assert answer.status_code == 204

    assert client.journal.stored == []
    reasons = [error["reason"] for error in client.journal.errors]
    assert reasons == ["malformed"] * (len(WHOLE_EVENT) + len(capsule) - 2)


def test_the_corpus_is_as_large_as_it_says():
    kinds = [case.kind for cases in JSON_TEXTS.values() for case in cases]

    assert len(kinds) >= 200
    assert set(kinds) == {"must accept", "must refuse", "ours"}
    for group, cases in JSON_TEXTS.items():
        names = [case.name for case in cases]
        assert len(names) == len(set(names)), group
