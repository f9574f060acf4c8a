"""The chart of a measurement, where matplotlib is installed (the extra `bench`)."""

import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol


class Curve(Protocol):
    """What is drawn of a curve."""

    @property
    def name(self) -> str: ...
    @property
    def x(self) -> str: ...
    @property
    def unit(self) -> str: ...
    @property
    def points(self) -> Sequence[tuple[float, float]]: ...


def draw(rows: Sequence[dict[str, Any]], path: Path) -> bool:
    """Draw CPU time by scenario and server; say so and return False where that cannot be done."""
    try:
        pyplot: Any = importlib.import_module("matplotlib.figure")
    except ImportError:
        print(f"{path} is not drawn: install the extra `bench` for matplotlib.", file=sys.stderr)
        return False
    rows = [row for row in rows if row["cpu"]]
    servers = list(dict.fromkeys(row["server"] for row in rows))
    scenarios = list(dict.fromkeys(row["scenario"] for row in rows))
    figure = pyplot.Figure(figsize=(10, 0.28 * len(rows) + 1.5), layout="constrained")
    axes = figure.add_subplot()
    height = 0.8 / max(len(_servers_of(scenario, rows)) for scenario in scenarios)
    colours = importlib.import_module("matplotlib").colormaps["tab20"]
    for number, server in enumerate(servers):
        mine = [row for row in rows if row["server"] == server]
        places = [
            scenarios.index(row["scenario"])
            + _servers_of(row["scenario"], rows).index(server) * height
            for row in mine
        ]
        bars = axes.barh(
            places, [row["cpu"] for row in mine], height, label=server, color=colours(number)
        )
        axes.bar_label(bars, fmt="%.1f", padding=3, fontsize=8)
    middles = [
        place + height * (len(_servers_of(scenario, rows)) - 1) / 2
        for place, scenario in enumerate(scenarios)
    ]
    axes.set_yticks(middles, scenarios)
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.set_xscale("log")
    axes.set_xlabel("CPU time of the server for an event, in microseconds (less is better)")
    axes.legend()
    figure.savefig(path, dpi=130)
    return True


def _servers_of(scenario: str, rows: Sequence[dict[str, Any]]) -> list[str]:
    """Return who has a bar in a scenario, from above."""
    return [row["server"] for row in rows if row["scenario"] == scenario]


def draw_curves(curves: Sequence[Curve], path: Path) -> bool:
    """Draw costs as they grow; say so and return False where that cannot be done."""
    try:
        pyplot: Any = importlib.import_module("matplotlib.figure")
    except ImportError:
        print(f"{path} is not drawn: install the extra `bench` for matplotlib.", file=sys.stderr)
        return False
    figure = pyplot.Figure(figsize=(10, 3.2 * -(-len(curves) // 2)), layout="constrained")
    for number, curve in enumerate(curves, start=1):
        axes = figure.add_subplot(-(-len(curves) // 2), 2, number)
        axes.plot(*zip(*curve.points, strict=True), marker="o")
        axes.set_xscale("symlog" if curve.points[0][0] == 0 else "log")
        axes.set_yscale("log")
        costs = [cost for _, cost in curve.points]
        axes.set_ylim(min(costs) / 3, max(costs) * 3)  # so that what is nearly flat looks so
        axes.set_title(curve.name, fontsize=10)
        axes.set_xlabel(curve.x, fontsize=8)
        axes.set_ylabel(f"us of CPU for {curve.unit}", fontsize=8)
        axes.grid(visible=True, alpha=0.3)
    figure.savefig(path, dpi=130)
    return True
