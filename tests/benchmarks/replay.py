"""Replaying recorded lines through both judges: lines per second, peak memory, and the same report.

python -m tests.benchmarks.replay --lines 10000000
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.benchmarks.load import memory_of, with_children
from tests.benchmarks.records import log_lines

OLD = {
    "properties": {
        "button": {"type": "string", "required": True},
        "count": {"type": "integer", "minimum": 1},
    }
}
SLUICEWAY = Path(sys.executable).parent / "sluiceway"
LOOK_EVERY = 1.0


def replay(traffic: Path, old: Path, out: Path, options: Sequence[str]) -> tuple[float, float, str]:
    """Replay a file; return seconds, peak MiB of all processes, and the report's digest."""
    command = [str(SLUICEWAY), "migrate", "verify", str(traffic), "--old-schemas", str(old)]
    began = time.perf_counter()
    child = subprocess.Popen([*command, "--out", str(out), *options], stdout=subprocess.DEVNULL)
    peak = 0.0
    while child.poll() is None:
        peak = max(peak, sum(_memories(child.pid)))
        time.sleep(LOOK_EVERY)
    assert child.returncode == 0, f"verify ended with {child.returncode}"
    digest = hashlib.sha256(out.read_bytes()).hexdigest()
    return time.perf_counter() - began, peak, digest


def prepared(folder: Path, lines: int) -> tuple[Path, Path]:
    """Write recorded lines, if they are not there, and the old schemas; return their paths."""
    old = folder / "old"
    old.mkdir(parents=True, exist_ok=True)
    (old / "DemoButtonClick-1.json").write_text(json.dumps(OLD))
    traffic = folder / f"lines-{lines}"
    if not traffic.is_file():
        part = folder / "part"
        with part.open("wb") as file:
            file.writelines(line + b"\n" for line in log_lines(lines))
        part.rename(traffic)
    return traffic, old


def _memories(pid: int) -> Iterator[float]:
    try:
        for each in with_children(pid):
            yield memory_of(each)
    except OSError:
        return  # it ended as we looked


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--jobs", default="1,2", help="how many processes, each after the other")
    parser.add_argument("--spark", action="store_true", help="on Spark, too, here with two cores")
    parser.add_argument("--folder", help="where to put the traffic, to be kept")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(args.folder or temporary)
        traffic, old = prepared(folder, args.lines)
        runs = [(f"{jobs} processes", ["--jobs", jobs]) for jobs in args.jobs.split(",") if jobs]
        if args.spark:
            runs.append(("Spark, local[2]", ["--engine", "spark", "--master", "local[2]"]))
        print("| | lines | seconds | lines/s | peak MiB | report |\n|---|---|---|---|---|---|")
        for name, options in runs:
            seconds, peak, digest = replay(traffic, old, folder / "report.json", options)
            rate = args.lines / seconds
            print(
                f"| {name} | {args.lines:,} | {seconds:,.0f} | {rate:,.0f} | {peak:,.0f} "
                f"| {digest[:12]} |",
                flush=True,
            )


if __name__ == "__main__":
    os.environ.setdefault("JAVA_TOOL_OPTIONS", "-Xmx1g")
    main()
