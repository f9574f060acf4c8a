import json

import pytest

from tests.soak.sources import SCHEMA_MOODS, STREAM_MOODS, Sources

URI = "/schemas/ledger/event/1.7.0"
ASKED_AT_ONCE = {"slow", "endless", "loop"}


@pytest.fixture
def sources():
    with Sources("s3cr3t") as sources:
        yield sources


def test_every_version_of_the_schema_is_there_and_nothing_else(sources):
    status, body = sources.answer(URI, "")

    assert status == 200
    assert json.loads(body)["$id"] == "/ledger/event/1.7.0"
    assert sources.answer("/schemas/soak/n1/1.0.0", "")[0] == 404


def test_the_streams_are_told_to_who_knows_the_secret(sources):
    assert sources.answer("/streams", "Bearer other")[0] == 403
    assert len(json.loads(sources.answer("/streams", "Bearer s3cr3t")[1])) == 15


@pytest.mark.parametrize("mood", [m for m in SCHEMA_MOODS if m not in ASKED_AT_ONCE])
def test_in_a_mood_no_schema_is_what_it_should_be(sources, mood):
    well = sources.answer(URI, "")

    sources.schemas = mood

    assert sources.answer(URI, "") != well


@pytest.mark.parametrize("mood", [m for m in STREAM_MOODS if m not in ASKED_AT_ONCE])
def test_in_a_mood_streams_are_not_what_they_should_be(sources, mood):
    well = sources.answer("/streams", "Bearer s3cr3t")

    sources.streams = mood

    assert any(sources.answer("/streams", "Bearer s3cr3t") != well for _ in range(4))
