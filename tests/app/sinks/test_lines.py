import os
import threading

import pytest

from app.core.errors import SinkUnavailable, UnknownDelivery
from app.sinks.lines import LineFile, LineStream


def test_a_stream_that_broke_in_a_line_begins_the_next_write_on_a_new_line():
    reader, writer = os.pipe()
    os.set_blocking(writer, False)  # a reader that does not read, without waiting for it
    stream = LineStream(writer, "a pipe")
    long_line = b"x" * 1_000_000 + b"\n"

    with pytest.raises(UnknownDelivery, match="A part of it went to a pipe"):
        stream.write(long_line)
    written = len(os.read(reader, 2_000_000))
    position = stream.write(b"whole\n")

    assert os.read(reader, 100) == b"\nwhole\n"
    assert position == written + 1
    os.close(reader)
    os.close(writer)


def test_a_stream_without_a_reader_is_unavailable():
    reader, writer = os.pipe()
    os.close(reader)
    stream = LineStream(writer, "a pipe")

    with pytest.raises(SinkUnavailable, match="Cannot write to a pipe: Broken pipe"):
        stream.write(b"line\n")

    os.close(writer)


def test_files_that_share_a_path_write_whole_groups_between_each_other(tmp_path):
    path = tmp_path / "shared"
    files = [LineFile(path, fsync=False) for _ in range(4)]
    for file in files:
        file.open()

    def write(name):
        for turn in range(50):
            files[name].write(b"".join(b"%d %d %d\n" % (name, turn, n) for n in range(20)))

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for file in files:
        file.close()
    lines = path.read_bytes().splitlines()
    assert len(lines) == 4 * 50 * 20
    for at in range(0, len(lines), 20):
        name, turn, _ = lines[at].split()
        assert lines[at : at + 20] == [b"%b %b %d" % (name, turn, n) for n in range(20)]


def test_a_file_tells_where_its_lines_begin(tmp_path):
    file = LineFile(tmp_path / "lines", fsync=True)
    file.open()

    positions = [file.write(b"one\n"), file.write(b"two\nthree\n"), file.write(b"four\n")]

    file.close()
    assert positions == [0, 4, 14]
