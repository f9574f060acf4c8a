import os
import sqlite3
from pathlib import Path

import pytest

from app.core.events import Record
from app.diagnosis.spool import Spooling, examine_spool, holder_of
from app.spooling.spool import Spool

RECORD = Record("s", "t", b"{}", None, 1_700_000_000_000, "/a/1.0.0")
OURS = "sluiceway kafka"
SPOOLED_AT = 1_700_000_000.0


def examined(folder: Path, *, age: float = 10.0, **changes: object):
    facts = {"destination": OURS, "max_size": 1_000_000, "min_free": 0, "workers": 1}
    return examine_spool(
        Spooling(folder=folder, **(facts | changes)), clock=lambda: SPOOLED_AT + age
    )


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


async def opened(folder: Path, records: int = 3) -> Spool:
    spool = Spool(folder, destination=OURS, min_free=0, clock=lambda: SPOOLED_AT)
    await spool.open()
    if records:
        await spool.append([RECORD] * records)
    return spool


def test_a_folder_that_can_be_made_is_well_and_is_not_made(tmp_path):
    (found,) = examined(tmp_path / "a" / "b")

    assert found.level == "ok"
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_a_problem(tmp_path):
    (tmp_path / "file").write_text("")

    (found,) = examined(tmp_path / "file" / "spool")

    assert found.level == "problem"


def test_a_disk_with_less_room_than_may_be_spooled_is_a_warning(tmp_path):
    (found,) = examined(tmp_path, max_size=2**60, workers=3)

    assert found.level == "warning"
    assert "3 workers" in found.text


def test_a_disk_on_which_nothing_may_be_spooled_is_a_problem(tmp_path):
    (found,) = examined(tmp_path, min_free=2**60)

    assert found.level == "problem"


async def test_what_waits_for_a_process_that_runs_is_said_with_the_process(tmp_path):
    spool = await opened(tmp_path)
    try:
        found = examined(tmp_path)[1]
    finally:
        await spool.close(1.0)

    assert found.level == "ok"
    assert found.text.startswith("3 records in")
    assert f"for process {os.getpid()} (the oldest for 10 s)" in found.text


async def test_what_waits_for_long_is_a_warning(tmp_path):
    spool = await opened(tmp_path)
    try:
        found = examined(tmp_path, age=3_600)[1]
    finally:
        await spool.close(1.0)

    assert found.level == "warning"


async def test_what_waits_for_nobody_is_a_warning_and_is_left_as_it_was(tmp_path):
    spool = await opened(tmp_path)
    await spool.close(1.0)
    before = contents(tmp_path)

    found = examined(tmp_path)[1]

    assert found.level == "warning"
    assert "3 records" in found.text
    assert "for no process" in found.text
    assert contents(tmp_path) == before


async def test_what_waits_for_another_service_is_said_to_be_so(tmp_path):
    spool = await opened(tmp_path)
    await spool.close(1.0)

    found = examined(tmp_path, destination="other kafka")[1]

    assert found.level == "warning"
    assert "for another service (sluiceway kafka, not other kafka)" in found.text


async def test_a_file_that_nothing_waits_in_is_well(tmp_path):
    spool = await opened(tmp_path, records=0)
    try:
        found = examined(tmp_path)[1]
    finally:
        await spool.close(1.0)

    assert found.level == "ok"
    assert found.text.startswith("Nothing waits in")


async def test_records_that_kafka_refused_are_a_warning(tmp_path):
    spool = await opened(tmp_path)
    await spool.close(1.0)
    db = sqlite3.connect(tmp_path / "spool-0.db")
    db.execute("INSERT INTO refused (id, reason) VALUES (9, 'refused')")
    db.commit()
    db.close()

    found = examined(tmp_path)[-1]

    assert found.level == "warning"
    assert found.text.startswith("1 record in")
    assert "`refused`" in found.advice


def test_a_damaged_file_is_a_problem_and_is_left_as_it_was(tmp_path):
    (tmp_path / "spool-0.db").write_bytes(b"no database" * 100)
    before = contents(tmp_path)

    found = examined(tmp_path)[1]

    assert found.level == "problem"
    assert contents(tmp_path) == before


async def test_a_file_as_a_crash_left_it_is_not_repaired_by_looking(tmp_path):
    spool = await opened(tmp_path)
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("spool-0.db", "spool-0.db-wal"):
        (copy / name).write_bytes((tmp_path / name).read_bytes())
    await spool.close(1.0)
    before = contents(copy)

    found = examined(copy)[1]

    assert found.level == "warning"
    assert "as a crash left it" in found.text
    assert contents(copy) == before


@pytest.mark.parametrize(("pid", "holder"), [(os.getpid(), os.getpid()), (2**22 + 1, 0)])
def test_where_locks_cannot_be_listed_the_noted_process_must_run(tmp_path, pid, holder):
    (tmp_path / "spool-0.lock").write_text(f"pid {pid:<10} last 0 waiting 0")

    assert holder_of(tmp_path / "spool-0.db", locks=tmp_path / "none") == holder
