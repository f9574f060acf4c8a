import subprocess
import sys

import pytest

from tests.support import ROOT, environment

PROGRAM = """
import os, random, sys, threading, time
from app import memory

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGESIZE")

if sys.argv[1] == "giving":
    memory.keep_giving_back(every=0.1)
before = resident()
# Every hundredth of many blocks stays, so that what is freed lies between things still in use.
blocks = [bytes(20_000) for _ in range(5_000)]
blocks = blocks[::100]
deadline = time.monotonic() + 2
while resident() - before > 20_000_000 and time.monotonic() < deadline:
    time.sleep(0.05)
print(resident() - before)
"""


def kept(how):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how],
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="another C library")
def test_freed_memory_goes_back_to_the_system():
    assert kept("giving") < 20_000_000 < kept("keeping")
