import os
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from app.core.errors import ConfigError
from app.logfile import FORMAT, open_for_reading, open_for_writing


@pytest.fixture
def path(tmp_path):
    return tmp_path / "events.db"


@pytest.fixture
def made(path):
    open_for_writing(path, lock_timeout=1).close()
    return path


def test_commits_are_durable(path):
    with closing(open_for_writing(path, lock_timeout=1)) as db:
        full = 2
        assert db.execute("PRAGMA synchronous").fetchone()[0] == full
        assert db.execute("PRAGMA journal_mode").fetchone()[0] == "wal"


def test_a_file_is_opened_again_as_it_was(made):
    with closing(open_for_writing(made, lock_timeout=1)) as db:
        assert db.execute("PRAGMA user_version").fetchone()[0] == FORMAT
        assert db.execute("SELECT count(*) FROM events").fetchone()[0] == 0


@pytest.mark.parametrize(
    "open_file", [lambda p: open_for_writing(p, lock_timeout=1), open_for_reading]
)
def test_a_newer_format_is_refused_and_left_alone(made, open_file):
    with closing(sqlite3.connect(made)) as db:
        db.execute(f"PRAGMA user_version = {FORMAT + 1}")

    with pytest.raises(ConfigError, match=f"format {FORMAT + 1}.*knows format {FORMAT}"):
        open_file(made)


@pytest.mark.parametrize(
    "open_file", [lambda p: open_for_writing(p, lock_timeout=1), open_for_reading]
)
def test_the_database_of_another_program_is_refused_and_left_alone(path, open_file):
    with closing(sqlite3.connect(path)) as db:
        db.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()

    with pytest.raises(ConfigError, match="of another program"):
        open_file(path)

    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "open_file", [lambda p: open_for_writing(p, lock_timeout=1), open_for_reading]
)
def test_a_file_that_is_no_database_is_refused_and_left_alone(path, open_file):
    path.write_text("dear diary\n" * 1000)

    with pytest.raises(ConfigError, match="no SQLite file"):
        open_file(path)

    assert path.read_text() == "dear diary\n" * 1000


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError, match=f"no folder {tmp_path}/none"):
        open_for_writing(tmp_path / "none" / "events.db", lock_timeout=1)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="cannot be opened"):
        open_for_writing(tmp_path, lock_timeout=1)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_file_that_may_not_be_written_is_refused_with_advice(made):
    made.chmod(0o400)

    with pytest.raises(ConfigError, match="must be writable"):
        open_for_writing(made, lock_timeout=1)


def test_a_file_that_stays_locked_is_refused_after_the_timeout(made):
    with closing(sqlite3.connect(made, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")

        with pytest.raises(ConfigError, match="locked by another program"):
            open_for_writing(made, lock_timeout=0.05)


def test_a_missing_file_is_not_made_by_a_reader(path):
    with pytest.raises(ConfigError, match="There is no event log"):
        open_for_reading(path)

    assert not path.exists()


def test_an_empty_file_is_no_log_for_a_reader_and_a_new_one_for_a_writer(path):
    path.touch()

    with pytest.raises(ConfigError, match="is empty"):
        open_for_reading(path)

    open_for_writing(path, lock_timeout=1).close()
    open_for_reading(path).close()


def test_a_reader_cannot_write(made):
    with (
        closing(open_for_reading(made)) as db,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        db.execute("DELETE FROM events")


def test_odd_names_are_files_like_any_other(tmp_path):
    path = tmp_path / "a?b#c %41.db"

    open_for_writing(path, lock_timeout=1).close()

    assert path.exists()
    open_for_reading(path).close()


def test_many_that_open_a_new_file_at_once_all_take_it_for_their_own(tmp_path):
    together = threading.Barrier(6)

    def opened(number):
        together.wait()
        open_for_writing(tmp_path / f"{number}.db", lock_timeout=10).close()

    with ThreadPoolExecutor(6) as pool:
        for number in range(40):
            list(pool.map(opened, [number] * 6))
