"""The wheel: what is shipped is what the service needs."""

import subprocess
import sys
import zipfile

import pytest

from app import __version__
from tests.support import ROOT


@pytest.mark.slow
def test_the_wheel_holds_code_and_data(tmp_path):
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT],
        check=True,
        capture_output=True,
    )

    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    source = [
        path.relative_to(ROOT).as_posix()
        for package in ("app", "legacy", "migration")
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    ]
    assert set(source) <= set(names)
    assert "app/demo/streams.yaml" in names
    assert "app/schemas/builtin/sluiceway/error/1.0.0.yaml" in names
    assert not any(name.startswith("tests/") for name in names)
    assert f"sluiceway-{__version__}.dist-info/licenses/LICENSE" in names


def test_the_changelog_knows_this_version():
    assert f"## {__version__}" in (ROOT / "CHANGELOG.md").read_text()


def test_constraints_pin_exact_versions_and_name_no_place():
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        assert line.startswith("#") or "==" in line
        assert "://" not in line
        assert "@" not in line
