"""Sides of comparisons made of schemas in tests."""

from typing import Any

from migration.compat.comparison import Comparison, compare
from migration.compat.judging import lists_all
from migration.compat.sides import Side, modern_side


def side(schema: Any, name: str = "schema") -> Side:
    return modern_side(name, schema, [])


def compared(old: Any, new: Any) -> Comparison:
    return compare(side(old, "old"), side(new, "new"))


def verdicts(old: Any, new: Any) -> tuple[str, str]:
    """What is said of each direction. Every example is held against the validators on the way."""
    comparison = compared(old, new)
    check_examples(comparison)
    return comparison.verdict("backward"), comparison.verdict("forward")


def check_examples(comparison: Comparison) -> None:
    old, new = comparison.old, comparison.new
    for finding in comparison.findings:
        for effect, taker, refuser in (
            (finding.backward, old, new),
            (finding.forward, new, old),
        ):
            assert (effect.verdict == "breaks") == (effect.example is not None)
            if effect.example is not None:
                assert taker.takes(effect.example.event)
                if effect.declared == "breaks":
                    assert lists_all((taker.part,), effect.example.event)
                assert effect.example.fault in refuser.faults(effect.example.event)
