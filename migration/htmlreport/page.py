"""The page: a sentence, pictures, a table, and examples side by side. It needs no other file."""

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from migration.htmlreport.drawing import bars, burn_down, shares
from migration.htmlreport.events import shown_json
from migration.parity.causes import CLASSES
from migration.parity.report import Report
from migration.parity.summary import VERDICTS
from migration.progress.states import STATES

STYLE = Path(__file__).with_name("style.css")
MAX_EXAMPLES = 3
MAX_SCHEMAS = 200
CUT_OVER = STATES.index("cut over")

_VERDICT_WORDS = {
    "both_accept": "both systems take the event",
    "only_old": "only the old system took it: data would be lost",
    "only_new": "only the new system takes it",
    "both_refuse": "both systems refuse it",
    "undecodable": "nobody can read it",
}
_CLASS_WORDS = CLASSES | {"other": "somebody has to look at these"}


def page_of(reports: Sequence[Report], status: Mapping[str, Any] | None, title: str) -> str:
    """Return the page; `reports` are of `verify`, `status` is of `status`."""
    schemas = _schemas(reports)
    sections = [
        _head(title, reports, schemas, status),
        *([_progress(status)] if status else []),
        _verdicts(schemas),
        _classes(schemas),
        _table(schemas, status),
        *_examples(schemas),
        _foot(reports),
    ]
    style = STYLE.read_text()
    body = "\n".join(section for section in sections if section)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="content-security-policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:\">\n"
        f"<title>{escape(title)}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n"
        f"{body}\n</main>\n</body>\n</html>\n"
    )


def _schemas(reports: Sequence[Report]) -> dict[str, dict[str, Any]]:
    """Return what reports found, added up for each schema."""
    schemas: dict[str, dict[str, Any]] = {}
    for report in reports:
        for name, found in report["schemas"].items():
            known = schemas.setdefault(
                name,
                {
                    "matrix": dict.fromkeys(VERDICTS, 0),
                    "clusters": [],
                    "differences": [],
                    "differing": 0,
                    "coverage": found["coverage"],
                },
            )
            for verdict, count in found["matrix"].items():
                known["matrix"][verdict] += count
            known["clusters"] += found["clusters"]
            known["differences"] += found["differences"]
            known["differing"] += found["differing"]
    return dict(sorted(schemas.items(), key=lambda item: item[0].lower()))


def _head(
    title: str,
    reports: Sequence[Report],
    schemas: Mapping[str, Any],
    status: Mapping[str, Any] | None,
) -> str:
    events = sum(report["totals"]["events"] for report in reports)
    matrix = _matrix(schemas)
    agreed = matrix["both_accept"] + matrix["both_refuse"] + matrix["undecodable"]
    share = agreed / events if events else 0
    lost = matrix["only_old"]
    tiles = [
        (f"{events:,}", "recorded events were shown to both systems"),
        (f"{_percent(share)}", "of them got the same answer from both"),
        (f"{lost:,}", "were taken by the old system only"),
    ]
    if status:
        done = sum(n for state, n in status["states"].items() if STATES.index(state) >= CUT_OVER)
        tiles.append((f"{done} of {len(status['schemas'])}", "schemas are cut over"))
    shown = "".join(f"<div><b>{number}</b><span>{text}</span></div>" for number, text in tiles)
    return f'<header><h1>{escape(title)}</h1><div class="tiles">{shown}</div></header>'


def _matrix(schemas: Mapping[str, Any]) -> dict[str, int]:
    return {v: sum(found["matrix"][v] for found in schemas.values()) for v in VERDICTS}


def _percent(share: float) -> str:
    # Never 100 % unless it is all of them.
    return "100 %" if share == 1 else f"{min(share * 100, 99.99):.2f} %"


def _progress(status: Mapping[str, Any]) -> str:
    points = []
    for each in status["history"]:
        total = sum(each["states"].values())
        done = sum(n for state, n in each["states"].items() if STATES.index(state) >= CUT_OVER)
        points.append((each["at"][:10], total - done, total))
    over_time = ""
    if len(points) > 1:
        over_time = f"<h3>Schemas that are not cut over yet</h3>{burn_down(points)}"
    return (
        "<section><h2>How far the schemas have come</h2>"
        f"{bars(status['states'], kind='state')}{over_time}</section>"
    )


def _verdicts(schemas: Mapping[str, Any]) -> str:
    matrix = _matrix(schemas)
    legend = "".join(
        f'<li><i class="{verdict}"></i>{text}: <b>{matrix[verdict]:,}</b></li>'
        for verdict, text in _VERDICT_WORDS.items()
    )
    return (
        "<section><h2>Do both systems give the same answer?</h2>"
        f'{shares(matrix, 720)}<ul class="legend">{legend}</ul></section>'
    )


def _classes(schemas: Mapping[str, Any]) -> str:
    counts: dict[str, int] = {}
    for found in schemas.values():
        for cluster in found["clusters"]:
            if cluster["verdict"] in {"only_old", "only_new"}:
                counts[cluster["class"]] = counts.get(cluster["class"], 0) + cluster["count"]
    if not counts:
        return "<section><h2>Why they differ</h2><p>They do not.</p></section>"
    ranked = dict(sorted(counts.items(), key=lambda item: -item[1]))
    words = "".join(
        f"<li><b>{escape(kind)}</b>: "
        f"{escape('; '.join(_CLASS_WORDS.get(each, '') for each in kind.split('+')))}.</li>"
        for kind in ranked
    )
    return (
        f"<section><h2>Why they differ</h2>{bars(ranked, kind='class')}"
        f'<ul class="words">{words}</ul></section>'
    )


def _table(schemas: Mapping[str, Any], status: Mapping[str, Any] | None) -> str:
    states = {each["name"]: each for each in status["schemas"]} if status else {}
    names = sorted({*schemas, *states}, key=str.lower)[:MAX_SCHEMAS]
    rows = []
    for name in names:
        found = schemas.get(name)
        standing = states.get(name)
        cells = [f"<th scope=row>{escape(name)}</th>"]
        if status:
            told = escape(standing["state"]) if standing else ""
            blocks = escape(standing["blocks"]) if standing else ""
            cells.append(f"<td><b>{told}</b><br><small>{blocks}</small></td>")
        cells.append(f"<td>{shares(found['matrix'], 160) if found else ''}</td>")
        cells += [
            f"<td class=n>{found['matrix'][verdict]:,}</td>" if found else "<td></td>"
            for verdict in ("both_accept", "only_old", "only_new")
        ]
        cells.append(f"<td class=n>{_covered(found)}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    state = "<th>state, and what keeps it there</th>" if status else ""
    return (
        "<section><h2>Each schema</h2><div class=wide><table><thead><tr><th>schema</th>"
        f"{state}<th>verdicts</th><th class=n>both take</th><th class=n>only old</th>"
        "<th class=n>only new</th><th class=n>seen of it</th></tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table></div></section>"
    )


def _covered(found: Mapping[str, Any] | None) -> str:
    properties = found["coverage"]["properties"] if found else {}
    if not properties:
        return ""
    seen = sum(1 for count in properties.values() if count)
    return f"{seen} of {len(properties)}"


def _examples(schemas: Mapping[str, Any]) -> Iterator[str]:
    for name, found in schemas.items():
        shown = [
            _cluster(cluster)
            for cluster in found["clusters"]
            if cluster["verdict"] in {"only_old", "only_new"}
        ][:MAX_EXAMPLES]
        shown += [_difference(each) for each in found["differences"][:MAX_EXAMPLES]]
        if shown:
            yield f"<section class=examples><h2>{escape(name)}</h2>{''.join(shown)}</section>"


def _cluster(cluster: Mapping[str, Any]) -> str:
    refused = "new" if cluster["verdict"] == "only_old" else "old"
    causes = cluster[refused]
    pointers = [cause["pointer"] for cause in causes]
    example = cluster["example"]
    event = {"event": example["event"]}
    why = "<br>".join(escape(cause["message"]) for cause in causes[:MAX_EXAMPLES])
    sides = {
        "old": ("the old system", refused == "old"),
        "new": ("the new system", refused == "new"),
    }
    columns = "".join(
        f'<div class="{"refused" if bad else "taken"}"><h4>{who} '
        f"{'refused it' if bad else 'took it'}</h4>"
        f"<pre>{shown_json(event, pointers if bad else ())}</pre>"
        f"{f'<p>{why}</p>' if bad else ''}</div>"
        for who, bad in sides.values()
    )
    return (
        f"<article><h3>{escape(cluster['class'])} <small>{_events(cluster['count'])}; for example "
        f"{escape(example['source'])}, line {example['line']:,}</small></h3>"
        f'<div class="sides">{columns}</div></article>'
    )


def _difference(each: Mapping[str, Any]) -> str:
    place = escape(each["pointer"])
    sides = "".join(
        f"<div><h4>{who}</h4><pre><mark>{shown_json(each[side], ())}</mark></pre></div>"
        for who, side in (("the old system published", "old"), ("the new system stores", "new"))
    )
    return (
        f"<article><h3>{place}: {escape(each['kind'])} <small>{_events(each['count'])}</small></h3>"
        f'<div class="sides">{sides}</div></article>'
    )


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count:,} events"


def _foot(reports: Sequence[Report]) -> str:
    sources = [source for report in reports for source in report["sources"]]
    listed = ", ".join(escape(source["name"]) for source in sources[:MAX_EXAMPLES])
    more = f" and {len(sources) - MAX_EXAMPLES} more" if len(sources) > MAX_EXAMPLES else ""
    version = escape(reports[0]["sluiceway"]) if reports else ""
    return f"<footer>Made of {listed}{more} by Sluiceway {version}.</footer>"
