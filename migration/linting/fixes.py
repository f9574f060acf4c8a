"""Mending what can be mended without a decision: links, and examples that name their schema."""

from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from migration.conversion.files import write_file
from migration.linting.finding import Edit, Finding
from migration.materializefiles import Link, make_link


def fix(findings: Iterable[Finding]) -> int:
    """Mend what has a fix; return how many findings that were. Raises OSError."""
    edits: dict[Path, list[Edit]] = defaultdict(list)
    mended = 0
    for finding in findings:
        match finding.fix:
            case Link() as link:
                make_link(link)
            case Edit() as edit:
                edits[edit.path].append(edit)
            case None:
                continue
        mended += 1
    for path, some in edits.items():
        write_file(path, _edited(path.read_bytes().decode(), some))
    return mended


def _edited(text: str, edits: list[Edit]) -> str:
    lines = text.splitlines(keepends=True)
    for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
        number = edit.start[0]
        line = lines[number]
        lines[number] = line[: edit.start[1]] + edit.text + line[edit.end[1] :]
    return "".join(lines)
