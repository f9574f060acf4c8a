import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.core.errors import ConfigError
from app.spooling.lock import SpoolHeld, SpoolLock

ROOT = Path(__file__).parents[2]

HOLDER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from app.spooling.lock import SpoolLock

lock = SpoolLock(Path(sys.argv[1]))
lock.take()
lock.note(7, 3)
print("held", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spool-0.lock"


def taken(path):
    lock = SpoolLock(path)
    lock.take()
    return lock


def test_a_second_taker_is_told_who_has_it(path):
    first = taken(path)

    with pytest.raises(SpoolHeld, match=rf"spool-0\.db is in use by process {os.getpid()}\."):
        taken(path)

    first.release()
    taken(path).release()


def test_the_notes_outlive_a_process_that_is_killed(path):
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    ) as holder:
        holder.stdout.readline()
        with pytest.raises(SpoolHeld, match=f"process {holder.pid}"):
            taken(path)
        holder.kill()

    lock = taken(path)

    assert (lock.last, lock.waiting) == (7, 3)
    lock.release()


@pytest.mark.parametrize("damaged", [b"", b"pid 1 last 9", b"\xff" * 80])
def test_notes_that_are_damaged_say_nothing(path, damaged):
    lock = taken(path)
    lock.note(123, 45)
    lock.release()
    path.write_bytes(damaged)

    lock = taken(path)

    assert (lock.last, lock.waiting) == (0, 0)
    lock.release()


def test_one_flipped_bit_in_the_notes_is_seen(path):
    lock = taken(path)
    lock.note(123, 45)
    lock.release()
    line = path.read_bytes()
    for bit in range(8 * (len(line) - 1)):
        damaged = bytearray(line)
        damaged[bit // 8] ^= 1 << bit % 8
        path.write_bytes(damaged)

        lock = taken(path)

        assert (lock.last, lock.waiting) in {(0, 0), (123, 45)}
        lock.release()


def test_a_removed_lock_is_made_anew_by_the_next(path):
    lock = taken(path)
    lock.note(9, 9)

    lock.release(remove=True)

    assert not path.exists()
    lock = taken(path)
    assert (lock.last, lock.waiting) == (0, 0)
    lock.release()


def test_two_never_have_it_at_once_though_each_removes_it(path):
    """Whoever opened it before its removal and locks it after has a lock that nobody else sees."""

    def worker():
        for _ in range(300):
            try:
                lock = taken(path)
            except SpoolHeld:
                continue
            os.close(os.open(path.with_suffix(".in"), os.O_CREAT | os.O_EXCL))
            path.with_suffix(".in").unlink()
            lock.release(remove=True)

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(worker) for _ in range(8)]

    assert [each.exception() for each in done] == [None] * 8


def test_a_folder_that_is_not_there_is_the_operators_to_mend(tmp_path):
    with pytest.raises(ConfigError, match="cannot lock"):
        taken(tmp_path / "none" / "spool-0.lock")
