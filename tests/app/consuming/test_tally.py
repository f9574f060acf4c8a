from app.consuming.tally import Tally


def test_the_figures_are_told_with_the_seconds_since_the_beginning():
    now = [100.0]
    tally = Tally(clock=lambda: now[0])

    tally.accepted, tally.invalid, tally.retried = 5, 2, 3
    now[0] = 112.34

    assert tally.facts() == {
        "lines": 7,
        "accepted": 5,
        "invalid": 2,
        "retried": 3,
        "seconds": "12.3",
    }
