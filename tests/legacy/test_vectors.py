"""What the real old system did, and what was decided for it, as recorded beside the project."""

import json
from collections import Counter
from pathlib import Path

import pytest

from legacy import LegacyAdapter, LegacyError, Mapping
from legacy.beacon import capsule_of
from legacy.strict.cases import Cases
from legacy.strict.schemas import reference_in_name
from legacy.strictjson import loads

SHARED = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "legacy" / "vectors"

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the recorded vectors are not there (../shared/data)"
)

MAPPING = Mapping.parse(
    {
        "schemas": {
            "MediaWikiPingback": "1.1.0",
            "ServerSideAccountCreation": "1.2.0",
            "Test": "1.3.0",
            "test": "1.3.0",
        }
    }
)
REASONS = {
    "invalid or missing schema name": "missing_field",
    "schema not migrated": "unmapped_schema",
}
LINE_FIELDS = {"dt", "ip", "recvFrom", "seqId", "userAgent", "uuid"}

# Where the decisions for the mapping differ from what the old system read.
NOW_READ = {
    "delimiter-016": "a trailing & is stripped, as the successor in PHP did",
    "delimiter-017": "so is a leading one",
    "encoding-077": "a raw blank broke the log line, which is gone",
    "encoding-078": "a raw tab broke it, too; here it is a control character inside a string",
}
NOW_REFUSED = {
    "encoding-014": "lone surrogates cannot be stored as UTF-8",
    "encoding-073": "raw bytes that are not UTF-8 were replaced by the log reader",
    "encoding-075": "the same",
    "json-007": "a number too large for a double is not JSON for consumers",
    "json-008": "nor is NaN",
    "json-010": "nor is -Infinity",
    "json-012": "integers beyond 64 bits are not what every consumer reads",
}


def vectors(name):
    path = SHARED / f"{name}.jsonl"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    return [pytest.param(vector, id=vector["id"]) for vector in map(json.loads, lines)]


@pytest.mark.parametrize("vector", vectors("mapping-recommended"))
def test_every_decided_case_comes_out(vector):
    given, expected = vector["input"], vector["expected"]
    context = given["context"]
    adapter = LegacyAdapter(MAPPING, host=context["recv_from"])
    query = given["query"].encode()

    if "event" not in expected:
        with pytest.raises(LegacyError) as caught:
            adapter.beacon(query, received_dt=context["receive_dt"])
        assert caught.value.reason == REASONS.get(expected["reason"], "malformed")
        return

    body, offers = adapter.beacon(query, received_dt=context["receive_dt"])
    assert completed(body, offers, context) == expected["event"]


def completed(body, offers, context):
    """Set what the service sets, for a schema that has all the fields that are expected."""
    meta = {
        **body["meta"],
        "id": context["meta_id"],
        "dt": context["receive_dt"],
        "request_id": context["x_request_id"],
    }
    event = {**body, "meta": meta, "dt": offers["dt"], "client_dt": offers["client_dt"]}
    event["recvFrom"] = offers["recvFrom"]
    if "meta.domain" in offers:
        meta["domain"] = offers["meta.domain"]
    header = context["user_agent"] and context["user_agent"][:400]
    user_agent = offers.get("http.request_headers.user-agent", header)
    if user_agent is not None:
        event["http"] = {"request_headers": {"user-agent": user_agent}}
    if body["schema"] == "ServerSideAccountCreation":  # the only one of these with the field
        event["http"]["client_ip"] = context["client_ip"]
    return event


@pytest.mark.parametrize(
    "vector",
    [
        param
        for name in ("client", "delimiter", "encoding", "json", "truncation")
        for param in vectors(f"dev-{name}")
    ],
)
def test_queries_are_read_as_the_old_system_read_them(vector):
    given, expected = vector["input"], vector["expected"]
    hexadecimal = given.get("query_hex")
    query = bytes.fromhex(hexadecimal) if hexadecimal else given["query"].encode()
    read = expected["status"] != "error"

    try:
        capsule = capsule_of(query, loads)
    except LegacyError:
        assert not read or vector["id"] in NOW_REFUSED
        return

    assert read or vector["id"] in NOW_READ
    assert vector["id"] not in NOW_REFUSED
    if read:
        parsed = expected["parsed"] if expected["parsed"] != "=capsule" else expected["capsule"]
        assert own(capsule) == own(parsed)


def own(capsule):
    return {name: value for name, value in capsule.items() if name not in LINE_FIELDS}


# Where strict legacy does not say what was recorded, and why.
KNOWN_TO_DIFFER = {
    "history-012": "the device of an app is Phone in the user agents' database of today, as in the "
    "cases ua-121 and ua-122, which say so",
}
RESULTS = {"ua": "userAgent", "uuid": "uuid", "history": "parsed"}


def on_wiki_schemas():
    """Return the recorded schemas by (name, revision); what lies in `partial` judges nothing."""
    folder = SHARED.parent / "schemas-draft3"
    files = sorted(folder.glob("*.json")) + sorted(folder.glob("backconverted/*.json"))
    schemas = {}
    for path in files:
        reference = reference_in_name(path.stem)
        if reference:
            schemas.setdefault(reference, json.loads(path.read_text("utf-8")))
    return schemas


def test_strict_legacy_answers_every_case_as_the_old_system_did():
    cases = Cases(on_wiki_schemas())
    agreed, differing = Counter(), {}
    paths = sorted(SHARED.glob("dev-*.jsonl"))

    for path in paths:
        for line in path.read_text("utf-8").splitlines():
            vector = json.loads(line)
            differences = differences_of(vector, json.loads(json.dumps(cases.answer(vector))))
            agreed[vector["category"], not differences] += 1
            if differences:
                differing[vector["id"]] = differences

    print(f"\n{'category':<12}{'agreed':>8}{'not':>6}")
    for name in sorted({category for category, _ in agreed}):
        print(f"{name:<12}{agreed[name, True]:>8}{agreed[name, False]:>6}")
    assert differing.keys() == KNOWN_TO_DIFFER.keys(), differing
    assert len(paths) == 15
    assert agreed.total() == 697


def differences_of(vector, answer):
    """Return what an answer says that was not recorded: name -> (answered, recorded)."""
    expected = vector["expected"]
    recorded = {"status": expected["status"]}
    if vector["kind"] == "event":
        for name in ("code", "capsule", "topic", "error_event"):
            recorded[name] = expected.get(name)
    elif vector["kind"] == "eventerror":
        recorded["result"] = {k: v for k, v in expected.items() if k != "status"}
    elif expected["status"] != "error":
        recorded["result"] = expected[RESULTS[vector["kind"]]]
    without_what_the_database_decides(vector, answer, recorded)
    return {
        name: (answer[name], value) for name, value in recorded.items() if answer[name] != value
    }


def without_what_the_database_decides(vector, answer, recorded):
    """Take fields of user agents away that are listed as another with another ua-parser."""
    for library, other in vector.get("expected_with", {}).items():
        if not library.startswith("ua-parser"):
            continue
        for told in (answer, recorded):
            agent = told["result"] if vector["kind"] == "ua" else told["capsule"]["userAgent"]
            for field in other["userAgent"]:
                del agent[field]
