import json
from pathlib import Path

from migration.linting.finding import Edit, Finding
from migration.linting.output import shown, summary

PATH = Path("a,b/current.yaml")
FINDING = Finding("title", PATH, 3, "100% wrong:\nyes", "/title", ("/a/1.0.0",))
FIXABLE = Finding("links", PATH, 1, "missing", fix=Edit(PATH, (0, 0), (0, 1), "x"))


def test_text_is_one_line_that_editors_can_jump_to():
    assert shown(FINDING, "text") == "a,b/current.yaml:3: title: 100% wrong: yes"


def test_annotations_are_escaped_as_github_reads_them():
    assert shown(FINDING, "github") == (
        "::error file=a%2Cb/current.yaml,line=3,title=title::100%25 wrong:%0Ayes"
    )


def test_json_is_one_object_a_line():
    line = shown(FIXABLE, "json")

    assert json.loads(line) == {
        "rule": "links",
        "file": "a,b/current.yaml",
        "line": 1,
        "pointer": "",
        "message": "missing",
        "fixable": True,
    }
    assert "\n" not in line


def test_the_summary_counts():
    assert summary([], schemas=3, excepted=0) == "3 schemas: no findings"
    assert summary([FINDING, FIXABLE], schemas=1, excepted=4) == (
        "1 schema: 2 findings, 4 more are excepted; --fix mends 1 of them"
    )
    assert summary([FINDING], schemas=2, excepted=0) == "2 schemas: 1 finding"
