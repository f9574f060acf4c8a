import json

import pytest

from migration.commands import convert, materialize, report, status, verify
from tests.migration.support import arguments

OLD = {"properties": {"button": {"type": "string", "required": True}}}


def run(module, *given):
    name = module.__name__.rpartition(".")[2]
    return module.run(arguments(name, *given))


@pytest.fixture
def house(tmp_path, monkeypatch):
    """A schema that was converted, released, mapped and replayed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wiki").mkdir()
    (tmp_path / "wiki" / "Click-7.json").write_text(json.dumps(OLD))
    (tmp_path / "wiki" / "Other-1.json").write_text(json.dumps(OLD))
    settings = {
        "schemas": {"base_uris": ["repository"]},
        "streams": {"uri": "streams.yaml"},
        "legacy": {"mapping": "mapping.yaml"},
    }
    (tmp_path / "settings.yaml").write_text(json.dumps(settings))
    where = ("--mapping", "mapping.yaml", "--streams", "streams.yaml")
    run(
        *(convert, "wiki/Click-7.json", "--repository", "repository", "--write-capsule"),
        *where,
    )
    run(materialize, "repository")
    capsule = {"schema": "Click", "revision": 7, "wiki": "w", "event": {"button": "save"}}
    (tmp_path / "traffic").write_text(f"{json.dumps(capsule)}\n" * 3)
    run(
        *(verify, "traffic", "--config", "settings.yaml", "--old-schemas", "wiki"),
        *("--jobs", "1", "--out", "report.json"),
    )
    return tmp_path


def stand(*more):
    given = ("--config", "settings.yaml", "--old-schemas", "wiki", "--repository", "repository")
    return run(status, *given, *more)


def metrics(house, beacon, events):
    lines = [
        f'sluiceway_events_total{{source="{source}",status="success",'
        f'stream="eventlogging_Click"}} {count}'
        for source, count in (("beacon", beacon), ("events", events))
    ]
    path = house / "metrics"
    path.write_text("# TYPE sluiceway_events_total counter\n" + "\n".join(lines) + "\n")
    return str(path)


def told(capsys):
    found = json.loads(capsys.readouterr().out)
    return {each["name"]: each for each in found["schemas"]}


def test_each_schema_is_where_its_evidence_ends(house, capsys):
    capsys.readouterr()

    assert stand("--report", "report.json", "--events", "3", "--json") == 1

    found = told(capsys)
    assert found["Click"]["state"] == "parity proven"
    assert found["Other"]["state"] == "discovered"
    assert found["Other"]["next"].startswith("sluiceway migrate convert Other-1.json")


def test_the_services_counts_show_who_is_cut_over_and_a_history_who_is_silent(house, capsys):
    given = ("--report", "report.json", "--events", "3", "--json", "--history", "history")
    capsys.readouterr()

    stand(*given, "--service", metrics(house, 5, 0))
    before = told(capsys)
    stand(*given, "--service", metrics(house, 5, 9), "--days", "0")
    after = told(capsys)

    assert before["Click"]["state"] == "parity proven"
    assert after["Click"]["state"] == "legacy silent"
    assert len((house / "history").read_text().splitlines()) == 2


def test_only_the_named_schemas_are_looked_at_and_done_is_done(house, capsys):
    given = ("--report", "report.json", "--events", "3", "--service", metrics(house, 5, 9))

    assert stand("Click", *given) == 0
    assert "cut over" in capsys.readouterr().out


@pytest.mark.parametrize(
    "given",
    [
        ("Nobody",),
        ("--allow", "everything"),
        ("--report", "settings.yaml"),
        ("--service", "nowhere"),
    ],
)
def test_a_wrong_call_ends_with_2(house, given, capsys):
    assert stand(*given) == 2

    assert "sluiceway migrate status: " in capsys.readouterr().err


def test_the_page_stands_alone_and_tells_of_every_schema(house, capsys):
    stand("--report", "report.json", "--events", "3", "--out", "status.json", "--history", "h")
    stand("--report", "report.json", "--events", "3", "--out", "status.json", "--history", "h")

    assert run(report, "report.json", "--status", "status.json", "--out", "page.html") == 0

    page = (house / "page.html").read_text()
    assert "Click" in page
    assert "Other" in page
    assert "<polyline" in page
    assert "http" not in page.replace("http-equiv", "").replace("http.", "")
    assert "<script" not in page


@pytest.mark.parametrize(
    "given",
    [
        ("nowhere.json", "--out", "page.html"),
        ("settings.yaml", "--out", "page.html"),
        ("report.json", "--out", "no/such/folder/page.html"),
        ("report.json", "--status", "report.json", "--out", "page.html"),
    ],
)
def test_a_page_that_cannot_be_made_ends_with_2(house, given, capsys):
    assert run(report, *given) == 2

    assert "sluiceway migrate report: " in capsys.readouterr().err
