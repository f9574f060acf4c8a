"""The table of faults in docs/reliability.md: every row is there and whole, every test exists."""

import ast
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support import ROOT

PAGE = ROOT / "docs" / "reliability.md"
LIST = ROOT / ".." / "shared" / "design" / "ABUSE.md"
HEADER = ["row", "fault or abuse", "what is done", "test", "seen"]
NOT_SHOWN = "not shown here"
LINK = re.compile(r"\[`(test_\w+)(?:\[([^\]`]+)\])?`\]\(([^)#]+)\)")

# What the list of faults calls its rows, in its order, and the rows of the table that answer them.
ROWS = {
    "Always": {
        "zero loss": "A1",
        "process alive": "A2",
        "memory back": "A3",
        "/metrics": "A4",
        "no event body": "A5",
    },
    "Kafka": {
        "leader moves": "K1",
        "the only broker": "K2",
        "all brokers down": "K3",
        "new addresses": "K4",
        "swallows": "K5",
        "rolling restart": "K6",
        "too large": "K7",
        "forbidden topic": "K8",
        "sender task": "K9",
        "hot partition": "K10",
        "SIGTERM": "K11",
        "SIGKILL": "K12",
        "one worker": "K13",
        "disk full": "K14",
    },
    "Schemas and streams": {
        "repository down": "S1",
        "`file:`": "S2",
        "meta-schema": "S3",
        "draft-07": "S4",
        "exponential": "S5",
        "a million": "S6",
        "stream configs": "S7",
    },
    "HTTP and input": {
        "client leaves": "H1",
        "idle connections": "H2",
        "header flood": "H3",
        "wrong Content-Length": "H4",
        "bombs": "H5",
        "JSON:": "H6",
        "naughty strings": "H7",
        "injection": "H8",
        "CORS": "H9",
        "spoofed": "H10",
        "bare LF": "H11",
        "charsets": "H12",
        "script in": "H13",
        "admin routes": "H14",
        "error stream": "H15",
    },
}
IDS = [row for group in ROWS.values() for row in group.values()]


class Row(NamedTuple):
    number: str
    fault: str
    done: str
    test: str
    seen: str

    @property
    def of(self) -> str:
        """The number without the letter that tells its parts apart."""
        return self.number.rstrip("abcdefghijklmnopqrstuvwxyz")


class Named(NamedTuple):
    """A test as the page names it."""

    path: Path
    name: str
    case: str | None

    def __str__(self) -> str:
        return f"{self.path.name}: {self.name}" + (f"[{self.case}]" if self.case else "")


def cells(line: str) -> list[str]:
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def table() -> list[Row]:
    """The rows of the one table that has our header."""
    lines = PAGE.read_text().splitlines()
    (start,) = [i for i, line in enumerate(lines) if line.startswith("|") and cells(line) == HEADER]
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        assert len(cells(line)) == len(HEADER), line
        rows.append(Row(*cells(line)))
    return rows


def named(text: str) -> list[Named]:
    return [
        Named((PAGE.parent / path).resolve(), name, case or None)
        for name, case, path in LINK.findall(text)
    ]


TABLE = table()


@cache
def cases_in(path: Path) -> dict[str, set[str]]:
    """The tests of a file, with the words that stand in what makes cases of them."""
    tree = ast.parse(path.read_text())
    return {
        function.name: {
            str(constant.value)
            for decorator in function.decorator_list
            for constant in ast.walk(decorator)
            if isinstance(constant, ast.Constant)
        }
        for function in tree.body
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef)
        and function.name.startswith("test_")
    }


@pytest.mark.parametrize("row", IDS)
def test_every_fault_has_its_row(row):
    assert row in {each.of for each in TABLE}


def test_the_rows_stand_in_order_and_no_number_twice():
    numbers = [row.number for row in TABLE]
    order = {letter: position for position, letter in enumerate("AKSH")}

    assert [number for number, count in Counter(numbers).items() if count > 1] == []
    assert numbers == sorted(
        numbers,
        key=lambda n: (order[n[0]], int(re.sub(r"\D", "", n)), n.lstrip("AKSH0123456789")),
    )


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.number)
def test_no_cell_of_the_table_is_empty(row):
    for cell in row:
        assert re.search(r"\w", cell)
        assert not re.search(r"TODO|TBD|\?\?", cell)


@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.number)
def test_a_row_names_its_tests_with_their_files_or_says_why_there_is_none(row):
    assert named(row.test) or row.test.startswith(NOT_SHOWN)
    # Nothing looks like a test without being a link to its file.
    assert len(re.findall(r"`test_\w+", row.test)) == len(named(row.test))


def test_every_test_that_the_page_names_exists():
    found = named(PAGE.read_text())

    assert len(found) > len(IDS)
    for test in found:
        assert test.path.is_file(), test
        assert test.path.is_relative_to(ROOT / "tests"), test
        words = cases_in(test.path).get(test.name)
        assert words is not None, f"{test} is gone"
        if test.case is not None:
            assert test.case in words, f"{test} has no such case"


def test_every_test_on_the_page_is_named_with_its_file():
    text = PAGE.read_text()

    assert len(re.findall(r"\btest_\w+(?!\w|\.py)", text)) == len(named(text))


def test_every_row_of_the_list_that_we_answer_has_its_answer():
    if not LIST.is_file():
        pytest.skip("the list of faults (../shared/design) is not here")
    head, *sections = re.split(r"^## ", LIST.read_text(), flags=re.MULTILINE)
    listed = {section.partition("\n")[0]: section for section in sections}
    assert listed.keys() == ROWS.keys() - {"Always"}

    for clause in ROWS["Always"]:
        assert clause in head
    for title, section in listed.items():
        faults = [
            cells(line)[0] for line in section.splitlines() if re.match(r"\| (?!fault|abuse)", line)
        ]
        answers = [
            [number for word, number in ROWS[title].items() if word in fault] for fault in faults
        ]
        assert answers == [[number] for number in ROWS[title].values()]
