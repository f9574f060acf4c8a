"""Where Kafka's jars are kept, and what is said where there can be none."""

import os
import subprocess
import sys

import pytest

from tests.kafka.jars import POM, cache_folder, folder_name
from tests.support import ROOT

SOME_TESTS = ["tests/kafka/test_broker.py", "tests/kafka/test_security.py"]


def test_another_pom_is_another_folder():
    pom = POM.read_text()

    assert folder_name(pom).startswith("kafka-4.")
    assert folder_name(pom) == folder_name(pom)
    assert folder_name(pom) != folder_name(pom.replace("runtime", "") + " ")


def test_jars_are_kept_in_the_users_cache(tmp_path):
    xdg = {"XDG_CACHE_HOME": str(tmp_path / "xdg"), "HOME": str(tmp_path)}
    home = {"HOME": str(tmp_path)}

    assert cache_folder(xdg) == tmp_path / "xdg" / "sluiceway-tests"
    assert cache_folder(home) == tmp_path / ".cache" / "sluiceway-tests"
    assert (tmp_path / ".cache" / "sluiceway-tests").is_dir()


def test_jars_are_kept_in_the_temporary_folder_where_home_cannot_be_written(tmp_path):
    not_a_folder = tmp_path / "file"
    not_a_folder.touch()

    found = cache_folder({"HOME": str(not_a_folder)})

    assert not found.is_relative_to(not_a_folder)
    assert os.access(found, os.W_OK)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("required", "verdict", "least", "most"),
    [("0", "SKIPPED", 1, 1), ("1", "ERROR", 2, 100)],
    ids=["optional", "required"],
)
def test_a_machine_without_kafka_says_so_in_one_line_or_fails(
    tmp_path, required, verdict, least, most
):
    environ = {"PATH": str(tmp_path), "HOME": str(tmp_path), "SLUICEWAY_REQUIRE_KAFKA": required}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *SOME_TESTS],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    lines = [line for line in done.stdout.splitlines() if line.startswith(verdict)]
    assert least <= len(lines) <= most, done.stdout
    assert "passed" not in done.stdout
    assert done.returncode == int(required)
    assert "NO KAFKA" in done.stdout
    assert "SLUICEWAY_TEST_KAFKA=host:port" in done.stdout
