"""What judging costs: a price for each schema, and a budget for events under a dear one.

The validator cannot be interrupted, and nothing else runs meanwhile. Schemas may multiply work:
alternatives within alternatives, references to references, patterns with many repetitions.
"""

from dataclasses import dataclass
from typing import Any

from app.core.errors import EventTooLarge
from app.schemas.bundle import Bundle
from app.schemas.closure import BrokenSchema
from app.schemas.effort import in_place
from app.schemas.keywords import IN_PLACE, subschemas
from app.schemas.patterns import positions
from app.schemas.repository import Document

MAX_PER_VALUE = 100_000
MAX_PER_CHARACTER = 10_000

BUDGET = 4_000_000
"""Judgments of an event, of about 0.1 µs each; some are made twice: it may take a second."""
CHARACTERS_BUDGET = 20_000_000
"""Characters of an event, times the positions of the patterns that they meet: 15 ns each."""

CHEAP = 20
"""Not measured up to this price: half a million values, a whole megabyte, take a second."""
CHEAP_CHARACTER = 50
"""The same for a million characters."""

_FRACTION = 400  # a multipleOf with a fraction is worked out exactly
_NAMES = 10  # so many names are looked up in the time of a judgment


@dataclass(frozen=True, slots=True)
class Price:
    """What one value of an event may cost at most, in judgments, and one character in positions."""

    value: int
    character: int

    @property
    def is_cheap(self) -> bool:
        """Say whether even an event of a megabyte takes no more than a second."""
        return self.value <= CHEAP and self.character <= CHEAP_CHARACTER

    def check(self, body: Any) -> None:
        """Raise EventTooLarge for an event that would take longer than its budget."""
        values, characters = BUDGET // self.value, CHARACTERS_BUDGET // self.character
        stack = [body]
        while stack:
            value = stack.pop()
            if isinstance(value, str):
                characters -= len(value)
            elif isinstance(value, dict):
                values -= len(value)
                characters -= sum(map(len, value))
                stack.extend(value.values())
            elif isinstance(value, list):
                values -= len(value)
                stack.extend(value)
            if values < 0:
                raise _too_large("values", BUDGET // self.value)
            if characters < 0:
                raise _too_large("characters of text", CHARACTERS_BUDGET // self.character)


def price_of(bundle: Bundle) -> Price:
    """Return a schema's price; raises BrokenSchema if it is beyond what any event can pay."""
    prices: dict[int, tuple[int, int]] = {}

    def price(node: Any) -> tuple[int, int]:
        if not isinstance(node, dict):
            return 1, 0
        key = id(node)
        if key in prices:
            return prices[key]
        # The validator remembers what it has judged by a schema that leads back to itself.
        prices[key] = (1, 0)
        value, character = (0, 0) if bundle.stands_alone(node) else _own(node)
        sums = [price(inner) for inner in in_place(bundle, node)]
        if not bundle.stands_alone(node):
            sums.append(_inside(node, price))
        prices[key] = (1 + value + sum(v for v, _ in sums), character + sum(c for _, c in sums))
        _check(prices[key])
        return prices[key]

    return Price(*(max(1, part) for part in price(bundle.schema)))


def _check(price: tuple[int, int]) -> None:
    value, character = price
    if value > MAX_PER_VALUE:
        raise BrokenSchema(
            f"it may judge one value more than {MAX_PER_VALUE:,} times, through its references and "
            "alternatives"
        )
    if character > MAX_PER_CHARACTER:
        raise BrokenSchema(
            f"its patterns have more than {MAX_PER_CHARACTER:,} positions for one text, with their "
            "repetitions written out"
        )


def _own(node: Document) -> tuple[int, int]:
    """Return what a schema's own keywords cost, beside the schemas in it."""
    value = character = 0
    options = node.get("enum")
    if isinstance(options, list):
        # Texts and numbers are looked up; objects and arrays are compared with each.
        value += sum(isinstance(option, dict | list) for option in options)
    step = node.get("multipleOf")
    if isinstance(step, float) and not step.is_integer():
        value += _FRACTION
    required = node.get("required")
    if isinstance(required, list):
        value += len(required) // _NAMES
    pattern = node.get("pattern")
    if isinstance(pattern, str):
        character += positions(pattern)
    named = node.get("patternProperties")
    if isinstance(named, dict):
        value += len(named)
        character += sum(map(positions, named))
    return value, character


def _inside(node: Document, price: Any) -> tuple[int, int]:
    """Return the most that a schema may make of one part of the value that it judges."""
    every: dict[str, list[tuple[int, int]]] = {}
    for path, inner in subschemas(node):
        if path[0] not in IN_PLACE:
            every.setdefault(str(path[0]), []).append(price(inner))

    def most(*keywords: str) -> tuple[int, int]:
        found = [one for keyword in keywords for one in every.get(keyword, ())]
        return max((v for v, _ in found), default=0), max((c for _, c in found), default=0)

    def total(*several: tuple[int, int]) -> tuple[int, int]:
        return sum(v for v, _ in several), sum(c for _, c in several)

    # Of `properties` one meets a value, of `patternProperties` perhaps all.
    of_object = total(
        most("properties", "additionalProperties"),
        total(*every.get("patternProperties", ())),
        most("unevaluatedProperties"),
        most("propertyNames"),
    )
    of_array = total(
        most("items", "prefixItems", "additionalItems"),
        most("contains"),
        most("unevaluatedItems"),
    )
    return max(of_object[0], of_array[0]), max(of_object[1], of_array[1])


def _too_large(what: str, most: int) -> EventTooLarge:
    return EventTooLarge(
        f"The event has more than {most:,} {what}, which its schema cannot judge in time.",
        expected=f"at most {most:,} {what} under this schema",
        hint="Send less in one event; or have the schema's author simplify it: alternatives, "
        "references and patterns multiply the work for each value.",
    )
