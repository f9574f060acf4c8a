import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.migration.parity.house import line, query, write_house

SLUICEWAY = Path(sys.executable).parent / "sluiceway"
EVENTS = [
    {"button": "save"},
    {"button": "save", "count": 5.0},
    {"button": "cancel", "count": 2**53},
    {"button": "cancel", "colour": "red"},
    {"button": "eat"},
]


@pytest.fixture
def house(tmp_path):
    settings, old = write_house(tmp_path)
    return ["--config", str(settings), "--old-schemas", str(old)]


def lines(count):
    return [line(EVENTS[n % len(EVENTS)], n) for n in range(count)]


def write(path, content):
    path.write_text("".join(f"{each}\n" for each in content))
    return str(path)


def verify(*arguments, given=None):
    return subprocess.run(
        [SLUICEWAY, "migrate", "verify", *arguments],
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_it_shows_who_took_what_and_why(house, tmp_path):
    ran = verify(write(tmp_path / "traffic", lines(10)), *house, "--jobs", "1")

    assert ran.returncode == 1
    assert "both accept" in ran.stdout
    assert "unknown_property: 2 events" in ran.stdout
    assert "10 lines in" in ran.stderr


def test_it_is_content_when_nothing_but_what_is_allowed_differs(house, tmp_path):
    traffic = write(tmp_path / "traffic", lines(10))
    allowed = ("unknown_property", "whole_float", "beyond_safe_integer")

    some = verify(traffic, *house, "--jobs", "1", "--allow", allowed[0])
    every = verify(traffic, *house, "--jobs", "1", *(f"--allow={kind}" for kind in allowed))

    assert (some.returncode, every.returncode) == (1, 0)


def test_stdin_is_read(house):
    ran = verify("-", *house, "--json", given=query({"button": "save"}) + "\n")

    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["totals"]["matrix"]["both_accept"] == 1


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere"], "there is no such file"),
        ([], "Say what to replay"),
        (["-", "--kafka", "127.0.0.1:1", "--topic", "t"], "Say what to replay"),
        (["--kafka", "127.0.0.1:1"], "go together"),
        (["-", "--allow", "everything"], "--allow everything"),
        (["-", "--clock", "yesterday"], "--clock"),
        (["-", "--format", "%Z"], "--format"),
    ],
)
def test_a_wrong_call_is_told_and_ends_with_2(house, arguments, told):
    ran = verify(*arguments, *house, given="")

    assert ran.returncode == 2
    assert told in ran.stderr
    assert "Traceback" not in ran.stderr


def test_reports_are_the_same_with_one_job_or_two_and_when_it_goes_on(house, tmp_path):
    folder = tmp_path / "traffic"
    folder.mkdir()
    for name in "abcd":
        write(folder / name, lines(200))
    outs = [tmp_path / f"{name}.json" for name in ("one", "two", "again")]
    work = ["--work", str(tmp_path / "work")]

    for out, more in zip(outs, (["--jobs", "1"], ["--jobs", "2", *work], work), strict=True):
        assert verify(str(folder), *house, "--out", str(out), *more).returncode == 1

    one, two, again = (out.read_bytes() for out in outs)
    assert one == two == again
    assert len(list((tmp_path / "work").glob("*.portion"))) == 4


def test_who_was_killed_goes_on_where_it_was(house, tmp_path):
    folder = tmp_path / "traffic"
    folder.mkdir()
    for number in range(6):
        write(folder / str(number), lines(3_000))
    work = tmp_path / "work"
    out = ["--out", str(tmp_path / "killed.json"), "--work", str(work)]
    whole = ["--out", str(tmp_path / "whole.json"), "--jobs", "2"]

    command = [SLUICEWAY, "migrate", "verify", str(folder), *house, *out, "--jobs", "1"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    ends = time.monotonic() + 60
    while not list(work.glob("*.portion")) and time.monotonic() < ends:
        time.sleep(0.02)
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    kept = {path: path.stat().st_mtime_ns for path in work.glob("*.portion")}
    verify(str(folder), *house, *out)
    verify(str(folder), *house, *whole)

    assert 0 < len(kept) < 6
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())
    assert (tmp_path / "killed.json").read_bytes() == (tmp_path / "whole.json").read_bytes()


def test_results_of_other_settings_or_traffic_are_not_taken(house, tmp_path):
    traffic = tmp_path / "traffic"
    write(traffic, lines(5))
    work = ["--work", str(tmp_path / "work"), "--jobs", "1", "--json"]
    verify(str(traffic), *house, *work)

    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(mapping.read_text().replace("eventlogging_Click", "eventlogging_Other"))
    other = json.loads(verify(str(traffic), *house, *work).stdout)
    write(traffic, lines(6))
    more = json.loads(verify(str(traffic), *house, *work).stdout)

    assert other["totals"]["matrix"]["both_accept"] == 0
    assert more["totals"]["lines"] == 6


@pytest.mark.skipif(
    importlib.util.find_spec("pyspark") is None
    and os.environ.get("SLUICEWAY_REQUIRE_SPARK") != "1",
    reason="PySpark is not installed: make spark",
)
def test_spark_gives_the_same_report(house, tmp_path):
    folder = tmp_path / "traffic"
    folder.mkdir()
    for name in "abc":
        write(folder / name, lines(100))
    here, there = tmp_path / "here.json", tmp_path / "there.json"

    verify(str(folder), *house, "--out", str(here), "--jobs", "1")
    ran = verify(
        *(str(folder), *house, "--out", str(there)),
        *("--engine", "spark", "--master", "local[2]"),
    )

    assert ran.returncode == 1, ran.stderr
    assert here.read_bytes() == there.read_bytes()
