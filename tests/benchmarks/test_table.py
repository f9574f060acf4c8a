from tests.benchmarks.__main__ import ratios, rows_of, table
from tests.benchmarks.load import Load
from tests.benchmarks.scenarios import KAFKA, NULL, SQLITE


def load(cpu, **more):
    figures = {"requests": 10, "events": 20, "failed": 0, "seconds": 2.0, "p50": 1.0, "p99": 2.0}
    return Load(**figures | {"cpu": cpu, "memory": 50.0} | more)


def test_each_figure_stands_beside_noop_and_the_plain_baseline():
    rows = rows_of(
        {
            ("1 event", "noop"): [load(20.0)],
            ("1 event", "sluiceway"): [load(50.0), load(80.0), load(60.0)],
            ("1 event", "plain"): [load(300.0)],
        }
    )

    assert [(row["cpu"], row["to_noop"], row["plain_to"]) for row in rows] == [
        (20.0, 1.0, 15.0),
        (60.0, 3.0, 5.0),
        (300.0, 15.0, 1.0),
    ]
    assert table(rows).splitlines()[3] == (
        "| 1 event | sluiceway | 5 | 10 | 60.0 | 3.0 | 5.0 | 1.00 | 2.00 | 50 | 0 |"
    )


def test_what_is_not_known_is_left_blank():
    (row,) = rows_of({("1 event", "other"): [load(0.0, memory=0.0)]})

    assert ratios(row, [row]) == {"to_noop": None, "plain_to": None}
    assert table([row]).splitlines()[2] == (
        "| 1 event | other | 5 | 10 |  |  |  | 1.00 | 2.00 |  | 0 |"
    )


def test_every_scenario_has_noop_and_a_plain_baseline_beside_it():
    for scenario in (*NULL, *SQLITE, *KAFKA):
        assert "noop" in scenario.servers
        assert any(server.startswith("plain") for server in scenario.servers)
