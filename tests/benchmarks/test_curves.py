import pytest

from tests.benchmarks import curves

SMALL = {
    "ROUNDS": 1,
    "SIZES": (100, 10_000, 1_000_000),
    "BATCHES": (1, 30, 1_000),
    "COPIES": (10, 50),
    "MANY": 30,
}


@pytest.mark.parametrize(
    "curve",
    [each for each in curves.CURVES if each is not curves.connections],
    ids=lambda curve: curve.__name__,
)
async def test_each_curve_can_be_measured(monkeypatch, curve):
    for name, value in SMALL.items():
        monkeypatch.setattr(curves, name, value)

    measured = await curve()

    assert len(measured.points) >= 2
    assert all(cost > 0 for _, cost in measured.points)
