import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from app.core.errors import SinkUnavailable
from app.spooling.file import SpoolFile
from app.spooling.format import PAGE
from app.spooling.salvage import finish
from tests.app.sinks.contract import record

COUNT = 600


def value(number):
    return b'{"number":%d,"text":"%s"}' % (number, bytes([97 + number % 26]) * (number % 500))


def drain(file, found):
    """Drain a file into a list of rows."""
    while file.tallies:
        for stream in list(file.tallies):
            while rows := file.read(stream, max_records=20, max_bytes=10**9):
                found += rows
                file.settle(stream, rows)


def everything(file):
    """Drain a file; return the records, those of a stream in the order in which they came."""
    found = []
    drain(file, found)
    return [row.record for row in found]


def copied(source, to):
    to.mkdir()
    for path in source.glob("spool-0*"):
        shutil.copy(path, to / path.name)
    return to / "spool-0.db"


@pytest.fixture
def written():
    return [record(n, stream=f"s{n % 3}", value=value(n)) for n in range(COUNT)]


@pytest.fixture
def crashed(tmp_path, written):
    """The files of a process that was killed: half of its records are only in the log."""
    path = tmp_path / "running" / "spool-0.db"
    path.parent.mkdir()
    file = SpoolFile.open(path, destination="test")
    for at in range(0, COUNT // 2, 50):
        file.append(written[at : at + 50])
    file._table.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    for at in range(COUNT // 2, COUNT, 50):
        file.append(written[at : at + 50])
    crashed = copied(path.parent, tmp_path / "crashed").parent
    file.close()
    return crashed


@pytest.fixture
def closed(tmp_path, written):
    """The files of a process that has ended well."""
    path = tmp_path / "closed" / "spool-0.db"
    path.parent.mkdir()
    file = SpoolFile.open(path, destination="test")
    file.append(written)
    file.close()
    return path.parent


def check(path, written):
    """Open a damaged file; nothing in it may be wrong, and what is missing must be counted."""
    file = SpoolFile.open(path, destination="test")
    found = everything(file)
    dropped = file.dropped
    file.close()
    numbers = {r.timestamp_ms: r for r in written}
    assert all(numbers[r.timestamp_ms] == r for r in found)
    assert len({r.timestamp_ms for r in found}) == len(found)
    for stream in ("s0", "s1", "s2"):
        own = [r.timestamp_ms for r in found if r.stream == stream]
        assert own == sorted(own)
    missing = len(written) - len(found)
    assert missing <= dropped["corrupt"] + dropped["lost"]
    return missing, dropped


def test_a_crash_is_no_damage(crashed, written, caplog):
    missing, dropped = check(crashed / "spool-0.db", written)

    assert missing == 0
    assert not +dropped
    assert not caplog.records


@pytest.mark.parametrize("end", ["", "-wal"])
@pytest.mark.parametrize("seed", range(4))
def test_flipped_bits_cost_at_most_what_they_hit(tmp_path, crashed, written, seed, end):
    rng = random.Random(seed)
    total = 0
    for turn in range(15):
        path = copied(crashed, tmp_path / f"{turn}")
        data = bytearray(Path(f"{path}{end}").read_bytes())
        at = rng.randrange(len(data)) if turn else rng.randrange(200)  # the head, for once
        data[at] ^= 1 << rng.randrange(8)
        Path(f"{path}{end}").write_bytes(data)

        missing, _ = check(path, written)

        total += missing
        assert missing <= PAGE // 100  # a page of small records
    assert total < 15 * 20


@pytest.mark.parametrize("end", ["", "-wal"])
def test_truncated_files_lose_what_was_cut_off_and_say_so(tmp_path, crashed, written, end):
    rng = random.Random(end)
    size = Path(f"{crashed / 'spool-0.db'}{end}").stat().st_size
    lengths = [0, 1, 31, 100, PAGE - 1, PAGE, PAGE + 1, size // 2, size - PAGE, size - 1]
    for length in [*lengths, *(rng.randrange(size) for _ in range(10))]:
        path = copied(crashed, tmp_path / f"{length}")
        with Path(f"{path}{end}").open("r+b") as file:
            file.truncate(length)

        missing, dropped = check(path, written)

        assert dropped["corrupt"] + dropped["lost"] >= missing
        shutil.rmtree(path.parent)


def test_truncated_files_without_a_log_lose_what_was_cut_off_and_say_so(tmp_path, closed, written):
    size = (closed / "spool-0.db").stat().st_size
    kept = []
    for length in range(0, size, size // 12):
        path = copied(closed, tmp_path / f"{length}")
        with path.open("r+b") as file:
            file.truncate(length)

        missing, dropped = check(path, written)

        assert missing == dropped["corrupt"] + dropped["lost"]
        assert missing > 0
        kept.append(COUNT - missing)
    assert max(kept) > COUNT // 2


def test_rubbish_in_the_place_of_a_file_is_set_aside(tmp_path):
    path = tmp_path / "spool-0.db"
    path.write_bytes(b"This is no SQLite file at all." * 5000)

    file = SpoolFile.open(path, destination="test")

    assert file.append([record()]) == [1]
    file.close()
    (broken,) = tmp_path.glob("spool-0.db.broken-*")
    assert broken.read_bytes().startswith(b"This is no SQLite file")


def test_a_lost_first_page_costs_nothing(closed, written):
    path = closed / "spool-0.db"
    with path.open("r+b") as file:
        file.write(b"\x00" * PAGE)

    missing, dropped = check(path, written)

    assert missing == 0
    assert not +dropped


def test_a_lost_page_in_the_middle_costs_only_what_was_in_it(closed, written, caplog):
    path = closed / "spool-0.db"
    data = path.read_bytes()
    at = data.index(value(COUNT // 2)) // PAGE
    with path.open("r+b") as file:
        file.seek(at * PAGE)
        file.write(random.Random(1).randbytes(PAGE))

    missing, dropped = check(path, written)

    assert 0 < missing < 100
    assert dropped["lost"] == missing
    (told,) = caplog.records
    assert (told.lost, told.kept) == (missing, COUNT - missing)
    assert Path(told.set_aside).exists()


def test_a_damaged_value_is_refused_alone_and_kept_for_the_operator(closed, written):
    path = closed / "spool-0.db"
    data = bytearray(path.read_bytes())
    data[data.index(value(77)) + 20] ^= 1
    path.write_bytes(data)

    missing, dropped = check(path, written)

    assert (missing, dropped["corrupt"], dropped["lost"]) == (1, 1, 0)
    db = sqlite3.connect(path)
    kept = db.execute("SELECT stream, timestamp_ms, reason FROM refused").fetchall()
    db.close()
    assert kept == [("s2", written[77].timestamp_ms, "corrupt")]


def test_a_row_whose_stream_was_damaged_is_not_left_behind(closed, written):
    """The table says another stream than the index: without a count nobody would look for it."""
    path = closed / "spool-0.db"
    data = bytearray(path.read_bytes())
    at = data.index(value(100))
    at = data.rindex(b"s1dc.my.stream", 0, at)
    data[at + 1] = ord("7")
    path.write_bytes(data)

    missing, dropped = check(path, written)

    assert (missing, dropped["corrupt"], dropped["lost"]) == (1, 1, 0)


@pytest.mark.slow
def test_damage_in_a_file_too_large_to_be_checked_is_found_on_the_way(tmp_path, caplog):
    path = tmp_path / "spool-0.db"
    written = [record(n, value=b"%d" % (n % 10) * 1_000_000) for n in range(70)]
    file = SpoolFile.open(path, destination="test")
    file.append(written)
    file.close()
    data = path.read_bytes()
    pages = [data[at : at + PAGE] for at in range(0, len(data), PAGE)]
    (index,) = (n for n, page in enumerate(pages) if page.count(b"my.stream") == 70)
    with path.open("r+b") as broken:
        broken.seek(index * PAGE)
        broken.write(pages[index].replace(b"my.stream", b"mz.stream", 1))
    file = SpoolFile.open(path, destination="test")
    unnoticed = not caplog.records
    found = []

    with pytest.raises(SinkUnavailable, match="not where its index says"):
        drain(file, found)

    drain(file, found)
    file.close()
    assert unnoticed
    assert [row.record for row in found] == written
    assert not +file.dropped


def test_a_salvage_that_was_cut_short_before_the_swap_begins_anew(closed, written):
    path = closed / "spool-0.db"
    shutil.copy(path, f"{path}.new")
    Path(f"{path}.copy").write_bytes(b"half a copy")

    missing, _ = check(path, written)

    assert missing == 0
    assert sorted(p.name for p in closed.iterdir()) == ["spool-0.db", "spool-0.lock"]


@pytest.mark.parametrize("moved", [[], [""], ["", "-wal"]])
def test_a_salvage_that_was_cut_short_in_the_swap_is_finished(tmp_path, closed, written, moved):
    """The old file is damaged; the whole one is there under its interim name."""
    path = closed / "spool-0.db"
    path.replace(f"{path}.salvaged")
    for end in {"", "-wal"} - set(moved):
        Path(f"{path}{end}").write_bytes(b"damaged")

    missing, _ = check(path, written)

    assert missing == 0
    assert not Path(f"{path}.salvaged").exists()
    assert len(list(closed.glob("*.broken-*"))) == 2 - len(moved)


def test_nothing_is_swapped_where_nothing_was_salvaged(closed, written):
    finish(closed / "spool-0.db", closed / "broken")

    assert check(closed / "spool-0.db", written)[0] == 0
