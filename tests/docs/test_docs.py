"""Everything in README and docs that can be run or read by a program is."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from app.config import described
from app.core.errors import reasons
from app.core.yaml import parse_yaml
from app.settings import Settings
from tests.support import ROOT, environment, served

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
DEMO = "127.0.0.1:8192"
OWN = "127.0.0.1:8193"


class Block(NamedTuple):
    page: Path
    language: str
    text: str


def blocks(page: Path) -> list[Block]:
    return [Block(page, language, text) for language, text in FENCE.findall(page.read_text())]


def commands(block: Block) -> list[tuple[str, str]]:
    """Pairs of a command and the output that the page shows for it."""
    parts = re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]
    return [(part.partition("\n")[0], part.partition("\n")[2]) for part in parts]


def matches(shown: str, printed: str) -> bool:
    """Whether a page's output is what was printed; `...` stands for anything."""
    pattern = ".*".join(re.escape(piece) for piece in shown.strip().split("..."))
    return re.fullmatch(pattern, printed.replace("\r", "").strip(), re.DOTALL) is not None


@pytest.fixture
def shell(tmp_path):
    """Run a command as a reader would, in a folder with `sluiceway` on the path."""
    tools = tmp_path / ".tools"
    tools.mkdir()
    command = tools / "sluiceway"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m app.cli "$@"\n')
    command.chmod(0o755)

    def run(line: str) -> str:
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=tmp_path,
            env=environment(PATH=f"{tools}{os.pathsep}{os.environ['PATH']}"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=60,
            check=False,
        )
        return done.stdout

    return run


@pytest.mark.slow
@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if any(block.language == "console" for block in blocks(page))],
    ids=lambda page: page.name,
)
def test_every_command_on_the_page_prints_what_the_page_shows(page, tmp_path, shell):
    found = blocks(page)
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    for block in found:
        name = re.match(r"# (?:settings\n# )?file: (\S+)\n", block.text)
        if name:
            target = tmp_path / name[1]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block.text)

    with served(tmp_path) as demo:
        own = tmp_path / "own"
        own.mkdir()
        for block in found:
            if block.language != "console":
                continue
            if OWN in block.text:
                config = str(tmp_path / "sluiceway.yaml")
                with served(
                    tmp_path, "--config", config, SLUICEWAY_SINK__PATH=str(own / "own.db")
                ) as service:
                    _run(block, shell, OWN, service.url)
            else:
                _run(block, shell, DEMO, demo.url)


def _run(block, shell, address, url):
    for command, shown in commands(block):
        printed = shell(command.replace(f"http://{address}", url))

        assert matches(shown, printed), f"$ {command}\n{printed}\nbut the page shows\n{shown}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_json_and_yaml_block_is_what_it_says(page):
    for block in blocks(page):
        if block.language == "json":
            json.loads(block.text)
        elif block.language == "yaml":
            value = parse_yaml(block.text)
            if block.text.startswith("# settings"):
                Settings(**value)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_and_sluiceway_command_in_a_sh_block_exists(page):
    for block in blocks(page):
        if block.language != "sh":
            continue
        for line in block.text.splitlines():
            if line.startswith("make "):
                done = subprocess.run(
                    ["make", "-n", *shlex.split(line, comments=True)[1:]],
                    cwd=ROOT,
                    capture_output=True,
                    check=False,
                )
                assert done.returncode == 0, line
            else:
                words = shlex.split(line, comments=True)
                ours = words[:2] == ["python", "-m"] and words[2].startswith("tests.benchmarks")
                assert ours or words[0] == "sluiceway", f"who tests {line!r}?"
                module = words[2:3] if ours else ["app.cli", words[1]]
                done = subprocess.run(
                    [sys.executable, "-m", *module, "--help"],
                    cwd=ROOT,
                    env=environment(),
                    capture_output=True,
                    check=False,
                )
                assert done.returncode == 0, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_between_pages_leads_somewhere(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_setting_is_described_with_its_default():
    text = (ROOT / "docs" / "settings.md").read_text()

    for name, description in described().items():
        assert description, f"{name} has no description"
        assert f"| `{name}` |" in text, f"{name} is missing"
        assert description.replace("|", "\\|") in text, f"the description of {name} is out of date"


def test_every_reason_is_explained():
    text = (ROOT / "docs" / "errors.md").read_text()

    assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == list(reasons())


def test_the_index_links_every_page():
    text = (ROOT / "docs" / "index.md").read_text()

    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in text
