import argparse
import json
import shutil
import time

import pytest

from migration.commands import convert, materialize
from migration.commands.lint import add_arguments, run
from migration.linting.exceptions import FILE
from tests.migration.shop import VISIT, shop, tree, write

OLD = {
    "description": "A press of a button.",
    "properties": {
        "action": {"type": "string", "enum": ["press", "hold"], "required": True},
        "howLong": {"type": "number"},
        "where": {
            "type": "object",
            "properties": {"pageId": {"type": "integer", "required": True}},
        },
    },
}


def called(command, *words):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return command.run(parser.parse_args([str(word) for word in words]))


def linted(*words):
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return run(parser.parse_args([str(word) for word in words]))


@pytest.fixture
def repository(tmp_path):
    """A repository that is materialized, so that there is nothing to find in it."""
    called(materialize, shop(tmp_path))
    return tmp_path


def test_a_clean_repository_is_told_to_be(repository, capsys):
    capsys.readouterr()

    code = linted(repository)

    assert code == 0
    assert capsys.readouterr().out == "2 schemas: no findings\n"


def test_findings_have_file_and_line_in_every_format(repository, capsys):
    write(repository, "shop/visit", VISIT.replace("title: shop/visit", "title: visit"))
    capsys.readouterr()

    codes = [linted(repository, "--format", form) for form in ("text", "github", "json")]

    path = repository / "shop/visit/current.yaml"
    lines = capsys.readouterr().out.splitlines()
    assert codes == [1, 1, 1]
    assert lines[0] == f"{path}:1: title: its title is visit, and its folder shop/visit"
    assert lines[3].startswith(f"::error file={path},line=1,title=title::")
    assert json.loads(lines[5])["file"] == str(path)


def test_fixing_mends_links_and_examples_and_nothing_that_is_released(repository, capsys):
    called(materialize, repository)
    released = (repository / "shop/visit/1.0.0.yaml").read_bytes()
    (repository / "shop/visit/latest").unlink()
    stale = VISIT.replace('{$ref: "#/$id"}', "/shop/visit/0.9.0  # stale")
    write(repository, "shop/visit", stale)

    codes = [linted(repository), linted(repository, "--fix"), linted(repository)]

    assert codes == [1, 0, 0]
    assert "2 mended" in capsys.readouterr().err
    fixed = VISIT.replace('{$ref: "#/$id"}', '{$ref: "#/$id"}  # stale')
    assert tree(repository)["shop/visit/current.yaml"] == fixed
    assert tree(repository)["shop/visit/latest"] == "-> 1.0.0.yaml"
    assert (repository / "shop/visit/1.0.0.yaml").read_bytes() == released


def test_exceptions_are_kept_in_the_repository_and_told_when_they_are_not_needed(
    repository, capsys
):
    write(repository, "shop/visit", VISIT.replace("title: shop/visit", "title: visit"))
    (repository / FILE).write_text(
        "exceptions:\n"
        "  - {schemas: /shop/*, rules: [title, current-released], because: a test}\n"
        "  - {schemas: /gone/*, rules: [secure], because: it was there once}\n"
    )

    code = linted(repository)

    said = capsys.readouterr()
    assert code == 0
    assert said.out.endswith("2 schemas: no findings, 2 more are excepted\n")
    assert said.err == "the exception for /gone/* is not needed\n"


def test_a_repository_may_be_one_without_bounds(tmp_path, capsys):
    called(materialize, shop(tmp_path), "--numeric-bounds", "none")

    codes = [linted(tmp_path), linted(tmp_path, "--numeric-bounds", "none")]

    assert codes == [1, 0]
    assert "current-released: it is not what 1.0.0 is" in capsys.readouterr().out


def test_a_fix_counts_characters_as_the_reader_of_yaml_does(repository):
    smile = VISIT.replace("front, back", "front, back, 😀")
    smile = smile.replace("    door: front\n", "")
    smile = smile.replace(
        '- $schema: {$ref: "#/$id"}\n    meta: {stream: shop.visit}\n',
        "- {door: '😀', $schema: /old/1.0.0, meta: {stream: é}}\n",
    )
    write(repository, "shop/visit", smile)

    linted(repository, "--fix")

    fixed = smile.replace("/old/1.0.0", '{$ref: "#/$id"}')
    assert tree(repository)["shop/visit/current.yaml"] == fixed


def test_what_is_excepted_is_not_mended(repository):
    (repository / "shop/visit/latest").unlink()
    (repository / FILE).write_text(
        "exceptions: [{schemas: /shop/*, rules: [links], because: a test}]\n"
    )

    assert linted(repository, "--fix") == 0
    assert "shop/visit/latest" not in tree(repository)


def test_schemas_can_be_chosen(repository):
    write(repository, "shop/visit", VISIT.replace("title: shop/visit", "title: visit"))

    assert [linted(repository, name) for name in ("fragment/common", "shop/visit")] == [0, 1]


@pytest.mark.parametrize(
    "words", [["missing"], ["."], [".", "--exceptions", "none"], [".", "--schemas", "x"]]
)
def test_a_wrong_call_is_refused(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)

    assert linted(*words) == 2
    assert capsys.readouterr().err.startswith("sluiceway migrate lint: ")


def test_a_converted_schema_materializes_and_is_clean(tmp_path, capsys):
    source = tmp_path / "ButtonPress-77.json"
    source.write_text(json.dumps(OLD))
    repository = tmp_path / "schemas"
    called(convert, source, "--repository", repository, "--write-capsule")
    capsys.readouterr()

    before = linted(repository, "--format", "json")
    found = {json.loads(line)["rule"] for line in capsys.readouterr().out.splitlines()}
    codes = [called(materialize, repository), linted(repository)]

    assert before == 1
    assert found == {"current-released"}  # that they have to be materialized, nothing else
    assert codes == [0, 0]
    assert capsys.readouterr().out.endswith("2 schemas: no findings\n")


def test_every_real_schema_that_is_converted_materializes_and_is_clean(shared, tmp_path, capsys):
    sources = shared / "legacy" / "schemas-draft3"
    called(convert, sources / "backconverted", "--repository", tmp_path, "--write-capsule")

    # Their own maximum is that of a number of 17 digits; the real repository excepts them too.
    (tmp_path / FILE).write_text(
        "exceptions:\n"
        "  - schemas: /analytics/legacy/codemirrorusage/*\n"
        "    rules: [numeric-bounds]\n"
        "    because: edit_start_ts_ms has 17 digits\n"
        "  - schemas: /analytics/legacy/twocolconflictexit/*\n"
        "    rules: [numeric-bounds]\n"
        "    because: start_time_ts_ms has 17 digits\n"
    )

    codes = [called(materialize, tmp_path), linted(tmp_path)]

    assert codes == [0, 0]
    assert len(list(tmp_path.rglob("1.0.0.yaml"))) > 50
    assert capsys.readouterr().out.endswith("schemas: no findings, 2 more are excepted\n")


# Findings in the real repositories that are on none of their own lists of exceptions.
EXPLAINED = {
    ("id", "development/webrequest/current.yaml"): "it was moved into a folder as it was",
    ("id", "development/webrequest/1.0.0.yaml"): "the same",
    ("current-released", "development/webrequest/current.yaml"): "a maximum of 2^64-1 was "
    "released as JavaScript rounds it",
}


def test_the_real_repositories_break_the_rules_only_where_they_say_so(shared, tmp_path, capsys):
    """With -s the table is shown. What was never put into the data is not released there."""
    base = shared / "modern"
    for kind in ("schemas", "current"):
        for name in ("primary", "secondary"):
            target = tmp_path / name
            shutil.copytree(
                base / kind / name / "jsonschema",
                target,
                dirs_exist_ok=True,
                copy_function=shutil.copyfile,
            )
            for folder in (target, *target.rglob("*")):
                if folder.is_dir():
                    folder.chmod(0o755)
    before = time.monotonic()
    unexplained = []
    table = []

    for name, other in (("primary", "secondary"), ("secondary", "primary")):
        exceptions = base / "current" / f"{name}-exceptions.yaml"
        arguments = [tmp_path / name, "--schemas", tmp_path / other, "--format", "json"]
        capsys.readouterr()
        linted(*arguments, "--exceptions", exceptions)
        said = capsys.readouterr()
        for line in said.out.splitlines():
            one = json.loads(line)
            path = one["file"].removeprefix(f"{tmp_path / name}/")
            if "is not released yet" in one["message"]:
                continue
            why = EXPLAINED.get((one["rule"], path))
            table.append(f"{name}/{path}:{one['line']}: {one['rule']}: {why}")
            if why is None:
                unexplained.append(one)
        table.append(said.err.strip())

    print("\n".join(table))
    print(f"{time.monotonic() - before:.1f} s")
    assert unexplained == []
    assert sum(": id: " in line or ": current-released: " in line for line in table) == len(
        EXPLAINED
    )
