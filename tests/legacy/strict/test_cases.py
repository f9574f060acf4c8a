import json
from uuid import NAMESPACE_URL, uuid5

import pytest

from legacy.strict.cases import Cases, line_of

QUERY = "%7B%22schema%22%3A%22A%22%2C%22revision%22%3A1%2C%22wiki%22%3A%22w%22%7D;"
SCHEMAS = {("A", 1): {"properties": {}}}


def answer(kind, **given):
    return Cases(SCHEMAS).answer({"id": "x-1", "kind": kind, "input": given})


def test_every_answer_has_the_same_fields():
    told = answer("event", query=QUERY)

    assert list(told) == ["id", "status", "code", "capsule", "topic", "error_event", "result"]
    assert (told["id"], told["status"], told["topic"]) == ("x-1", "valid", "eventlogging_A")
    assert told["result"] is None


def test_queries_stand_in_a_line_of_which_the_context_may_change_parts():
    told = answer("event", query=QUERY, context={"seqId": 5, "recvFrom": "h"})

    assert told["capsule"]["seqId"] == 5
    assert told["capsule"]["recvFrom"] == "h"
    assert told["capsule"]["dt"] == "2019-11-05T10:20:30Z"


def test_bytes_that_are_no_text_are_replaced_as_the_log_reader_did():
    assert line_of({"query_hex": "61ff"}).startswith("?a\ufffd\t")


def test_a_case_may_bring_a_line_and_its_format():
    told = answer(
        "event",
        line=f"?{QUERY}\tcp1\t7\t2018-03-04T05:06:07",
        format="%q %{recvFrom}s %{seqId}d %t",
    )

    assert told["capsule"]["timestamp"] == 1520139967


def test_a_case_s_own_schema_stands_before_that_of_all():
    told = answer("event", query=QUERY, schemas={"A/1": {"required": True}})

    assert (told["status"], told["code"]) == ("invalid", "validation")


def test_schemas_of_one_case_are_unknown_to_the_next():
    cases = Cases(SCHEMAS)
    query = QUERY.replace("22A%22", "22B%22")
    with_schema = {"kind": "event", "input": {"query": query, "schemas": {"B/1": {"id": "b"}}}}
    without = {"kind": "event", "input": {"query": query}}

    first, second = cases.answer(with_schema), cases.answer(without)

    assert first["status"] == "valid"
    assert (second["status"], second["code"]) == ("error", "processor")
    assert second["error_event"] == {
        "code": "processor",
        "rawEvent_is": "raw line",
        "schema": "B",
        "revision": 1,
    }


def test_numbers_that_json_does_not_know_are_written_out():
    query = QUERY.replace("%7D;", "%2C%22event%22%3A[NaN,1e400,-1e400,1.5]%7D;")

    told = answer("event", query=query)

    assert told["capsule"]["event"] == [
        {"$float": "NaN"},
        {"$float": "Infinity"},
        {"$float": "-Infinity"},
        1.5,
    ]
    json.dumps(told, allow_nan=False)


@pytest.mark.parametrize(
    ("kind", "given", "status", "result"),
    [
        ("ua", {"userAgent": "x" * 801}, "error", None),
        ("uuid", {"capsule": {"timestamp": "soon"}}, "error", None),
        (
            "uuid",
            {"capsule": {"dt": "x"}},
            "ok",
            uuid5(NAMESPACE_URL, "event://None/?seqId=None&dt=x").hex,
        ),
        (
            "history",
            {"release": "2015-02", "format": "%{x}d %j", "line": "x"},
            "error",
            None,
        ),
    ],
)
def test_other_kinds_answer_with_a_result(kind, given, status, result):
    told = answer(kind, **given)

    assert (told["status"], told["result"]) == (status, result)


def test_event_errors_are_answered_without_what_is_never_the_same():
    told = answer("eventerror", raw_event="?", message="boom", code="processor")

    assert told["status"] == "ok"
    assert told["result"] == {
        "schema": "EventError",
        "revision": 14035058,
        "wiki": "",
        "event": {
            "rawEvent": "?",
            "message": "boom",
            "code": "processor",
            "schema": "unknown",
            "revision": -1,
        },
    }


@pytest.mark.parametrize("case", [{}, {"kind": "event"}, {"kind": "no such kind", "input": {}}])
def test_what_is_no_case_is_refused(case):
    with pytest.raises(ValueError, match=r"no input|no kind"):
        Cases({}).answer(case)
