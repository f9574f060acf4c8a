"""The jars of Apache Kafka, fetched once by Maven and kept in a cache.

`kafka_jars()` is all that others need. The folder is complete or absent: Maven copies into a
temporary folder, which is renamed when it is whole, and only one session fetches at a time.
"""

import fcntl
import functools
import hashlib
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

POM = Path(__file__).with_name("pom.xml")
FETCH_SECONDS = 200


class NoKafka(Exception):
    """There is no Kafka to run on this machine, and why."""


@functools.cache
def kafka_jars() -> Path:
    """Return the folder of jars, fetching them if this is the first time; raises NoKafka."""
    missing = [tool for tool in ("java", "keytool", "mvn") if shutil.which(tool) is None]
    if "java" in missing or "keytool" in missing:
        raise NoKafka("there is no JDK (java and keytool) on the PATH")
    cache = cache_folder(os.environ)
    folder = cache / folder_name(POM.read_text())
    if folder.is_dir():
        return folder
    if missing:
        raise NoKafka(f"Kafka's jars are not in {folder}, and there is no mvn to fetch them with")
    with _only_one(cache / "fetch.lock"):
        if not folder.is_dir():
            _fetch(folder)
    return folder


def folder_name(pom: str) -> str:
    """Kafka's version for people, and a digest so that another pom.xml means another folder."""
    version = re.search(r"<kafka\.version>(.+?)</kafka\.version>", pom)
    assert version, "pom.xml names kafka.version"
    return f"kafka-{version[1]}-{hashlib.sha256(pom.encode()).hexdigest()[:8]}"


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Return the first of the usual places that can be written to, made if need be."""
    home = environ.get("XDG_CACHE_HOME") or Path(environ.get("HOME", "/nonexistent"), ".cache")
    for parent in (Path(home), Path(tempfile.gettempdir(), f"cache-{os.getuid()}")):
        folder = parent / "sluiceway-tests"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return folder
    raise NoKafka("there is no folder to keep Kafka's jars in: set XDG_CACHE_HOME")


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fetch(folder: Path) -> None:
    for left in folder.parent.glob("fetching-*"):  # by a session that was killed
        shutil.rmtree(left)
    half = Path(tempfile.mkdtemp(prefix="fetching-", dir=folder.parent))
    command = [
        *("mvn", "--quiet", "--batch-mode", "--file", str(POM)),
        *("dependency:copy-dependencies", "-DincludeScope=runtime"),
        f"-DoutputDirectory={half}",
    ]
    if not os.access(Path.home(), os.W_OK):
        command.append(f"-Dmaven.repo.local={folder.parent / 'repository'}")
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=FETCH_SECONDS,
            check=False,
        )
        if done.returncode or not any(half.glob("kafka_*.jar")):
            said = " ".join((done.stdout + done.stderr).split()) or "nothing"
            raise NoKafka(f"Maven could not fetch Kafka's jars; it said: {said[:400]}")
        half.chmod(0o755)
        half.rename(folder)
    except subprocess.TimeoutExpired:
        raise NoKafka(f"Maven did not fetch Kafka's jars within {FETCH_SECONDS} s") from None
    finally:
        shutil.rmtree(half, ignore_errors=True)
