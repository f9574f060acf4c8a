import json
import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import ClassVar

import pytest

from app.core.errors import ConfigError, SinkUnavailable, UnknownDelivery
from app.spooling.file import SpoolFile
from app.spooling.format import OtherDestination
from app.spooling.lock import SpoolHeld
from app.spooling.row import OVERHEAD, UnkeepableRecord
from app.spooling.table import Refused
from tests.app.sinks.contract import record, records

ROOT = Path(__file__).parents[2]

WRITER = """
import sys
from pathlib import Path
from app.spooling.file import SpoolFile
from tests.app.sinks.contract import record

file = SpoolFile.open(Path(sys.argv[1]), destination="test")
for turn in range(10**6):
    batch = [record(turn * 10 + n, value=b'{"number":%d}' % (turn * 10 + n)) for n in range(10)]
    ids = file.append(batch)
    print("".join(f"{turn * 10 + n} " for n in range(10)), flush=True)
    if turn % 5 == 4:
        rows = file.read("my.stream", max_records=7, max_bytes=10**6)
        for row in rows:
            print("gone", row.record.value.decode(), flush=True)
        file.settle("my.stream", rows)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spool-0.db"


@pytest.fixture
def opened(path):
    files = []

    def opened(at=path, destination="test", **options):
        file = SpoolFile.open(at, destination=destination, **options)
        files.append(file)
        return file

    yield opened
    for file in files:
        file.close()


def rows_of(file, stream="my.stream"):
    return file.read(stream, max_records=10**6, max_bytes=2**40)


def test_what_is_appended_is_read_back_by_stream_in_order(opened):
    file = opened()
    a, b = records(3), [record(n, stream="other", key=b"k") for n in range(3)]

    ids = file.append([a[0], b[0], b[1], a[1]]) + file.append([b[2], a[2]])

    assert ids == [1, 2, 3, 4, 5, 6]
    assert [row.record for row in rows_of(file)] == a
    assert [row.record for row in rows_of(file, "other")] == b
    assert rows_of(file, "unknown") == []


def test_a_chunk_is_bounded_in_records_and_in_bytes_but_never_empty(opened):
    file = opened()
    file.append([record(n, value=b"x" * 1000) for n in range(10)])

    few = file.read("my.stream", max_records=3, max_bytes=10**6)
    small = file.read("my.stream", max_records=10, max_bytes=2 * (1000 + OVERHEAD))
    one = file.read("my.stream", max_records=10, max_bytes=1)

    assert [len(few), len(small), len(one)] == [3, 2, 1]


def test_what_was_settled_is_gone_and_counted_off(opened, path):
    file = opened()
    file.append([*records(5), record(9, stream="other")])
    rows = rows_of(file)

    file.settle("my.stream", rows[:2], [Refused(rows[3], "too_large", "It is too large.")])

    assert [row.id for row in rows_of(file)] == [3, 5]
    assert file.waiting == 3
    assert file.dropped == {"refused": 1}
    assert file.size == sum(row.size for row in (*rows_of(file), *rows_of(file, "other"), rows[3]))
    with closing(sqlite3.connect(path)) as db:
        kept = db.execute("SELECT id, stream, value, reason, sentence FROM refused").fetchall()
    assert kept == [(4, "my.stream", record(3).value, "too_large", "It is too large.")]


def test_figures_are_the_same_after_a_restart(opened):
    file = opened()
    file.append([*records(50), record(9, stream="other", key=b"key")])
    rows = rows_of(file)
    file.settle("my.stream", rows[:7], [Refused(rows[9], "too_large", "It is too large.")])
    before = (file.tallies, file.waiting, file.size)
    file.close()

    file = opened()

    assert (file.tallies, file.waiting, file.size) == before
    assert file.append([record()]) == [52]


def test_an_id_is_never_given_twice(opened):
    file = opened()
    file.append(records(3))
    file.settle("my.stream", rows_of(file))
    file.close()

    assert opened().append([record()]) == [4]


def test_the_file_shrinks_when_it_is_drained(opened, path):
    file = opened()
    for _ in range(4):
        file.append([record(n, value=os.urandom(8_000)) for n in range(500)])
    grown = path.stat().st_size

    while rows := file.read("my.stream", max_records=500, max_bytes=2**20):
        file.settle("my.stream", rows)

    assert grown > 12_000_000
    assert path.stat().st_size < 3_000_000
    assert Path(f"{path}-wal").stat().st_size < 5_000_000


def test_a_file_that_another_process_has_is_not_opened(opened, path):
    opened()

    with pytest.raises(SpoolHeld, match=f"in use by process {os.getpid()}.*end that process"):
        SpoolFile.open(path, destination="test")


def test_a_file_for_elsewhere_is_left_as_it_is(opened, path):
    file = opened(destination="the other cluster")
    file.append(records(2))
    file.close()

    with pytest.raises(OtherDestination, match="the other cluster"):
        opened(destination="test")

    assert opened(destination="the other cluster").waiting == 2


def test_a_file_of_a_later_format_is_left_as_it_is(opened, path):
    opened().close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE meta SET value = '2', crc = ? WHERE name = 'format'", (0x1AD5BE0D,))
        db.commit()

    with pytest.raises(ConfigError, match="format 2"):
        opened()


def test_a_file_of_another_program_is_left_as_it_is(opened, path):
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE cookies (name)")

    with pytest.raises(ConfigError, match="another program"):
        opened()

    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT * FROM cookies").fetchall() == []


def test_a_folder_that_cannot_be_written_is_the_operators_to_mend(tmp_path):
    (tmp_path / "file").touch()

    with pytest.raises(ConfigError, match="Let the spool be in a folder"):
        SpoolFile.open(tmp_path / "file" / "spool-0.db", destination="test")


def test_a_record_that_cannot_be_kept_leaves_nothing_behind(opened):
    file = opened()

    with pytest.raises(UnkeepableRecord):
        file.append([record(1), record(2, topic="\ud800")])

    assert file.append([record(3)]) == [1]
    assert [row.record for row in rows_of(file)] == [record(3)]


class SmallDisk(sqlite3.Connection):
    """A connection whose file may not grow."""

    pages = 12

    def execute(self, sql, *args):
        if sql == "BEGIN IMMEDIATE":
            super().execute(f"PRAGMA max_page_count = {self.pages}")
        return super().execute(sql, *args)


def test_a_full_disk_refuses_a_group_and_takes_one_when_there_is_room(opened):
    file = opened(factory=SmallDisk)
    file.append(records(2))

    with pytest.raises(SinkUnavailable, match="full"):
        file.append([record(n, value=b"x" * 100_000) for n in range(10)])

    assert file.append([record(5)]) == [3]
    assert [row.record for row in rows_of(file)] == [*records(2), record(5)]
    file.settle("my.stream", rows_of(file))
    assert file.waiting == 0


class FailingCommit(sqlite3.Connection):
    """A connection whose next COMMITs fail with these codes."""

    codes: ClassVar[list[int]] = []

    def execute(self, sql, *args):
        if sql == "COMMIT" and self.codes:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = self.codes.pop()
            raise error
        return super().execute(sql, *args)


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (sqlite3.SQLITE_FULL, SinkUnavailable),
        (sqlite3.SQLITE_IOERR_WRITE, SinkUnavailable),
        (sqlite3.SQLITE_IOERR_FSYNC, UnknownDelivery),
        (sqlite3.SQLITE_IOERR, UnknownDelivery),
    ],
)
def test_a_failed_commit_is_told_as_what_it_is_and_the_next_succeeds(opened, code, failure):
    file = opened(factory=FailingCommit)
    FailingCommit.codes = [code]

    with pytest.raises(failure):
        file.append(records(2))

    assert file.append([record(7)]) == [1]
    assert [row.record for row in rows_of(file)] == [record(7)]


class DamagedOnce(sqlite3.Connection):
    """A connection that once finds its file damaged, while rows are written or read."""

    when: ClassVar[str] = ""

    def execute(self, sql, *args):
        if self.when and self.when in sql:
            type(self).when = ""
            error = sqlite3.DatabaseError("database disk image is malformed")
            error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
            raise error
        return super().execute(sql, *args)


@pytest.mark.parametrize("when", ["BEGIN IMMEDIATE", "INDEXED BY"])
def test_damage_found_while_in_use_is_salvaged_on_the_spot(opened, path, when, caplog):
    file = opened(factory=DamagedOnce)
    file.append(records(100))
    rows = rows_of(file)
    DamagedOnce.when = when

    with pytest.raises(SinkUnavailable, match="malformed"):
        file.settle("my.stream", rows[:1])

    file.settle("my.stream", rows[:1])
    assert rows_of(file) == rows[1:]
    assert file.append([record()]) == [101]
    assert file.dropped == {"refused": 0, "corrupt": 0, "lost": 0}
    assert len(list(path.parent.glob("spool-0.db.broken-*"))) == 1
    assert "A spool file was damaged" in caplog.text


def test_a_removed_file_is_not_written_to_unseen_and_still_drained(opened, path):
    file = opened()
    file.append(records(2))
    path.rename(path.with_suffix(".moved"))

    with pytest.raises(SinkUnavailable, match="restart"):
        file.append([record()])

    assert [row.record for row in rows_of(file)] == records(2)


def test_a_file_that_is_gone_at_the_start_is_counted_as_lost(opened, path, caplog):
    file = opened()
    file.append(records(5))
    file.settle("my.stream", rows_of(file)[:2])
    file.close()
    path.unlink()

    file = opened()

    assert file.dropped == {"lost": 3}
    assert "A spool file is gone" in caplog.text
    assert file.append([record()]) == [6]


@pytest.mark.slow
def test_what_was_told_survives_kill_9_and_nothing_else_comes_back(path):
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as writer:
        lines = [writer.stdout.readline() for _ in range(2000)]
        writer.send_signal(signal.SIGKILL)
        lines += writer.stdout.read().split("\n")[:-1]
    told, gone = set(), set()
    for line in lines:
        if line.startswith("gone"):
            gone.add(json.loads(line[5:])["number"])
        else:
            told.update(int(number) for number in line.split())

    file = SpoolFile.open(path, destination="test")

    kept = [json.loads(row.record.value)["number"] for row in rows_of(file)]
    file.close()
    assert not file.dropped
    assert kept == sorted(set(kept))
    assert told - gone <= set(kept)
    assert len(set(kept) - (told - gone)) <= 10 + 7  # told by nobody yet, or settled by nobody yet
