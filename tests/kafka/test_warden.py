"""Nothing is left behind, however the tests end."""

import os
import signal
import subprocess
import sys

import pytest

from tests.kafka.warden import Warden
from tests.support import ROOT, until

SLEEPER = [sys.executable, "-c", "import signal; print(flush=True); signal.pause()"]


@pytest.fixture
def sleeper():
    """A process that ends only if it is made to."""
    process = subprocess.Popen(SLEEPER, stdout=subprocess.PIPE, start_new_session=True)
    with process:
        process.stdout.readline()
        yield process
        process.kill()


def test_what_is_watched_is_killed_at_the_end(sleeper):
    warden = Warden()

    warden.watch(sleeper.pid)
    warden.close()

    assert sleeper.wait(10) == -signal.SIGKILL


def test_even_if_it_is_frozen(sleeper):
    warden = Warden()
    os.kill(sleeper.pid, signal.SIGSTOP)

    warden.watch(sleeper.pid)
    warden.close()

    assert sleeper.wait(10) == -signal.SIGKILL


def test_what_is_forgotten_lives_on(sleeper):
    warden = Warden()

    warden.watch(sleeper.pid)
    warden.forget(sleeper.pid)
    warden.close()

    assert sleeper.poll() is None


@pytest.mark.slow
def test_a_killed_test_session_leaves_nothing(sleeper):
    code = """if True:
        import os, signal, sys
        from tests.kafka.warden import warden
        warden().watch(int(sys.argv[1]))
        os.kill(os.getpid(), signal.SIGKILL)
    """

    done = subprocess.run(
        [sys.executable, "-c", code, str(sleeper.pid)], cwd=ROOT, timeout=30, check=False
    )

    assert done.returncode == -signal.SIGKILL
    until(lambda: sleeper.poll() == -signal.SIGKILL)
