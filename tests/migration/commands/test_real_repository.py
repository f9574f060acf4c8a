"""All complete on-wiki schemas through the commands: converted, released, and linted."""

import io
import json
from contextlib import redirect_stdout

from migration.commands import convert, lint, materialize
from migration.onwiki import load_schema, newest_in
from tests.migration.support import arguments

KEPT = "what its author wrote is kept, since a conversion changes no meaning of its own accord"
EXPLAINED = {
    ("codemirrorusage", "numeric-bounds"): KEPT,
    ("twocolconflictexit", "numeric-bounds"): KEPT,
    ("eventcapsule-incode", "one-type"): "the capsule itself, whose event may be any object",
    ("eventcapsule-readme", "one-type"): "the capsule itself, whose event may be any object",
}


def run(command, name, *given):
    told = io.StringIO()
    with redirect_stdout(told):
        code = command.run(arguments(name, *given))
    return code, told.getvalue()


def test_every_converted_schema_lints_and_materializes(shared, tmp_path):
    wiki = shared / "legacy" / "schemas-draft3"
    repository = tmp_path / "repository"
    names = {load_schema(path).name.lower() for path in newest_in(wiki)}

    converted, _ = run(
        convert, "convert", str(wiki), "--repository", str(repository), "--write-capsule"
    )
    released, _ = run(materialize, "materialize", str(repository))
    _, told = run(lint, "lint", str(repository), "--format", "json")
    again, _ = run(materialize, "materialize", str(repository), "--check")

    current = {path.parent.name for path in repository.glob("analytics/legacy/*/current.yaml")}
    releases = {path.parent.name for path in repository.glob("analytics/legacy/*/1.0.0.yaml")}
    found = [json.loads(line) for line in told.splitlines()]
    findings = {(each["file"].split("/")[-2], each["rule"]) for each in found}
    assert (converted, released, again) == (0, 0, 0)
    assert len(current) >= 70
    assert current == releases == names
    assert findings == EXPLAINED.keys()
