"""The comparison beside what people decided about real schemas; with -s the tables are shown."""

import re
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path

import pytest

from app.core.yaml import parse_yaml
from migration.commands.compat import _example
from migration.compat.capsules import event_side, old_side
from migration.compat.comparison import compare
from migration.compat.sides import load_document, modern_side
from migration.compat.wording import changed
from tests.migration.compat.minorversions import objections

VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)\.yaml")
CHECK = "schema-version-compatibility"
"""The repositories' own check: within a major version nothing is removed, `required` stays."""

# The words for why a person's decision and the comparison's verdict differ, and where each holds.
REMOVED = "nothing was refused for it: a listed property went, others are still let through"
OPTIONAL = "nothing was refused for it: a property was required, and is not any more"
RAISED = "nothing was refused for it: a limit was raised"
NOTHING = "the exception is for other versions: in these two nothing is gone or changed"
MAP = "the check takes it for an addition: a map became an object with properties of one type each"
HALLMARKS = {
    REMOVED: "/properties/[^/]+: removed$",
    OPTIONAL: "/required: changed$",
    RAISED: "/maxLength: changed$",
    NOTHING: "^$",
    MAP: "^$",
}
EXPLAINED = {
    **dict.fromkeys(
        (
            "/analytics/legacy/templatewizard/1.2.0",
            "/analytics/legacy/test/1.2.0",
            "/analytics/legacy/universallanguageselector/1.1.0",
            "/analytics/test/1.1.0",
            "/fragment/analytics/common/1.1.0",
            "/fragment/analytics/legacy/eventcapsule/1.2.0",
            "/fragment/http/1.2.0",
            "/mediawiki/client/error/1.1.0",
        ),
        REMOVED,
    ),
    **dict.fromkeys(
        ("/fragment/mediawiki/state/change/page/1.2.0", "/mediawiki/page/change/1.2.0"), OPTIONAL
    ),
    **dict.fromkeys(
        (
            *(f"/analytics/legacy/universallanguageselector/1.{n}.0" for n in range(2, 7)),
            *(f"/analytics/mediawiki/client/metrics_event/1.{n}" for n in ("1.0", "1.1", "2.0")),
        ),
        NOTHING,
    ),
    "/fragment/analytics/product_metrics/common/1.1.2": RAISED,
    "/analytics/mediawiki/ip_reputation/score/1.2.0": MAP,
}


def versions(shared: Path) -> dict[str, list[tuple[tuple[int, ...], Path, Path]]]:
    """The released versions of each schema, in order: number, file and repository."""
    found = defaultdict(list)
    for name in ("primary", "secondary"):
        base = shared / "modern" / "schemas" / name / "jsonschema"
        for path in base.rglob("*.yaml"):
            number = VERSION.fullmatch(path.name)
            if number and not path.is_symlink():
                title = f"/{path.parent.relative_to(base)}"
                found[title].append((tuple(map(int, number.groups())), path, base))
    return {title: sorted(these) for title, these in sorted(found.items())}


def exceptions(shared: Path) -> list[str]:
    """The patterns of schemas whose compatibility the repositories do not check."""
    patterns = []
    for path in (shared / "modern" / "current").glob("*-exceptions.yaml"):
        rules = parse_yaml(path.read_bytes())["skipSchemaTestCases"]
        patterns += [pattern for pattern, checks in rules.items() if CHECK in checks]
    return patterns


@pytest.fixture(scope="module")
def pairs(shared):
    """Each version of a real schema compared with the one before: its URI and the comparison."""
    made = {}
    for title, these in versions(shared).items():
        for (before, old, base), (after, new, _) in pairwise(these):
            sides = [
                modern_side(str(path), load_document(str(path), ()), [str(base)])
                for path in (old, new)
            ]
            number = ".".join(map(str, after))
            made[f"{title}/{number}"] = (before[0] == after[0], compare(*sides))
    return made


@pytest.mark.slow
def test_every_difference_of_consecutive_versions_is_decided(pairs):
    undecided = [uri for uri, (_, one) in pairs.items() if "undecided" in verdicts_of(one)]

    assert len(pairs) > 200
    assert undecided == []


@pytest.mark.slow
def test_breaks_within_a_major_version_are_those_the_repositories_made_exceptions_for(
    pairs, shared
):
    patterns = exceptions(shared)

    rows = Counter()
    disagreements = set()
    for uri, (minor, comparison) in pairs.items():
        if not minor:
            continue
        listed = any(re.search(pattern, uri) for pattern in patterns)
        objects = any(objections(comparison.old.document, comparison.new.document))
        verdict = comparison.verdict("backward", declared=True)
        agreed = (verdict == "breaks") == listed == objects
        rows[verdict, objects, listed, agreed] += 1
        if not agreed:
            disagreements.add(uri)
        if listed or not agreed:
            why = first_break(comparison) if agreed else EXPLAINED.get(uri, "NOT EXPLAINED")
            print(f"{uri:<58} {_row(verdict, objects, listed, agreed)}  {why}")
    for row, count in sorted(rows.items()):
        print(f"{'':<51} {count:>6} {_row(*row)}")

    assert disagreements == EXPLAINED.keys()


def _row(verdict, objects, listed, agreed):
    return (
        f"{verdict:<10} {'check objects' if objects else 'check silent':<13} "
        f"{'exception' if listed else 'none':<9} {'agree' if agreed else 'DISAGREE':<8}"
    )


@pytest.mark.slow
@pytest.mark.parametrize(("uri", "why"), EXPLAINED.items())
def test_the_two_files_bear_an_explanation_out(pairs, uri, why):
    comparison = pairs[uri][1]

    found = list(objections(comparison.old.document, comparison.new.document))

    assert comparison.verdict("backward", declared=True) == (
        "breaks" if why is MAP else "compatible"
    )
    assert [bool(re.search(HALLMARKS[why], one)) for one in found] == [True] * len(found)
    assert bool(found) == (why not in {NOTHING, MAP})


@pytest.mark.slow
def test_migrated_schemas_differ_from_those_of_the_wiki_in_four_ways_only(shared):
    legacy = shared / "legacy" / "schemas-draft3"
    modern = shared / "modern" / "schemas" / "secondary" / "jsonschema"

    found = Counter()
    files = [*legacy.glob("*-*.json"), *(legacy / "backconverted").glob("*-*.json")]
    for path in files:
        folder = modern / "analytics" / "legacy" / path.stem.partition("-")[0].lower()
        if not folder.is_dir():
            continue
        first = min(folder.glob("*.*.*.yaml"))
        old = old_side(path.name, load_document(str(path), ()))
        new = modern_side(str(first), load_document(str(first), ()), [str(modern)])
        for finding in compare(old, event_side(new, _example(new))).findings:
            what = finding.difference
            where = "event" if what.place == ("event",) else "within"
            found[where, what.keyword, finding.backward.verdict, finding.forward.verdict] += 1
    for key, count in sorted(found.items()):
        print(f"{count:>4}  {'  '.join(key)}")

    assert found.keys() == {
        ("event", "additionalProperties", "compatible", "breaks"),
        ("event", "required", "breaks", "compatible"),
        ("event", "type", "breaks", "compatible"),
        ("within", "maximum", "breaks", "compatible"),
        ("within", "minimum", "breaks", "compatible"),
        ("within", "type", "compatible", "breaks"),
        # MediaWikiPingback's `arch` is 32 or 64: bounds beside an enum change nothing.
        ("within", "maximum", "compatible", "compatible"),
        ("within", "minimum", "compatible", "compatible"),
    }


def verdicts_of(comparison):
    return [comparison.verdict("backward"), comparison.verdict("forward")]


def first_break(comparison):
    for finding in comparison.findings:
        if finding.backward.declared == "breaks":
            return f"{finding.difference.pointer}: {changed(finding.difference)}"[:110]
    return "no event that was valid is refused"
