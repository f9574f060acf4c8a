"""Asks a database of known vulnerabilities about every version that constraints.txt pins.

    python -m tests.supply.audit

Fails if a pinned version is known to be vulnerable. Where the database does not answer, it says so
loudly and fails only if SLUICEWAY_REQUIRE_AUDIT is 1: a build without a network is no worse code.
"""

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
PINS = ROOT / "constraints.txt"
PATIENCE = 180.0
"""Seconds for all questions together; one of them may take 10."""


class Verdict(NamedTuple):
    """What became of an audit: lines for people, and whether anything was looked at and found."""

    lines: list[str]
    vulnerable: bool
    skipped: bool


def verdict_of(answer: str, trouble: str, accepted: Mapping[str, str]) -> Verdict:
    """Judge what pip-audit printed; `accepted` has ids of vulnerabilities with why they do no harm.

    A database that knows none of the packages is no database of them, whatever its exit code says.
    """
    try:
        pins = json.loads(answer)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = next((line for line in reversed(trouble.splitlines()) if line.strip()), "no answer")
        return Verdict([f"the database could not be asked: {last[:300]}"], False, True)
    asked = [pin for pin in pins if "skip_reason" not in pin]
    unknown = [pin["name"] for pin in pins if "skip_reason" in pin]
    if not asked:
        return Verdict([f"the database answered for none of {len(pins)} packages."], False, True)
    lines = [f"{len(asked)} of {len(pins)} pinned versions were looked up."]
    if unknown:
        lines.append(f"NOT looked up, since the database lacks them: {', '.join(unknown)}.")
    vulnerable = False
    for pin in asked:
        for found in pin["vulns"]:
            names = {found["id"], *found.get("aliases", ())}
            reason = next((accepted[name] for name in sorted(names) if name in accepted), None)
            mended = ", ".join(found.get("fix_versions") or ["no version yet"])
            text = f"{pin['name']} {pin['version']}: {found['id']}, mended in {mended}"
            lines.append(f"accepted: {text}: {reason}" if reason else f"VULNERABLE: {text}")
            vulnerable = vulnerable or reason is None
    return Verdict(lines, vulnerable, False)


def asked(pins: Path) -> tuple[str, str]:
    """Return what pip-audit says of a file of pinned versions, and what it complains of."""
    try:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pip_audit", "--requirement", str(pins)),
                *("--no-deps", "--disable-pip", "--format", "json"),
                *("--progress-spinner", "off", "--timeout", "10"),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return "", f"no answer within {PATIENCE:g} s"
    return done.stdout, done.stderr


def main() -> int:
    """Audit; return the exit code."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    accepted = project["tool"]["sluiceway"]["audit"]["accepted"]
    verdict = verdict_of(*asked(PINS), accepted)
    head = "AUDIT SKIPPED" if verdict.skipped else "audit"
    for line in verdict.lines:
        print(f"{head}: {line}")
    if verdict.skipped:
        return 1 if os.environ.get("SLUICEWAY_REQUIRE_AUDIT") == "1" else 0
    return 1 if verdict.vulnerable else 0


if __name__ == "__main__":
    sys.exit(main())
