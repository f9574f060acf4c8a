"""The command itself, on files; what a line means is tested with the decoders."""

import argparse
import json
import subprocess
import sys
from urllib.parse import quote

import pytest

from app.commands import decode
from app.commands.oldlines import MAX_LINE
from app.core.errors import ConfigError
from tests.support import environment

CAPSULE = {
    "schema": "DemoButtonClick",
    "revision": 1,
    "wiki": "demo",
    "event": {"button": "save"},
}
QUERY = "?" + quote(json.dumps(CAPSULE)) + ";"
LINE = f'{QUERY}\tcp1\t7\t2018-03-04T05:06:07\t192.0.2.1\t"Agent/1.0"'
AS_PROCESS = (
    "import argparse, sys\n"
    "from app.commands import decode\n"
    "parser = argparse.ArgumentParser()\n"
    "decode.add_arguments(parser)\n"
    "sys.exit(decode.run(parser.parse_args()))\n"
)


@pytest.fixture
def run(tmp_path, monkeypatch, capfdbinary):
    """Run the command on lines; return its code, the events it printed, and what it said."""
    monkeypatch.chdir(tmp_path)

    def run(lines, *args):
        (tmp_path / "old").write_text("".join(f"{line}\n" for line in lines))
        parser = argparse.ArgumentParser()
        decode.add_arguments(parser)
        code = decode.run(parser.parse_args(["old", *args]))
        printed, said = capfdbinary.readouterr()
        return code, [json.loads(line) for line in printed.splitlines()], said.decode()

    return run


@pytest.mark.parametrize(
    "line", [QUERY, f"https://host/beacon/event{QUERY}", json.dumps(CAPSULE), LINE]
)
def test_queries_capsules_and_log_lines_come_out_as_modern_events(run, line):
    code, [event], said = run([line])

    assert (code, said) == (0, "")
    assert event["$schema"] == "/demo/legacy/buttonclick/1.0.0"
    assert event["meta"]["stream"] == "eventlogging_DemoButtonClick"
    assert event["event"] == {"button": "save"}


def test_log_lines_say_when_and_from_whom(run):
    _, [event], _ = run([LINE])

    assert event["dt"] == "2018-03-04T05:06:07.000Z"
    assert event["http"]["client_ip"] == "192.0.2.1"
    assert event["http"]["request_headers"]["user-agent"] == "Agent/1.0"


def test_each_capsule_of_an_array_is_an_event(run):
    code, events, said = run([json.dumps([CAPSULE, {**CAPSULE, "event": {"button": 5}}, CAPSULE])])

    assert (code, len(events)) == (1, 2)
    assert said.startswith("line 1: schema_violation: '/event/button'")


def test_what_cannot_be_decoded_is_told_with_its_line_and_does_not_stop_the_rest(run):
    lines = ["%7B", "", QUERY, '{"schema": "Nobody"}', "null\t?", "{", "x" * (MAX_LINE + 2), QUERY]

    code, events, said = run(lines)

    assert (code, len(events)) == (1, 2)
    told = [line.split(": ")[:2] for line in said.splitlines()]
    assert told == [
        ["line 1", "malformed"],
        ["line 4", "unmapped_schema"],
        ["line 5", "malformed"],
        ["line 6", "malformed"],
        ["line 7", "malformed"],
    ]


def test_more_lines_than_fit_in_a_batch_keep_their_order(run):
    capsules = [{**CAPSULE, "revision": number} for number in range(decode.BATCH + 7)]

    _, events, _ = run([json.dumps(capsule) for capsule in capsules])

    assert [event["revision"] for event in events] == list(range(decode.BATCH + 7))


def test_a_format_makes_every_line_a_log_line(run):
    lines = [f"{QUERY} cp1 7 2013-01-19T23:16:38", QUERY]

    code, [event], said = run(lines, "--format", "%q %l %n %t")

    assert event["dt"] == "2013-01-19T23:16:38.000Z"
    assert code == 1
    assert said.startswith("line 2: malformed: ")


def test_what_lines_are_may_be_said(run):
    raw = json.dumps(CAPSULE).replace(" ", "+")

    code, events, _ = run([raw], "--from", "query")

    assert (code, len(events)) == (0, 1)


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["--strict"], "--strict needs --schemas"),
        (["--strict", "--schemas", "nowhere"], "nowhere is no folder"),
        (["--schemas", "."], "goes with --strict"),
        (["--vectors", "nowhere", "--schemas", "."], "nowhere cannot be read"),
        (["--format", "%x"], "--format: "),
        (["--format", "%x", "--strict", "--schemas", "."], "--format: "),
        (["--config", "nowhere"], "nowhere cannot be read"),
    ],
)
def test_wrong_calls_are_said_to_be_so(run, args, problem):
    with pytest.raises(ConfigError, match=problem):
        run([], *args)


def test_a_file_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    parser = argparse.ArgumentParser()
    decode.add_arguments(parser)

    with pytest.raises(ConfigError, match=r"nowhere cannot be read: No such file"):
        decode.run(parser.parse_args(["nowhere"]))


@pytest.fixture
def schemas(tmp_path):
    folder = tmp_path / "schemas"
    (folder / "more").mkdir(parents=True)
    (folder / "partial").mkdir()
    button = {"properties": {"button": {"type": "string", "required": True}}}
    (folder / "DemoButtonClick-1.json").write_text(json.dumps(button))
    (folder / "more" / "DemoButtonClick-1.json").write_text('{"type": "string"}')
    (folder / "more" / "Deeper-0.json").write_text('{"properties": {}}')
    (folder / "partial" / "Partial-1.json").write_text("{}")
    (folder / "Bad-1.json").write_text('{"properties": 5}')
    (folder / "Worse-1.json").write_text("{")
    (folder / "README.json").write_text("{")
    return str(folder)


def test_strictly_the_old_system_s_capsule_is_printed_or_its_event_error(run, schemas):
    lines = [
        LINE,
        QUERY,
        json.dumps(CAPSULE),
        json.dumps({**CAPSULE, "event": {}}),
        "%7B",
        json.dumps({**CAPSULE, "schema": "Deeper", "event": {}}),
        json.dumps({"meta": {"schema_uri": 5}}),
    ]

    code, told, said = run(lines, "--strict", "--schemas", schemas)

    names = [event["schema"] for event in told]
    assert names == [*["DemoButtonClick"] * 3, "EventError", "EventError", "Deeper"]
    assert told[0]["uuid"] == "62cc1f5d84c65db19e3954dfae772cee"
    assert told[3]["event"]["code"] == "validation"
    assert told[4]["event"]["code"] == "processor"
    assert code == 1
    complaints = said.splitlines()
    assert "Bad-1.json is left out: 5 is not of type 'object'" in complaints[0]
    assert "Worse-1.json is left out" in complaints[1]
    assert [line.split(": ")[:2] for line in complaints[2:]] == [
        ["line 4", "validation"],
        ["line 5", "processor"],
        ["line 7", "processor"],
    ]


def test_strictly_a_line_may_be_too_long_too(run, schemas):
    code, told, said = run(["x" * (MAX_LINE + 2), LINE], "--strict", "--schemas", schemas)

    assert (code, len(told)) == (1, 1)
    assert said.splitlines()[-1] == "line 1: the line is too long"


def test_strictly_no_depth_of_nesting_ends_the_run(run, schemas):
    depths = [*range(940, 1_000, 3), 100_000]
    nested = ["?" + json.dumps({**CAPSULE, "event": 1})[:-2] + "[" * n + "]" * n for n in depths]
    lines = [f"{query.replace(' ', '+')}%7D" for query in nested]

    code, told, said = run([*lines, LINE], "--strict", "--schemas", schemas)

    assert code == 1
    assert told[-1]["schema"] == "DemoButtonClick"
    complaints = [line for line in said.splitlines() if line.startswith("line ")]
    published = [event for event in told if event["schema"] == "DemoButtonClick"]
    assert len(published) + len(complaints) == len(lines) + 1
    assert complaints[-1].startswith(f"line {len(lines)}: processor: ")


def test_recorded_cases_are_answered_one_by_one(run, schemas, tmp_path):
    cases = [
        {"id": "a", "kind": "event", "input": {"line": LINE}},
        {"id": "b", "kind": "ua", "input": {"userAgent": "curl/7.58.0"}},
        {"id": "c", "kind": "no such kind", "input": {}},
        {"id": "d", "kind": "ua", "input": {}},
    ]
    lines = [*(json.dumps(case) for case in cases), "{", "[]", "x" * (MAX_LINE + 2)]
    (tmp_path / "cases.jsonl").write_text("\n".join(lines))

    code, answers, said = run([], "--strict", "--vectors", "cases.jsonl", "--schemas", schemas)

    assert code == 1
    assert [(answer["id"], answer["status"]) for answer in answers] == [
        ("a", "valid"),
        ("b", "ok"),
        ("d", "error"),
    ]
    complaints = [line for line in said.splitlines() if line.startswith("line ")]
    assert [line.split(": ")[0] for line in complaints] == ["line 3", "line 5", "line 6", "line 7"]


def decoding(folder, *args, **kwargs):
    return subprocess.Popen(
        [sys.executable, "-c", AS_PROCESS, *args],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        **kwargs,
    )


@pytest.mark.slow
def test_standard_input_is_read_where_no_file_is_named(tmp_path):
    process = decoding(tmp_path, stdin=subprocess.PIPE)

    printed, said = process.communicate(f"{QUERY}\n{LINE}\n".encode(), timeout=60)

    assert (process.returncode, said) == (0, b"")
    assert len(printed.splitlines()) == 2


@pytest.mark.slow
def test_it_ends_quietly_when_its_reader_does(tmp_path):
    (tmp_path / "old").write_text(f"{LINE}\n" * 5_000)
    process = decoding(tmp_path, "old")

    process.stdout.readline()
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()

    assert (process.wait(60), said) == (1, b"")


@pytest.mark.slow
def test_memory_does_not_grow_with_the_file(tmp_path):
    peaks = []
    for count in (1_000, 20_000):
        (tmp_path / "old").write_text(f"{LINE}\n" * count)
        measured = AS_PROCESS.replace(
            "sys.exit(decode.run(parser.parse_args()))",
            "import resource\n"
            "decode.run(parser.parse_args())\n"
            "peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "print(peak, file=sys.stderr)",
        )
        process = subprocess.run(
            [sys.executable, "-c", measured, "old"],
            cwd=tmp_path,
            env=environment(),
            capture_output=True,
            timeout=100,
            check=True,
        )
        assert len(process.stdout.splitlines()) == count
        peaks.append(int(process.stderr))

    # Held in memory, 19,000 events would be more than 40,000 kB.
    assert peaks[1] - peaks[0] < 12_000
