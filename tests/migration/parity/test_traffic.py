import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.errors import ConfigError
from migration.parity.traffic import files_of, lines_in, portions_of

texts = st.lists(st.binary(max_size=12).map(lambda text: text.replace(b"\n", b" ")), max_size=20)


@given(texts, st.integers(1, 40), st.booleans())
def test_every_line_is_in_exactly_one_portion(tmp_path_factory, lines, size, ended):
    path = tmp_path_factory.mktemp("traffic") / "file"
    content = b"\n".join(lines) + (b"\n" if ended else b"")
    path.write_bytes(content)

    read = [line.text for portion in portions_of([path], size) for line in lines_in(portion)]

    expected = content.split(b"\n")
    if expected[-1] == b"":
        expected.pop()
    assert read == [line.rstrip(b"\r\n") for line in expected]


def test_lines_are_numbered_from_one_in_their_portion(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"a\n\nb\n")

    [portion] = portions_of([path])

    assert [tuple(line) for line in lines_in(portion)] == [(1, b"a"), (2, b""), (3, b"b")]


def test_a_line_that_is_too_long_is_not_kept_and_costs_no_other(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"a\n" + b"x" * 3_000_000 + b"\nb\n")

    [portion] = portions_of([path])

    assert [line.text for line in lines_in(portion)] == [b"a", None, b"b"]


def test_a_compressed_file_is_one_portion(tmp_path):
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(b"a\nb\n" * 1_000))

    [portion] = portions_of([path], size=10)

    assert len(list(lines_in(portion))) == 2_000


def test_folders_are_read_in_the_order_of_their_names(tmp_path):
    for name in ("b", "a", "sub/c"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x\n")

    assert [path.name for path in files_of([str(tmp_path)])] == ["a", "b", "c"]


@pytest.mark.parametrize("name", ["missing", "empty"])
def test_nothing_to_read_is_said(tmp_path, name):
    (tmp_path / "empty").mkdir()

    with pytest.raises(ConfigError, match="there is no"):
        files_of([str(tmp_path / name)])
