"""The chart of a soak, where matplotlib is installed (the extra `bench`)."""

import importlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.soak.watch import Sample

MB = 1_000_000
SHADES = {"world": "tab:red", "sources": "tab:blue"}


def draw(samples: Sequence[Sample], faults: Sequence[Mapping[str, Any]], path: Path) -> bool:
    """Draw memory, descriptors, latency and what was done; say so and return False if it cannot.

    `faults` have `kind`, `lane`, and the seconds `start` and `end`.
    """
    try:
        pyplot: Any = importlib.import_module("matplotlib.figure")
    except ImportError:
        print(
            f"NO CHART: {path} is not drawn; install the extra `bench` for matplotlib.",
            file=sys.stderr,
        )
        return False
    figure = pyplot.Figure(figsize=(13, 12), layout="constrained")
    memory, descriptors, latency, answers = figure.subplots(4, 1, sharex=True)
    pids = list(dict.fromkeys(worker.pid for each in samples for worker in each.workers))
    for pid in pids:
        ours = [(each.at, w) for each in samples for w in each.workers if w.pid == pid]
        times = [at for at, _ in ours]
        memory.plot(times, [worker.rss / MB for _, worker in ours])
        descriptors.plot(times, [worker.fds for _, worker in ours])
        descriptors.plot(times, [worker.threads for _, worker in ours], linestyle=":")
    times = [each.at for each in samples]
    answered = [each for each in samples if each.answers]
    for share in ("p50", "p99"):
        seconds = [getattr(each, share) * 1_000 for each in answered]
        latency.plot([each.at for each in answered], seconds, label=share)
    answers.plot(
        times, [each.answers for each in samples], label="answers to honest clients, in a sample"
    )
    answers.plot(times, [each.spooled for each in samples], label="records in the spool")
    for axes, label in (
        (memory, "memory of each worker, MB"),
        (descriptors, "descriptors (threads: dotted)"),
        (latency, "honest latency, ms"),
        (answers, "count"),
    ):
        axes.set_ylabel(label)
        axes.grid(alpha=0.3)
        for fault in faults:
            axes.axvspan(fault["start"], fault["end"], color=SHADES[fault["lane"]], alpha=0.12)
    memory.set_ylim(bottom=0)
    descriptors.set_ylim(bottom=0)
    latency.set_yscale("log")
    answers.set_yscale("symlog")
    answers.set_ylim(bottom=0)
    latency.legend(loc="upper right")
    answers.legend(loc="upper right")
    answers.set_xlabel("seconds; red: brokers, processes and disk, blue: schemas and streams")
    for fault in faults:
        place = 1.02 if fault["lane"] == "world" else 1.5
        memory.annotate(
            fault["kind"],
            ((fault["start"] + fault["end"]) / 2, place),
            xycoords=("data", "axes fraction"),
            rotation=60,
            fontsize=6,
            color=SHADES[fault["lane"]],
        )
    figure.savefig(path, dpi=90)
    return True
