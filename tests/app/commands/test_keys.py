import yaml

from app.auth.keys import ApiKeys
from app.cli import main
from app.settings import AuthSettings


def test_a_key_is_shown_with_the_settings_that_take_it(capsys):
    code = main(["keys", "new", "importer"])

    said = capsys.readouterr().out
    key = said.splitlines()[1]
    settings = AuthSettings(**yaml.safe_load(said.replace(key, ""))["auth"])
    assert code == 0
    assert ApiKeys({"importer": [settings.api_keys["importer"]]}).subject_of(key) == "importer"
    assert said.count(key) == 1


def test_a_name_that_nobody_can_have_is_refused(capsys):
    assert main(["keys", "new", ""]) == 2
    assert main(["keys", "new", "a\nb"]) == 2

    captured = capsys.readouterr()
    assert captured.out == ""
    assert "visible characters" in captured.err
