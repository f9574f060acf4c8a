import argparse
import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import logview
from app.eventlog import EventLog
from tests.app.sinks.contract import record, records

ROOT = Path(__file__).parents[2]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.db"


@pytest.fixture
def append(path):
    def append(batch):
        log = EventLog(path)
        log.open()
        asyncio.run(log.append(batch))
        log.close()

    return append


def arguments(*words):
    parser = argparse.ArgumentParser()
    logview.add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


@pytest.fixture
def show(path, capsys):
    """Run the command with options; return its exit code and what it printed."""

    def show(*words, **options):
        code = logview.run(arguments("--path", path, *words), **options)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return show


def offsets(text):
    return [int(line.split()[0]) for line in text.splitlines()]


def test_an_event_is_one_line(append, show):
    append([record(1), record(2)])

    code, out, err = show()

    assert (code, err) == (0, "")
    assert out == (
        '1  2023-11-14T22:13:20.001Z  my.stream  {"number":1}\n'
        '2  2023-11-14T22:13:20.002Z  my.stream  {"number":2}\n'
    )


def test_json_lines_tell_everything(append, show):
    append([record(1, key=b'{"id":7}'), record(value=b'{"big":18446744073709551615,"f":1.10}')])

    _, out, _ = show("--json")

    first, second = out.splitlines()
    assert json.loads(first) == {
        "offset": 1,
        "topic": "dc.my.stream",
        "stream": "my.stream",
        "key": {"id": 7},
        "timestamp": "2023-11-14T22:13:20.001Z",
        "schema_uri": "/my/schema/1.0.0",
        "event": {"number": 1},
    }
    assert json.loads(second)["key"] is None
    assert '{"big":18446744073709551615,"f":1.10}' in second


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--limit", 2], [1, 2]),
        (["--last", 2], [8, 9]),
        (["--after", 7], [8, 9]),
        (["--after", 3, "--limit", 1], [4]),
        (["--after", 8, "--last", 5], [9]),
        (["--stream", "b"], [3, 6, 9]),
        (["--stream", "b", "--last", 1], [9]),
        (["--stream", "a", "--stream", "b", "--limit", 3], [1, 2, 3]),
        (["--limit", 0], []),
        (["--last", 0], []),
    ],
)
def test_a_part_of_the_log_can_be_chosen(append, show, words, expected):
    append([record(n, stream="b" if n % 3 == 0 else "a") for n in range(1, 10)])

    code, out, err = show(*words)

    assert (code, err) == (0, "")
    assert offsets(out) == expected


def test_counts_are_a_table(append, show):
    append([*records(12), record(stream="another")])

    _, out, _ = show("--counts")

    head, first, second = out.splitlines()
    assert head == "STREAM     EVENTS  LAST STORED"
    assert first.startswith("another         1  20")
    assert second.startswith("my.stream      12  20")


def test_counts_can_be_json_lines_of_one_stream(append, show):
    append([*records(12), record(stream="another")])

    _, out, _ = show("--counts", "--json", "--stream", "another")

    count = json.loads(out)
    assert (count["stream"], count["events"], count["last_offset"]) == ("another", 1, 13)


def test_following_shows_what_is_stored_meanwhile_until_ctrl_c(append, show):
    append(records(12))
    turns = []

    def wait(_seconds):
        turns.append(1)
        if len(turns) == 3:
            raise KeyboardInterrupt
        append([record(100 + len(turns))])

    code, out, err = show("--follow", wait=wait)

    assert offsets(out) == list(range(3, 15))
    assert (code, err) == (130, "")


def test_following_ends_at_a_limit(append, show):
    append(records(1))

    code, out, _ = show("-f", "--limit", 3, wait=lambda _: append(records(1)))

    assert code == 0
    assert offsets(out) == [1, 2, 3]


def test_following_can_begin_with_new_events(append, show):
    append(records(5))

    _, out, _ = show("-f", "--last", 0, "--stream", "my.stream", wait=once(append))

    assert offsets(out) == [6]


def once(append):
    """Append one event at the first wait, and press Ctrl-C at the second."""
    turns = []

    def wait(_seconds):
        if turns:
            raise KeyboardInterrupt
        turns.append(1)
        append(records(1))

    return wait


def test_a_missing_log_is_told_with_what_to_do(show, path):
    code, out, err = show()

    assert (code, out) == (2, "")
    assert f"There is no event log {path}" in err
    assert "sluiceway serve" in err
    assert "--path" in err
    assert not path.exists()


def test_a_file_of_something_else_is_told(show, path):
    path.write_text("dear diary\n" * 1000)

    code, _, err = show()

    assert code == 2
    assert "no SQLite file" in err


def test_an_empty_log_says_so(append, show):
    append([])

    code, out, err = show()

    assert (code, out) == (0, "")
    assert "holds no events yet" in err


@pytest.mark.parametrize("words", [[], ["--counts"], ["--json"], ["--last", "3"]])
def test_a_stream_without_events_says_so_and_names_those_that_have_some(append, show, words):
    append([record(stream="one"), record(stream="two\x1b[31m")])

    code, out, err = show("--stream", "three\x1b", *words)

    assert (code, out) == (0, "")
    assert "no events of three\\u001b; it has one, two\\u001b[31m" in err


def test_nothing_after_an_offset_says_so(append, show):
    append(records(2))

    _, out, err = show("--after", "2", "--stream", "my.stream")

    assert out == ""
    assert "no such events after offset 2" in err


HOSTILE = "\x1b[2J\x00\x07\x7f\x9b31m\x85\u2028\u202e\u2066\ufeff"


@pytest.mark.parametrize("words", [[], ["--json"], ["--counts"]])
def test_nothing_in_an_event_reaches_the_terminal_as_a_command(append, show, words):
    value = json.dumps({"text": HOSTILE, "kept": "naïve 🦊"}, ensure_ascii=False).encode()
    append(
        [record(stream=HOSTILE, topic=HOSTILE, key=b"\x9b\x1b", schema_uri=HOSTILE, value=value)]
    )

    _, out, _ = show(*words)

    assert not set(out) & (set(HOSTILE) - set("[2J31m"))
    assert "\\u001b[2J" in out
    if not words or words == ["--json"]:
        assert "naïve 🦊" in out


def test_json_lines_mean_what_was_stored(append, show):
    event = {"text": HOSTILE, "\x9b": "\\u001b 🦊"}
    append([record(stream=HOSTILE, value=json.dumps(event, ensure_ascii=False).encode())])

    _, out, _ = show("--json")

    line = json.loads(out)
    assert line["event"] == event
    assert line["stream"] == HOSTILE


def test_an_event_over_several_lines_is_shown_on_one(append, show):
    append([record(value=b'{\n\t"a": "x\\ny"\r\n}')])

    _, out, _ = show()

    assert out.count("\n") == 1
    assert '"a": "x\\ny"' in out


def test_bytes_that_are_no_json_are_shown_as_a_string(append, show):
    append([record(value=b"\xff\x00not json"), record(value=b"[" * 100_000)])

    code, out, _ = show("--json")

    first, second = out.splitlines()
    assert code == 0
    assert json.loads(first)["event"] == "\\xff\x00not json"
    assert json.loads(second)["event"] == "[" * 100_000


def test_times_beyond_every_calendar_are_shown_as_numbers(append, show):
    append([record(timestamp_ms=2**62)])

    _, out, _ = show()

    assert f"{2**62}ms" in out


@given(st.text())
def test_a_safe_text_holds_nothing_but_printable_characters_and_means_the_same(text):
    safe = logview._safe(json.dumps(text, ensure_ascii=False))

    assert not any(ord(c) < 32 or 127 <= ord(c) < 160 for c in safe)
    assert json.loads(safe) == text


@pytest.mark.parametrize(
    "words", [["--limit", "x"], ["--after", "-1"], ["--limit", "1", "--last", "1"]]
)
def test_wrong_options_are_refused(words, capsys):
    with pytest.raises(SystemExit) as ended:
        arguments(*words)

    assert ended.value.code == 2
    assert capsys.readouterr().err


PROGRAM = """
import argparse, sys
from app import logview
parser = argparse.ArgumentParser()
logview.add_arguments(parser)
sys.exit(logview.run(parser.parse_args()))
"""


def started(path, *words, **options):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "--path", str(path), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=ROOT,
        **options,
    )


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_ends_it_quietly(append, path):
    append(records(20_000))

    with started(path) as process:
        process.stdout.readline()
        process.stdout.close()
        err = process.stderr.read()

    assert (process.returncode, err) == (0, b"")


@pytest.mark.slow
def test_a_terminal_without_utf8_gets_escapes(append, path):
    append([record(value='"naïve 🦊"'.encode())])

    with started(path, env={"PYTHONIOENCODING": "ascii", "PYTHONPATH": str(ROOT)}) as process:
        out, err = process.stdout.read(), process.stderr.read()

    assert err == b""
    assert out.endswith(b'"na\\u00efve \\ud83e\\udd8a"\n')
