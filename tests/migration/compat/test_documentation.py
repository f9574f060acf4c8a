import argparse
import re
from pathlib import Path

from migration.commands.compat import add_arguments, run

PAGE = Path(__file__).parents[3] / "docs" / "migration-compat.md"


def test_the_example_of_the_documentation_is_what_is_printed(tmp_path, monkeypatch, capsys):
    blocks = re.findall(r"```\w+\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    old, new, events, expected = blocks
    monkeypatch.chdir(tmp_path)
    for name, text in (("old.yaml", old), ("new.yaml", new), ("events.jsonl", events)):
        Path(name).write_text(text)
    parser = argparse.ArgumentParser()
    add_arguments(parser)

    code = run(parser.parse_args(["old.yaml", "new.yaml", "--against", "events.jsonl"]))

    assert code == 1
    assert capsys.readouterr().out == expected


def test_every_option_is_documented():
    parser = argparse.ArgumentParser(add_help=False)
    add_arguments(parser)

    options = re.findall(r"--[a-z-]+", parser.format_help())

    page = PAGE.read_text("utf-8")
    assert [name for name in options if f"`{name}" not in page] == []
