import jsonschema_rs as rs
import pytest

from app.schemas.drafts import DEFAULT, draft_of, meta_reference


@pytest.mark.parametrize(
    ("name", "validator"),
    [
        ("draft-04", rs.Draft4Validator),
        ("draft-06", rs.Draft6Validator),
        ("draft-07", rs.Draft7Validator),
        ("draft/2019-09", rs.Draft201909Validator),
        ("draft/2020-12", rs.Draft202012Validator),
    ],
)
@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("end", ["", "#"])
def test_each_draft_is_known_by_every_spelling(name, validator, scheme, end):
    draft = draft_of({"$schema": f"{scheme}://json-schema.org/{name}/schema{end}"})

    assert draft is not None
    assert draft.validator is validator


def test_a_schema_that_does_not_say_follows_draft_07():
    assert draft_of({}) is DEFAULT
    assert DEFAULT.validator is rs.Draft7Validator


@pytest.mark.parametrize(
    "name",
    [
        "http://json-schema.org/draft-03/schema#",
        "http://json-schema.org/schema#",
        "http://json-schema.org.evil.test/draft-07/schema#",
        "http://127.0.0.1:1/draft-07/schema",
        "/my/meta/1.0.0",
        "",
        7,
        {},
    ],
)
def test_any_other_draft_is_unknown(name):
    assert draft_of({"$schema": name}) is None


def test_a_reference_into_a_meta_schema_is_spelled_as_the_validator_does():
    assert (
        meta_reference("https://json-schema.org/draft-07/schema#/definitions/x")
        == "http://json-schema.org/draft-07/schema#/definitions/x"
    )
    assert (
        meta_reference("http://json-schema.org/draft/2020-12/schema")
        == "https://json-schema.org/draft/2020-12/schema"
    )
    assert meta_reference("http://example.org/draft-07/schema#") is None
    assert meta_reference("#/definitions/x") is None
