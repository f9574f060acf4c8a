"""The installed package on a root file system that is read-only, as a user without any rights."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import ROOT, environment, until

pytestmark = pytest.mark.slow

NOBODY = 65534
EVENT = {
    "$schema": "/demo/button/click/1.0.0",
    "meta": {"stream": "demo.button.click"},
    "button": "save",
}

# In a mount namespace of its own, so that nobody else notices: all is read-only but one folder and
# one place in memory. What runs then has no rights and can get none.
SHUT_IN = """
set -eu
mount --bind / /
# An interpreter in somebody's home is put where others get at it, too.
if ! setpriv --reuid 65534 --clear-groups sh -c 'test -x "$PREFIX"'; then
  top="/$(echo "$PREFIX" | cut -d / -f 2)"
  mount --bind "$PREFIX" "$FOLDER/python"
  mount -t tmpfs -o mode=755 tmpfs "$top"
  mkdir -p "$PREFIX"
  mount --bind "$FOLDER/python" "$PREFIX"
fi
mount --bind "$FOLDER/data" "$FOLDER/data"
mount -t tmpfs -o size=8m,mode=1777,noexec tmpfs "$FOLDER/tmp"
for each in $(awk '{print $2}' /proc/self/mounts | sort -u); do
  case "$each" in "$FOLDER"/*|/proc*|/sys*|/dev*) ;;
  *) mount -o remount,bind,ro "$each" 2>/dev/null || true ;;
  esac
done
mount -o remount,bind,ro /
cd "$FOLDER/data"
exec setpriv --reuid 65534 --regid 65534 --clear-groups --no-new-privs \
  --bounding-set=-all --inh-caps=-all "$@"
"""


def can_shut_in():
    if os.geteuid() != 0 or not (shutil.which("unshare") and shutil.which("setpriv")):
        return False
    tried = subprocess.run(
        ["unshare", "--mount", "sh", "-c", "mount --bind / / && mount -o remount,bind,ro /"],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


@pytest.fixture(scope="module")
def installed():
    """A folder that everybody may read: the package from its wheel, `data`, and `tmp`."""
    if not can_shut_in():
        pytest.skip("READ-ONLY ROOT NOT TRIED: it takes root, and mount namespaces")
    folder = Path(tempfile.mkdtemp(prefix="sluiceway-readonly-"))
    try:
        folder.chmod(0o755)
        build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir"]
        subprocess.run([*build, folder / "wheel", ROOT], check=True, capture_output=True)
        (wheel,) = (folder / "wheel").glob("*.whl")
        install = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet"]
        subprocess.run([*install, "--target", folder / "site", wheel], check=True)
        (folder / "tmp").mkdir()
        (folder / "python").mkdir()
        (folder / "data").mkdir()
        os.chown(folder / "data", NOBODY, NOBODY)
        yield folder
    finally:
        shutil.rmtree(folder)


def asked(url, body=None):
    request = urllib.request.Request(url, body, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code
    except OSError:
        return None


@contextmanager
def shut_in(folder, *command):
    """Run a command in there; it is ended with the block, if it has not ended by then."""
    process = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", SHUT_IN, "sh", *command],
        env=environment(
            FOLDER=str(folder),
            PREFIX=sys.base_prefix,
            PYTHONPATH=str(folder / "site"),
            PYTHONDONTWRITEBYTECODE="1",
            TMPDIR=str(folder / "tmp"),
            HOME="/nonexistent",
            SLUICEWAY_LOG__FORMAT="json",
            SLUICEWAY_HTTP__DRAIN_DELAY="0",
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def test_what_it_is_shut_in_is_as_narrow_as_it_says(installed):
    tries = "\n".join(
        f"touch {place}/x 2>/dev/null && echo {place}"
        for place in ("/", "/tmp", "/var/tmp", installed, installed / "site", ".")
    )

    with shut_in(installed, "sh", "-c", f"{tries}\nrm -f x; id -u") as process:
        written, _ = process.communicate(timeout=30)

    assert written.split() == [".", str(NOBODY)]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_serves_stores_and_stops(installed, workers):
    serve = [sys.executable, "-m", "app.cli", "serve", "--port", "0", "--workers", workers]
    with shut_in(installed, *serve) as process:
        first = process.stdout.readline()
        found = re.search(r"http://\S+", first)
        assert found, process.communicate(timeout=10)[1]
        until(lambda: asked(f"{found[0]}/readyz") == 200)
        statuses = {asked(f"{found[0]}/v1/events", json.dumps(EVENT).encode()) for _ in range(20)}
        seen = Path(f"/proc/{process.pid}/status").read_text()
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    with shut_in(installed, sys.executable, "-c", "import app; print(app.__file__)") as process:
        where, _ = process.communicate(timeout=30)

    assert statuses == {201}
    assert re.search(rf"^Uid:\t{NOBODY}\t{NOBODY}", seen, re.MULTILINE)
    assert re.search(r"^CapEff:\t0+$", seen, re.MULTILINE)
    assert re.search(r"^NoNewPrivs:\t1$", seen, re.MULTILINE)
    assert where.startswith(str(installed / "site"))
    assert (installed / "data" / "sluiceway.db").stat().st_uid == NOBODY
    for line in errors.splitlines():
        assert json.loads(line)["level"] in ("info", "warning"), line
