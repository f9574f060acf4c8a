import json
import subprocess
import sys

import pytest

from app.auth.keys import hash_of, new_key
from app.openauth import open_identification, open_rates
from app.settings import AuthSettings, LimitSettings
from tests.support import environment

KEYS = [new_key() for _ in range(3)]


def opened(**settings):
    return open_identification(AuthSettings(**settings), lambda _good: None)


def test_nothing_set_is_nobody_and_no_limit():
    assert opened() == (None, [])
    assert open_rates(LimitSettings()) is None


@pytest.mark.parametrize("suffix", ["json", "yaml"])
def test_a_file_adds_to_what_the_settings_know(tmp_path, suffix):
    path = tmp_path / f"keys.{suffix}"
    hashes = {"a": [hash_of(KEYS[1])], "b": hash_of(KEYS[2])}
    path.write_text(json.dumps(hashes))

    identification, problems = opened(api_keys={"a": hash_of(KEYS[0])}, api_keys_file=str(path))

    assert problems == []
    owners = [identification.keys.subject_of(key) for key in KEYS]
    assert owners == ["a", "a", "b"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "cannot be read"),
        (f"a: {KEYS[0]}", "a has something that is no hash"),
        (f"a: [{KEYS[0]}", "neither YAML nor JSON"),
        (f"[{KEYS[0]}]", "no mapping"),
        (f"a: [{hash_of(KEYS[1])}, {KEYS[0]}]", "a has something that is no hash"),
        ("a: []", "a has something that is no hash"),
        ("7: x", "7"),
    ],
)
def test_a_file_that_cannot_be_used_is_a_problem_that_shows_no_key(tmp_path, content, said):
    path = tmp_path / "keys.yaml"
    if content is not None:
        path.write_text(content)

    _, problems = opened(api_keys_file=str(path))

    assert said in problems[0]
    assert KEYS[0] not in str(problems)


def test_a_burst_that_is_not_set_is_what_one_second_gives():
    rates = open_rates(LimitSettings(requests_per_second=0.5, events_per_second=20))

    assert (rates._requests._rate.burst, rates._events._rate.burst) == (1, 20)


def test_a_process_that_takes_no_tokens_does_not_load_their_libraries():
    asked = "import sys, app.web.application; print('jwt' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", asked],
        env=environment(),
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    assert done.stdout == "False\n"
