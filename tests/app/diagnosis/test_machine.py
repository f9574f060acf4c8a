import pytest

from app.diagnosis.findings import Finding
from app.diagnosis.machine import (
    examine_limits,
    examine_log_file,
    folder_trouble,
    free_room,
    open_files_limit,
)


@pytest.mark.parametrize(("limit", "level"), [(1024, "warning"), (4096, "ok"), (None, "ok")])
def test_few_open_files_are_a_warning(limit, level):
    (found,) = examine_limits(lambda: limit)

    assert found.level == level


def test_the_advice_for_open_files_names_every_place_to_set_it():
    (found,) = examine_limits(lambda: 256)

    for word in ("ulimit -n", "LimitNOFILE", "--ulimit"):
        assert word in found.advice


def test_the_limit_of_this_process_is_known():
    limit = open_files_limit()

    assert limit is None or limit > 0


def test_a_log_in_a_folder_with_room_is_well_and_is_not_made(tmp_path):
    (found,) = examine_log_file(str(tmp_path / "log.db"))

    assert "can be written" in found.text
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("path", ["nothing/log.db", "file/log.db", "folder"])
def test_a_log_that_cannot_be_made_is_a_problem(tmp_path, path):
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()

    (found,) = examine_log_file(str(tmp_path / path))

    assert found.level == "problem"
    assert "sink.path" in found.advice


def test_standard_output_needs_no_folder():
    (found,) = examine_log_file("-")

    assert found.level == "ok"


def test_a_folder_that_may_not_be_written_is_told(tmp_path):
    assert folder_trouble(tmp_path) == ""
    assert folder_trouble(tmp_path / "x").endswith("is not there")


def test_room_that_cannot_be_found_out_is_a_warning(tmp_path):
    found = free_room("spool", tmp_path / "nothing")

    assert isinstance(found, Finding)
    assert found.level == "warning"
