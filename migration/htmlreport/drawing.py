"""Pictures as SVG that stands in the page: bars, and lines over time. Colours are the page's."""

from collections.abc import Mapping, Sequence
from html import escape

WIDTH = 720
ROW = 26
LABEL = 190
NUMBER = 90
CHART = 220
AXIS = 36


def bars(values: Mapping[str, int], *, kind: str = "plain") -> str:
    """Draw one horizontal bar for each value; `kind` names the colour."""
    top = max([*values.values(), 1])
    room = WIDTH - LABEL - NUMBER
    parts = []
    for row, (name, value) in enumerate(values.items()):
        y = row * ROW
        length = room * value / top
        parts.append(
            f'<text class="label" x="{LABEL - 8}" y="{y + 17}">{escape(name)}</text>'
            f'<rect class="{kind}" x="{LABEL}" y="{y + 4}" width="{length:.1f}" height="18" rx="3">'
            f"<title>{escape(name)}: {value:,}</title></rect>"
            f'<text class="number" x="{LABEL + length + 6:.1f}" y="{y + 17}">{value:,}</text>'
        )
    return _svg("".join(parts), len(values) * ROW, "bars")


def shares(values: Mapping[str, int], width: int = 260) -> str:
    """Draw one bar, cut in the shares of what is counted; each share's class is its name."""
    total = sum(values.values()) or 1
    parts = []
    at = 0.0
    for name, value in values.items():
        length = width * value / total
        if length:
            parts.append(
                f'<rect class="{name}" x="{at:.2f}" width="{length:.2f}" height="14">'
                f"<title>{escape(name.replace('_', ' '))}: {value:,}</title></rect>"
            )
        at += length
    return (
        f'<svg class="shares" viewBox="0 0 {width} 14" width="{width}" height="14" role="img" '
        f'preserveAspectRatio="none">{"".join(parts)}</svg>'
    )


def burn_down(points: Sequence[tuple[str, int, int]]) -> str:
    """Draw what is left over time: (day, schemas left, schemas in all), the oldest first."""
    top = max(total for _, _, total in points) or 1
    room = WIDTH - 2 * AXIS
    step = room / max(len(points) - 1, 1)
    height = CHART - 2 * AXIS

    def place(number: int, value: int) -> str:
        return f"{AXIS + number * step:.1f},{AXIS + height * (1 - value / top):.1f}"

    left = [place(number, value) for number, (_, value, _) in enumerate(points)]
    floor = AXIS + height
    area = f"{AXIS},{floor} {' '.join(left)} {AXIS + (len(points) - 1) * step:.1f},{floor}"
    dots = "".join(
        f'<circle cx="{at.split(",")[0]}" cy="{at.split(",")[1]}" r="3.5">'
        f"<title>{escape(day)}: {value} of {total}</title></circle>"
        for at, (day, value, total) in zip(left, points, strict=True)
    )
    marks = "".join(
        f'<line class="grid" x1="{AXIS}" x2="{WIDTH - AXIS}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text class="tick" x="{AXIS - 6}" y="{y + 4:.1f}">{value}</text>'
        for value, y in ((top, float(AXIS)), (0, float(floor)))
    )
    first, last = points[0][0], points[-1][0]
    ends = (
        f'<text class="day" x="{AXIS}" y="{floor + 20}">{escape(first)}</text>'
        f'<text class="day end" x="{WIDTH - AXIS}" y="{floor + 20}">{escape(last)}</text>'
    )
    line = f'<polyline class="left" points="{" ".join(left)}"/>'
    return _svg(f'{marks}<polygon class="area" points="{area}"/>{line}{dots}{ends}', CHART, "burn")


def _svg(content: str, height: int, kind: str) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'preserveAspectRatio="xMinYMin meet">{content}</svg>'
    )
