"""The audit: a finding fails, silence is told from health, and what is accepted has a reason."""

import json

from tests.supply.audit import verdict_of

FOUND = {
    "id": "EX-2026-1",
    "fix_versions": ["1.0.1"],
    "aliases": ["CVE-2026-0001"],
    "description": "Long.",
}


def answer(*pins):
    return json.dumps({"dependencies": list(pins), "fixes": []})


def pin(name, *vulns):
    return {"name": name, "version": "1.0", "vulns": list(vulns)}


UNKNOWN = {"name": "private", "skip_reason": "not found"}


def test_a_known_vulnerability_fails_and_says_what_mends_it():
    verdict = verdict_of(answer(pin("good"), pin("bad", FOUND)), "", {})

    assert verdict.vulnerable
    assert "VULNERABLE: bad 1.0: EX-2026-1, mended in 1.0.1" in verdict.lines


def test_what_is_accepted_is_told_with_its_reason_by_any_of_its_names():
    verdict = verdict_of(answer(pin("bad", FOUND)), "", {"CVE-2026-0001": "not used here"})

    assert not verdict.vulnerable
    assert "not used here" in verdict.lines[-1]


def test_accepting_one_accepts_no_other():
    other = FOUND | {"id": "EX-2026-2", "aliases": [], "fix_versions": []}

    verdict = verdict_of(answer(pin("bad", FOUND, other)), "", {"EX-2026-1": "not used here"})

    assert verdict.vulnerable
    assert "mended in no version yet" in verdict.lines[-1]


def test_nothing_found_is_good():
    verdict = verdict_of(answer(pin("good")), "", {})

    assert verdict == (["1 of 1 pinned versions were looked up."], False, False)


def test_a_database_that_does_not_answer_is_no_good_news():
    verdict = verdict_of("", "Traceback\nConnectionError: no route to host\n", {})

    assert verdict.skipped
    assert "no route to host" in verdict.lines[0]


def test_a_database_that_knows_nobody_is_no_good_news_either():
    verdict = verdict_of(answer(UNKNOWN, UNKNOWN), "", {})

    assert verdict.skipped
    assert "none of 2" in verdict.lines[0]


def test_what_was_not_looked_up_is_named():
    verdict = verdict_of(answer(pin("good"), UNKNOWN), "", {})

    assert not verdict.skipped
    assert "private" in verdict.lines[1]
