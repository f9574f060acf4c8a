"""Who judges the portions: this process, one for each core, or Spark. All the same way."""

import hashlib
import multiprocessing
import os
import pickle
import sys
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from app import __version__
from app.core.errors import ConfigError
from migration.parity.judges import Plan
from migration.parity.replay import Replay
from migration.parity.summary import Summary
from migration.parity.traffic import Portion

FORMAT = 1
LOOPBACK = "127.0.0.1"
_HEAD = 65_536


@dataclass(frozen=True, slots=True)
class Task:
    """What a worker is told: how to judge, and where results are kept, if anywhere."""

    plan: Plan
    work: str | None
    digest: str


def task_of(plan: Plan, work: str | None, inputs: Sequence[Path]) -> Task:
    """Return the task; `inputs` are the files that verdicts depend on, besides the traffic."""
    made = hashlib.sha256(f"{FORMAT} {__version__} {sorted(asdict(plan).items())}".encode())
    for path in inputs:
        made.update(f"\0{path}\0".encode())
        made.update(hashlib.sha256(path.read_bytes()).digest())
    if work:
        Path(work).mkdir(parents=True, exist_ok=True)
    return Task(plan, work, made.hexdigest())


def here(task: Task, portions: Sequence[Portion]) -> Iterator[Summary]:
    """Judge in this process."""
    for portion in portions:
        yield summary_of(task, portion)


def in_processes(task: Task, portions: Sequence[Portion], jobs: int) -> Iterator[Summary]:
    """Judge in processes of this machine; summaries come in order."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=context) as pool:
        yield from pool.map(summary_of, [task] * len(portions), portions)


def on_spark(task: Task, portions: Sequence[Portion], master: str | None) -> Iterator[Summary]:
    """Judge on a Spark cluster, whose machines find traffic and settings at the same paths.

    Without `master`, Spark's own configuration says where; where that says nothing, on this
    machine. Raises ConfigError if PySpark is not installed.
    """
    try:
        sql: Any = import_module("pyspark.sql")
    except ImportError as error:
        raise ConfigError(
            "--engine spark needs PySpark: pip install 'sluiceway[spark]'."
        ) from error
    builder = sql.SparkSession.builder.appName("sluiceway migrate verify")
    if master:
        builder = builder.master(master)
    if master and master.startswith("local"):
        # Workers on this machine are of this environment, and nobody else is to reach them.
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        builder = builder.config("spark.driver.host", LOOPBACK)
        builder = builder.config("spark.driver.bindAddress", LOOPBACK)
    for quiet in ("spark.ui.enabled", "spark.ui.showConsoleProgress"):
        builder = builder.config(quiet, "false")
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    try:
        given = session.sparkContext.parallelize(list(portions), max(1, len(portions)))
        judged = given.map(lambda portion: pickle.dumps(summary_of(task, portion)))
        for each in judged.toLocalIterator(prefetchPartitions=True):
            yield pickle.loads(each)  # noqa: S301 (our own workers made it)
    finally:
        session.stop()


_replays: dict[str, Replay] = {}


def summary_of(task: Task, portion: Portion) -> Summary:
    """Judge a portion, or read what was found of it before."""
    kept = _kept(task, portion)
    if kept is not None and kept.is_file():
        found: Summary = pickle.loads(kept.read_bytes())  # noqa: S301 (our own, see `_kept`)
        found.source = portion.source
        return found
    replay = _replays.get(task.digest)
    if replay is None:
        # A worker has one task in its life; opening its judges takes longer than a small portion.
        replay = _replays[task.digest] = Replay(task.plan)
    summary = replay.judge(portion)
    if kept is not None:
        _write(kept, pickle.dumps(summary))
    return summary


def forget() -> None:
    """Close what was opened in this process."""
    while _replays:
        _replays.popitem()[1].close()


def _kept(task: Task, portion: Portion) -> Path | None:
    """Return where the result of a portion is kept: another file or another plan, another name."""
    if task.work is None:
        return None
    path = Path(portion.path)
    state = path.stat()
    with path.open("rb") as file:
        head = file.read(_HEAD)
    made = hashlib.sha256(head)
    # The order of sources is in it, since examples name their source.
    facts = (path.name, state.st_size, state.st_mtime_ns, portion.source, portion.start)
    made.update(f"{task.digest} {facts} {portion.end}".encode())
    return Path(task.work) / f"{made.hexdigest()[:40]}.portion"


def _write(path: Path, content: bytes) -> None:
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".portion-")
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
    Path(name).replace(path)
