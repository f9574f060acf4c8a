"""Findings as text for people, as annotations of GitHub, as JSON for programs."""

import json
from collections.abc import Iterable

from migration.linting.finding import Finding

FORMATS = ("text", "github", "json")


def shown(finding: Finding, form: str) -> str:
    """Return a finding as one line in one of the formats."""
    match form:
        case "github":
            return (
                f"::error file={_property(str(finding.path))},line={finding.line},"
                f"title={_property(finding.rule)}::{_data(finding.message)}"
            )
        case "json":
            return json.dumps(
                {
                    "rule": finding.rule,
                    "file": str(finding.path),
                    "line": finding.line,
                    "pointer": finding.pointer,
                    "message": finding.message,
                    "fixable": finding.fix is not None,
                },
                ensure_ascii=False,
            )
        case _:
            message = " ".join(finding.message.split())
            return f"{finding.path}:{finding.line}: {finding.rule}: {message}"


def summary(findings: Iterable[Finding], *, schemas: int, excepted: int) -> str:
    """Return the line after the findings."""
    some = list(findings)
    fixable = sum(finding.fix is not None for finding in some)
    text = f"{schemas} schema{'' if schemas == 1 else 's'}: {len(some) or 'no'} finding"
    text += "" if len(some) == 1 else "s"
    if excepted:
        text += f", {excepted} more are excepted"
    return f"{text}; --fix mends {fixable} of them" if fixable else text


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
