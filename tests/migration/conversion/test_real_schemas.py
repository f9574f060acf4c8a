"""Every complete on-wiki schema converted, beside the one that was really made of it.

With -s the table is shown.
"""

from collections import Counter, defaultdict
from pathlib import Path

import pytest

from app.core.yaml import parse_yaml
from migration.conversion.capsule import load_capsule
from migration.conversion.document import convert
from migration.conversion.options import CAPSULE, Options
from migration.layout import place_of
from migration.onwiki import load_schema, newest_in

ORDER = "the same names are required, told in another order"
WORDS = "the description was edited by hand"
EXPLAINED = {ORDER, WORDS}


@pytest.fixture(scope="module")
def conversions(shared):
    """What each on-wiki schema becomes, by its name."""
    capsule = load_capsule(CAPSULE, Path("no such repository"))
    found = {}
    for path in newest_in(shared / "legacy" / "schemas-draft3"):
        old = load_schema(path)
        found[old.name] = convert(old, place_of(old.name, "1.0.0"), Options(), capsule, None)
    return found


def differences(pointer, made, real):
    if isinstance(made, dict) and isinstance(real, dict):
        for name in made | real:
            inner = (made.get(name), real.get(name))
            yield from differences(f"{pointer}/{name}", *inner)
    elif made != real:
        yield pointer, made, real


def why(pointer, made, real):
    word = pointer.rpartition("/")[2]
    if word == "required" and made and real and sorted(made) == sorted(real):
        return ORDER
    if word == "description" and isinstance(made, str | None) and isinstance(real, str | None):
        return WORDS
    return f"NOT EXPLAINED: {made!r} and really {real!r}"


def test_every_complete_schema_is_converted_into_one_that_the_service_takes(conversions):
    assert len(conversions) >= 70  # each was compiled, and its example was judged
    for conversion in conversions.values():
        assert conversion.document["examples"]
        assert {note.rule for note in conversion.notes} >= {"event_object"}


def test_the_result_is_what_was_really_made_but_for_explained_differences(
    conversions, shared, capsys
):
    base = shared / "modern" / "schemas" / "secondary" / "jsonschema"
    rows = Counter()
    found = defaultdict(list)
    for name, conversion in conversions.items():
        folder = base / conversion.place.title
        if not folder.is_dir():
            rows["never migrated"] += 1
            continue
        first = min(folder.glob("*.*.*.yaml"))
        real = parse_yaml(first.read_bytes())["properties"]["event"]
        made = conversion.document["allOf"][1]["properties"]["event"]
        for pointer, mine, theirs in differences("/event", made, real):
            found[name].append((pointer, why(pointer, mine, theirs)))
        rows["explained" if found[name] else "equal"] += 1

    with capsys.disabled():
        print()
        for name, each in found.items():
            for pointer, reason in each:
                print(f"{name:<40} {pointer:<40} {reason}")
        print(dict(rows))
    assert rows["equal"] + rows["explained"] > 50
    assert {reason for each in found.values() for _, reason in each} <= EXPLAINED
