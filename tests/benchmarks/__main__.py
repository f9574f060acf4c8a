"""Measure the service beside a plain baseline, the same HTTP stack doing nothing, and a floor.

    make bench
    make bench ARGS="--seconds 2 --rounds 3 --also other=http://127.0.0.1:8080"

Rounds are interleaved, so that whatever else the machine does falls on everybody; medians are
shown. Compare ratios within a run: the figures themselves depend on the machine.
"""

import argparse
import json
import platform
import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tests.benchmarks import decoding, replay
from tests.benchmarks.chart import draw
from tests.benchmarks.events import STREAM, write_house
from tests.benchmarks.load import Load, drive, find_wrk
from tests.benchmarks.scenarios import KAFKA, NULL, SQLITE, WORKERS, Scenario
from tests.benchmarks.serving import Server, broker, started

Runs = dict[tuple[str, str], list[Load]]
LOAD_CORE = 1
COLUMNS = (
    *("scenario", "server", "requests/s", "events/s", "us/event", "to noop", "plain to it"),
    *("p50 ms", "p99 ms", "MiB", "failed"),
)
GROUPS = ("null", "sqlite", "kafka", "workers", "records")


def servers_of(stack: ExitStack, folder: Path, groups: Sequence[str]) -> Iterator[Server]:
    """Start what the groups of scenarios want."""

    def house(name: str, sink: dict[str, Any] | None = None) -> str:
        place = folder / name
        place.mkdir()
        return str(write_house(place, sink))

    if {"null", "sqlite", "kafka"}.intersection(groups):
        yield stack.enter_context(started("noop", ["noop"]))
    if "null" in groups:
        config = house("null")
        yield stack.enter_context(started("floor", ["floor"]))
        yield stack.enter_context(started("sluiceway", ["null", "--config", config]))
        yield stack.enter_context(started("plain", ["plain"]))
    if "sqlite" in groups:
        sink = {"type": "sqlite", "path": str(folder / "log.db")}
        arguments = ["configured", "--config", house("sqlite", sink)]
        yield stack.enter_context(started("sqlite", arguments))
        plain = ["plain", "--database", str(folder / "plain.db")]
        yield stack.enter_context(started("plain sqlite", plain))
    if "kafka" in groups:
        topics = [STREAM, "sluiceway.error", "eventlogging_DemoButtonClick"]
        bootstrap = stack.enter_context(broker(folder / "broker", topics))
        if bootstrap:
            sink = {"type": "kafka", "bootstrap_servers": [bootstrap]}
            arguments = ["configured", "--config", house("kafka", sink)]
            yield stack.enter_context(started("kafka", arguments))
            plain = ["plain", "--bootstrap", bootstrap]
            yield stack.enter_context(started("plain kafka", plain))
    if "workers" in groups:
        for workers in (1, 2):
            name = "1 worker" if workers == 1 else f"{workers} workers"
            config = ["--config", house(f"workers-{workers}")]
            yield stack.enter_context(started(name, config, core=None, workers=workers))


def measure(args: argparse.Namespace) -> Runs:
    """Run every scenario on every server that it wants, round by round."""
    groups = args.only.split(",")
    scenarios = [
        scenario
        for group, listed in (
            ("null", NULL),
            ("sqlite", SQLITE),
            ("kafka", KAFKA),
            ("workers", WORKERS),
        )
        if group in groups
        for scenario in listed
    ]
    runs: Runs = {}
    also = {given.partition("=")[0] for given in args.also}
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        servers = {server.name: server for server in servers_of(stack, folder, groups)}
        for given in args.also:
            name, _, place = given.partition("=")
            url, _, pid = place.partition(",")
            servers[name] = Server(name, url, int(pid) if pid else None)
        for number in range(args.rounds + 1):  # the first only warms everybody up
            for scenario in scenarios:
                for server in servers.values():
                    if server.name not in {*scenario.servers, *also}:
                        continue
                    load = _load(scenario, server, folder, 1 if number == 0 else args.seconds)
                    if number:
                        runs.setdefault((scenario.name, server.name), []).append(load)
    return runs


def _load(scenario: Scenario, server: Server, folder: Path, seconds: float) -> Load:
    target = scenario.target(server.url, folder)
    core = None if "worker" in server.name else LOAD_CORE
    return drive(target, server.pids, connections=scenario.connections, seconds=seconds, core=core)


def rows_of(runs: Runs) -> list[dict[str, Any]]:
    """Return the medians, one row for each scenario and server."""
    rows = []
    for (scenario, server), loads in runs.items():
        row: dict[str, Any] = {"scenario": scenario, "server": server}
        for name in ("rate", "cpu", "p50", "p99", "memory"):
            values = [load.rate if name == "rate" else asdict(load)[name] for load in loads]
            row[name] = statistics.median(values) or None  # nothing is as good as unknown
        row["failed"] = sum(load.failed for load in loads)
        row["requests"] = statistics.median(load.requests / load.seconds for load in loads)
        rows.append(row)
    return [row | ratios(row, rows) for row in rows]


def ratios(row: dict[str, Any], rows: Sequence[dict[str, Any]]) -> dict[str, float | None]:
    """Return how much a row's server takes for an event beside noop, and plain beside it.

    None where either is not known.
    """
    of = {other["server"]: other["cpu"] for other in rows if other["scenario"] == row["scenario"]}
    cpu, noop = row["cpu"], of.get("noop")
    plain = next((cpu for server, cpu in of.items() if server.startswith("plain")), None)
    return {
        "to_noop": cpu / noop if cpu and noop else None,
        "plain_to": plain / cpu if cpu and plain else None,
    }


def record_rows(lines: int) -> list[dict[str, Any]]:
    """Decode and replay recorded log lines; a line counts as an event."""

    def row(
        scenario: str, server: str, rate: float, cpu: float | None, memory: float
    ) -> dict[str, Any]:
        figures = {"requests": rate, "rate": rate, "cpu": cpu, "memory": memory}
        unknown = {"p50": None, "p99": None}
        return {"scenario": scenario, "server": server, **figures, **unknown, "failed": 0}

    rows = []
    for run in decoding.measure(lines, lines):
        if run.name in ("plain", "decode"):
            name = "plain" if run.name == "plain" else "sluiceway"
            cpu = run.cpu / run.lines * 1e6
            rows.append(row("log lines decoded", name, run.rate, cpu, run.memory))
    with tempfile.TemporaryDirectory() as name:
        traffic, old = replay.prepared(Path(name), lines)
        for jobs in (1, 2):
            seconds, memory, _ = replay.replay(
                traffic, old, Path(name) / "report.json", ["--jobs", str(jobs)]
            )
            server = f"{jobs} process" if jobs == 1 else f"{jobs} processes"
            rows.append(row("log lines replayed", server, lines / seconds, None, memory))
    return [each | ratios(each, rows) for each in rows]


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return rows as a table of Markdown; `us/event` is CPU time of the server's processes."""
    lines = [
        f"| {' | '.join(COLUMNS)} |",
        "|---" * len(COLUMNS) + "|",
    ]
    for row in rows:
        shown = [
            *(row["scenario"], row["server"]),
            *(_shown(row[name], 0) for name in ("requests", "rate")),
            *(_shown(row[name], 1) for name in ("cpu", "to_noop", "plain_to")),
            *(_shown(row[name], 2) for name in ("p50", "p99")),
            _shown(row["memory"], 0),
            str(row["failed"]),
        ]
        lines.append(f"| {' | '.join(shown)} |")
    return "\n".join(lines)


def _shown(figure: float | None, places: int) -> str:
    return "" if figure is None else f"{figure:,.{places}f}"


def main() -> None:
    """Measure; print a table, write JSON and draw a chart."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="of each run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", default=",".join(GROUPS), help="groups of scenarios")
    parser.add_argument("--lines", type=int, default=50_000, help="recorded lines, of `records`")
    parser.add_argument(
        "--also",
        metavar="NAME=URL[,PID]",
        action="append",
        default=[],
        help="another service; its CPU time is known if its process is",
    )
    parser.add_argument("--out", default="bench", help="where bench.json and bench.png go")
    args = parser.parse_args()
    find_wrk()
    rows = rows_of(measure(args))
    if "records" in args.only.split(","):
        rows += record_rows(args.lines)
    print(table(rows))
    out = Path(args.out)
    told = {"machine": platform.platform(), "python": platform.python_version(), "rows": rows}
    out.with_suffix(".json").write_text(json.dumps(told, indent=1) + "\n")
    draw(rows, out.with_suffix(".png"))


if __name__ == "__main__":
    main()
