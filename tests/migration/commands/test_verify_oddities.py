import argparse
import gzip
import json
from urllib.parse import quote

import pytest
import yaml

from migration.commands import verify

OLD = {
    "properties": {
        "button": {"type": "string", "required": True},
        "count": {"type": "integer", "minimum": 1},
        "place": {"type": "string", "enum": ["top", "bottom"]},
        "notes": {"type": "array", "items": {"type": "string"}},
    }
}
EVENT = {"button": "save", "count": 2}
RECEIPT = 'cp1.example\t7\t2019-11-05T10:20:30\t192.0.2.1\t"Mozilla/5.0"'
SAFE = 2**53 - 1


@pytest.fixture
def place(tmp_path):
    """A folder with settings of our own: one old schema, and what it became."""
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "Click-3.json").write_text(json.dumps(OLD))
    text = {"type": "string"}
    event = {
        "type": "object",
        "required": ["button"],
        "properties": {
            "button": text,
            "count": {"type": "integer", "minimum": 1, "maximum": SAFE},
            "place": {"type": "string", "enum": ["top", "bottom"]},
            "notes": {"type": "array", "items": text},
        },
    }
    new = {
        "$id": "/analytics/legacy/click/1.0.0",
        "$schema": "https://json-schema.org/draft-07/schema#",
        "title": "analytics/legacy/click",
        "type": "object",
        "additionalProperties": False,
        "required": ["$schema", "meta", "event"],
        "properties": {
            "$schema": text,
            "meta": {
                "type": "object",
                "properties": {"stream": text, "dt": text, "id": text, "domain": text},
            },
            "event": event,
            "schema": text,
            "revision": {"type": "integer"},
            "wiki": text,
            "webHost": text,
            "dt": text,
            "client_dt": text,
            "http": {
                "type": "object",
                "properties": {"request_headers": {"type": "object", "additionalProperties": text}},
            },
        },
    }
    schema = tmp_path / "schemas" / "analytics" / "legacy" / "click" / "1.0.0.yaml"
    schema.parent.mkdir(parents=True)
    schema.write_text(yaml.safe_dump(new))
    write_settings(
        tmp_path,
        base_uris=[str(tmp_path / "schemas")],
        names={"Click": "/analytics/legacy/click/1.0.0"},
    )
    return tmp_path


def write_settings(folder, *, base_uris, names):
    streams = {
        f"eventlogging_{name}": {"schema_title": uri.strip("/").rpartition("/")[0]}
        for name, uri in names.items()
    }
    settings = {
        "schemas": {"base_uris": base_uris},
        "streams": {"uri": str(folder / "streams.yaml")},
        "legacy": {"mapping": str(folder / "mapping.yaml")},
    }
    (folder / "streams.yaml").write_text(yaml.safe_dump(streams))
    (folder / "mapping.yaml").write_text(yaml.safe_dump({"schemas": names}))
    (folder / "settings.yaml").write_text(yaml.safe_dump(settings))


def capsule(**fields):
    return {"schema": "Click", "revision": 3, "wiki": "enwiki", "event": EVENT, **fields}


def query(value):
    return quote(value if isinstance(value, str) else json.dumps(value)) + ";"


def line(value):
    return f"?{query(value)}\t{RECEIPT}"


def traffic(place, lines, name="traffic"):
    path = place / name
    path.write_text("".join(f"{each}\n" for each in lines))
    return path


def arguments(place, sources, options):
    return [
        *map(str, sources),
        f"--config={place / 'settings.yaml'}",
        f"--old-schemas={place / 'old'}",
        *options,
    ]


def verified(place, *sources, options=("--jobs=1",)):
    """Run the command in this process; return its exit code and its report."""
    out = place / "report.json"
    out.unlink(missing_ok=True)
    parser = argparse.ArgumentParser()
    verify.add_arguments(parser)
    code = verify.run(parser.parse_args(arguments(place, sources, [*options, f"--out={out}"])))
    return code, json.loads(out.read_bytes()) if out.exists() else None


def matrix(report, name=None):
    told = report["schemas"][name] if name else report["totals"]
    return {verdict: count for verdict, count in told["matrix"].items() if count}


@pytest.mark.parametrize(
    ("fields", "verdict", "kind", "rule"),
    [
        ({"event": EVENT | {"extra": 1}}, "only_new", "unknown_property", "additionalProperties"),
        ({"event": EVENT | {"count": 5.0}}, "only_new", "whole_float", "type"),
        ({"event": EVENT | {"count": 2**60}}, "only_old", "beyond_safe_integer", "maximum"),
        ({"event": EVENT | {"count": 10**30}}, "only_old", "beyond_safe_integer", "malformed"),
        ({"event": None}, "only_old", "event_missing", "required"),
        ({"revision": -1}, "only_new", "other", "reference"),
        ({"userAgent": {"browser": "x"}}, "only_new", "other", "unreadable"),
        ({"event": EVENT | {"count": 0}}, "both_refuse", "", "minimum"),
    ],
)
def test_a_disagreement_is_told_with_its_rule_and_its_class(place, fields, verdict, kind, rule):
    _, report = verified(place, traffic(place, [line(capsule(**fields))]))

    (cluster,) = report["schemas"]["Click"]["clusters"]
    causes = cluster["new"] if verdict == "only_old" else cluster["old"]
    assert cluster["verdict"] == verdict
    assert cluster["class"] == (kind or "other")
    assert rule in {cause["rule"] for cause in causes}
    assert cluster["example"]["line"] == 1


def test_only_a_capsule_without_event_is_classed_as_one_whatever_the_new_schema_requires(place):
    (place / "old" / "Click-3.json").write_text('{"properties": {"button": {"type": "string"}}}')
    lines = [line(capsule(event={})), line({k: v for k, v in capsule().items() if k != "event"})]

    _, report = verified(place, traffic(place, lines))

    assert report["totals"]["classes"] == {"event_missing": 1, "other": 1}


def test_a_limit_that_only_the_new_schema_has_is_no_known_class(place):
    (schema,) = (place / "schemas").rglob("1.0.0.yaml")
    schema.write_text(schema.read_text().replace(f"maximum: {SAFE}", "maximum: 100"))

    _, report = verified(place, traffic(place, [line(capsule(event=EVENT | {"count": 2**60}))]))

    assert report["totals"]["classes"] == {"other": 1}


def test_queries_lines_capsules_arrays_and_garbage_are_told_apart(place):
    lines = [
        line(capsule()),
        query(capsule()),
        f"https://wiki.example/beacon/event?{query(capsule())}",
        json.dumps(capsule()),
        json.dumps([capsule(), capsule()]),
        "",
        "no event at all",
        "%%%",
        "{",
        "\x00\x01",
        "x" * 1_100_000,
        line(capsule(schema="Unheard")),
    ]

    code, report = verified(place, traffic(place, lines))

    assert code == 0
    assert matrix(report, "Click") == {"both_accept": 6}
    assert matrix(report, "(unknown)") == {"undecodable": 5}
    assert matrix(report, "Unheard") == {"both_refuse": 1}


@pytest.mark.parametrize(
    "written",
    [
        '"button": "\\ud83d"',
        '"button": NaN',
        '"button": 1e400',
        '"button": ' + "[" * 300 + "]" * 300,
        '"button": ' + "[" * 900 + "]" * 900,
        '"\\ud83d": 1',
        '"notes": [' + "9" * 5_000 + "]",
    ],
)
@pytest.mark.parametrize("in_name", [False, True])
def test_whatever_is_sent_the_report_is_plain_json(place, written, in_name):
    text = json.dumps(capsule()).replace('"button": "save"', written)
    if in_name:
        text = text.replace("Click", "Cl\\ud83dick")

    _, report = verified(place, traffic(place, [line(text)]), options=["--jobs=1", "--json"])

    (place / "report.json").read_bytes().decode()  # it is UTF-8
    json.dumps(report, allow_nan=False, ensure_ascii=False).encode()
    assert sum(matrix(report).values()) == 1


def test_strangers_cannot_fill_the_report_with_names(place):
    lines = [line(capsule(schema=f"Made{number}")) for number in range(300)] + [line(capsule())]

    _, report = verified(place, traffic(place, lines))

    assert len(report["schemas"]) == 102
    assert matrix(report, "(unknown)") == {"both_refuse": 200}
    assert matrix(report, "Click") == {"both_accept": 1}


def test_what_is_stored_differently_is_told_with_its_place(place):
    (schema,) = (place / "schemas").rglob("1.0.0.yaml")
    document = yaml.safe_load(schema.read_text())
    document["properties"]["event"]["properties"]["place"]["default"] = "top"
    schema.write_text(yaml.safe_dump(document))

    code, report = verified(place, traffic(place, [line(capsule())] * 3))

    (difference,) = report["schemas"]["Click"]["differences"]
    assert (difference["pointer"], difference["kind"]) == ("/event/place", "added")
    assert difference["count"] == 3
    assert code == 0


def test_an_unreachable_repository_is_no_verdict(place, capsys):
    (place / "settings.yaml").write_text(
        (place / "settings.yaml").read_text().replace(str(place / "schemas"), "http://127.0.0.1:9")
    )

    code, report = verified(place, traffic(place, [line(capsule())]))

    assert (code, report) == (2, None)
    assert "could not be judged" in capsys.readouterr().err


def test_a_packed_file_that_is_cut_is_said(place, capsys):
    cut = place / "cut.gz"
    cut.write_bytes(gzip.compress(f"{line(capsule())}\n".encode() * 100)[:-20])

    code, report = verified(place, cut)

    assert (code, report) == (2, None)
    assert "cannot be read to its end" in capsys.readouterr().err
