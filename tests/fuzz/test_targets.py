"""A short run of each fuzz target, so that none of them rots; `make fuzz` runs them for longer."""

import importlib.util
import subprocess
import sys
import time

import pytest

from tests.fuzz.mutation import mutations
from tests.fuzz.targets.all import TARGETS
from tests.support import ROOT, environment

SECONDS = 2.0
INPUTS = 3_000


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_found_in_seconds(name):
    target = TARGETS[name]
    inputs = mutations([*target.found, *target.seeds()], seed=1)
    known = len(target.found) + len(target.seeds())
    ends = time.monotonic() + SECONDS

    for count, data in enumerate(inputs):
        target.one(data)
        if count > known and (count > INPUTS or time.monotonic() > ends):
            break


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not installed")
@pytest.mark.parametrize("name", TARGETS)
def test_each_target_runs_under_atheris(name, tmp_path):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.fuzz", name),
            *("--seconds", "2", "--folder", str(tmp_path)),
        ],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{name}: " in done.stdout
    assert "edges" in done.stdout
