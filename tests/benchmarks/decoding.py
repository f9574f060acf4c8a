"""Decoding recorded log lines from a file, beside the plain way to do it.

python -m tests.benchmarks.decoding --lines 1000000
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from tests.benchmarks.plain import old_event, old_validator
from tests.benchmarks.records import BAD_IN, log_lines

SLUICEWAY = Path(sys.executable).parent / "sluiceway"


@dataclass(frozen=True, slots=True)
class Run:
    """What decoding a file took. `events` were printed, `memory` is the peak in MiB."""

    name: str
    lines: int
    events: int
    seconds: float
    cpu: float
    memory: float

    @property
    def rate(self) -> float:
        return self.lines / self.seconds


def decode_plainly(lines: Path, out: Path) -> None:
    """Decode as one would write it first: `unquote`, `json`, `jsonschema`, line by line."""
    validator = old_validator()
    with lines.open() as source, out.open("w") as target:
        for line in source:
            query, _, seq, dt, address, agent = line.rstrip("\n").split("\t")
            try:
                event = old_event(query, f"{dt}.000Z", seq, address, agent)
            except ValueError:
                continue
            if validator.is_valid(event):
                target.write(json.dumps(event) + "\n")


def measure(count: int, plain_count: int) -> list[Run]:
    """Decode `count` lines by `sluiceway decode`, and fewer by the plain way."""
    with tempfile.TemporaryDirectory() as folder:
        lines, some, out = (Path(folder) / name for name in ("lines", "some", "out"))
        with lines.open("wb") as file:
            file.writelines(line + b"\n" for line in log_lines(count))
        with some.open("wb") as file:
            file.writelines(line + b"\n" for line in islice(log_lines(count), plain_count))
        plain = (sys.executable, "-m", "tests.benchmarks.decoding", "--plainly")
        decode = (str(SLUICEWAY), "decode", "--from", "line")
        return [
            _run("plain", [*plain, str(some), str(out)], plain_count, out, None),
            _run("decode, a tenth", [*decode, str(some)], plain_count, out, out),
            _run("decode", [*decode, str(lines)], count, out, out),
        ]


def _run(name: str, command: Sequence[str], lines: int, out: Path, stdout: Path | None) -> Run:
    began = time.perf_counter()
    with Path(stdout or os.devnull).open("wb") as target:
        child = subprocess.Popen(command, stdout=target, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - began
    assert child.returncode in {0, 1}, f"{command[0]} ended with {child.returncode}"
    with out.open("rb") as file:
        events = sum(1 for _ in file)
    assert 1 - 1.2 / BAD_IN < events / lines < 1 - 0.8 / BAD_IN, f"{events} events of {lines} lines"
    cpu = usage.ru_utime + usage.ru_stime
    return Run(name, lines, events, seconds, cpu, usage.ru_maxrss / 1024)


def table(runs: Sequence[Run]) -> str:
    """Return the runs as a table of Markdown."""
    first = runs[0]
    rows = [
        "| | lines | events | lines/s | CPU us/line | times plain | peak MiB |",
        "|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {run.name} | {run.lines:,} | {run.events:,} | {run.rate:,.0f} "
        f"| {run.cpu / run.lines * 1e6:.1f} | {run.rate / first.rate:.1f} | {run.memory:.0f} |"
        for run in runs
    ]
    return "\n".join(rows)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=1_000_000)
    parser.add_argument("--plainly", nargs=2, metavar=("LINES", "OUT"), help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.plainly:
        decode_plainly(*map(Path, args.plainly))
    else:
        print(table(measure(args.lines, max(args.lines // 10, 1))))


if __name__ == "__main__":
    main()
