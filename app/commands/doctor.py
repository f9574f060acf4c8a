"""Look at everything the service depends on, and say what to do. Changes nothing.

The exit code is 0 if nothing must be done, 1 if there are problems, 2 if the settings cannot be
read at all.
"""

import argparse
import asyncio
import json
import logging
import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from app.config import load_settings
from app.diagnosis.examination import diagnose
from app.diagnosis.findings import Finding, counted
from app.settings import ENV_PREFIX, Settings

INTERRUPTED = 130
"""The exit code that a shell reports for Ctrl-C."""

_INDENT = " " * 19
_LAST_WAIT = 0.5
_THREADS = 64


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Describe the command's arguments."""
    parser.add_argument("--config", metavar="FILE", help="settings, as YAML")
    parser.add_argument(
        "--kafka",
        metavar="HOST:PORT",
        action="append",
        help="look at this Kafka cluster, as `serve --kafka` would use it",
    )
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")


def run(args: argparse.Namespace) -> int:
    """Print what was found on standard output; return the exit code."""
    if args.kafka:
        servers = [server for given in args.kafka for server in given.split(",")]
        os.environ[f"{ENV_PREFIX}SINK__TYPE"] = "kafka"
        os.environ[f"{ENV_PREFIX}SINK__BOOTSTRAP_SERVERS"] = json.dumps(servers)
    settings = load_settings(args.config)
    # What matters is found and told; the log of the parts that are tried would tell it twice.
    logging.getLogger().addHandler(logging.NullHandler())
    threads = set(threading.enumerate())
    # Nothing is begun that would have to be ended, and its tasks would complain: Ctrl-C ends it
    # on the spot, wherever it is.
    before = signal.signal(signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    try:
        findings = _diagnosed(settings)
    finally:
        signal.signal(signal.SIGINT, before)
    print(_as_json(findings) if args.json else _as_text(findings))
    sys.stdout.flush()
    code = 1 if any(each.level == "problem" for each in findings) else 0
    _leave_if_stuck(set(threading.enumerate()) - threads, code)
    return code


def _diagnosed(settings: Settings) -> list[Finding]:
    # Not asyncio.run, which would wait for threads that wait for a resolver or a disk.
    loop = asyncio.new_event_loop()
    # Names that do not resolve keep a thread each; others must find one all the same.
    loop.set_default_executor(ThreadPoolExecutor(_THREADS))
    findings = loop.run_until_complete(diagnose(settings))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
    return findings


def _leave_if_stuck(threads: set[threading.Thread], code: int) -> None:
    """End the process at once if a thread would keep it: nothing can end that thread."""
    deadline = time.monotonic() + _LAST_WAIT
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    if any(thread.is_alive() for thread in threads):
        os._exit(code)


def _as_text(findings: Sequence[Finding]) -> str:
    lines = []
    for each in findings:
        lines.append(f"{each.level:<8} {each.area:<9} {each.text}")
        lines += [f"{_INDENT}{line}".rstrip() for line in each.advice.splitlines()]
    count = Counter(each.level for each in findings)
    told = f"{counted(count['problem'], 'problem')}, {counted(count['warning'], 'warning')}."
    return "\n".join([*lines, told])


def _as_json(findings: Sequence[Finding]) -> str:
    count = Counter(each.level for each in findings)
    report = {
        "problems": count["problem"],
        "warnings": count["warning"],
        "findings": [asdict(each) for each in findings],
    }
    return json.dumps(report, indent=2, ensure_ascii=False)
