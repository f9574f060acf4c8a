"""Where a browser is looked for, and what is said where there is none."""

import subprocess
import sys

import pytest

from tests.browser.chromium import Chromium, NoChromiumError, find_chromium
from tests.support import ROOT


def program(path, script=""):
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


def test_the_one_that_is_named_goes_before_those_on_the_path(tmp_path):
    on_path = program(tmp_path / "google-chrome")
    named = program(tmp_path / "my-own")

    assert find_chromium({"PATH": str(tmp_path)}) == on_path
    assert find_chromium({"PATH": str(tmp_path), "CHROMIUM": named}) == named
    with pytest.raises(NoChromiumError, match="CHROMIUM=nope is no program"):
        find_chromium({"PATH": str(tmp_path), "CHROMIUM": "nope"})


def test_one_that_does_not_start_is_quoted(tmp_path):
    stub = program(tmp_path / "chromium", "echo 'install me first' >&2; exit 1")

    with (
        pytest.raises(NoChromiumError, match=r"chromium does not start \(install me first\)"),
        Chromium(stub, tmp_path),
    ):
        pass


@pytest.mark.parametrize(("required", "verdict"), [("0", "SKIPPED"), ("1", "ERROR")])
def test_a_machine_without_a_browser_says_so_in_one_line_or_fails(tmp_path, required, verdict):
    tests = ["tests/browser/test_leaving.py", "tests/browser/test_origins.py"]
    environ = {"PATH": str(tmp_path), "SLUICEWAY_REQUIRE_BROWSER": required}

    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *tests],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    lines = [line for line in done.stdout.splitlines() if line.startswith(verdict)]
    assert (len(lines) == 1) is (required == "0"), done.stdout
    assert lines
    assert "passed" not in done.stdout
    assert done.returncode == int(required)
    assert "NO CHROMIUM" in done.stdout
    assert "apt-get install chromium" in done.stdout
