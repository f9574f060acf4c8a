import pytest

from app.cli import COMMANDS, main
from tests.support import sluiceway


def test_help_lists_every_command(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["--help"])

    printed = capsys.readouterr().out
    assert caught.value.code == 0
    for name in COMMANDS:
        assert f"\n  {name}" in printed


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as caught:
        main([name, "--help"])

    assert caught.value.code == 0
    assert f"usage: sluiceway {name}" in capsys.readouterr().out


def test_an_unknown_command_is_said_to_be_one(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["sevre"])

    assert caught.value.code == 2
    assert "sevre" in capsys.readouterr().err


def test_check_shows_settings_and_every_problem(tmp_path):
    (tmp_path / "streams.yaml").write_text("a.b: {}\nc.d: {schema_title: 7}\n")
    (tmp_path / "settings.yaml").write_text(
        "schemas: {base_uris: [.]}\nstreams: {uri: ./streams.yaml}\n"
        "legacy: {mapping: ./nothing.yaml}\n"
    )
    done = sluiceway(tmp_path, "check", "--config", "settings.yaml")

    assert done.returncode == 2
    assert "uri: ./streams.yaml" in done.stdout
    for part in ("a.b", "c.d", "nothing.yaml"):
        assert part in done.stderr
    assert not (tmp_path / "sluiceway.db").exists()
