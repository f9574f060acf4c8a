"""Regexes of stream names: JavaScript's spelling, and none that could search for ever.

Python's regexes backtrack, and hold the interpreter meanwhile: `(a+)+$` against 30 letters stops a
process for minutes. So a regex is taken apart first, and refused if a name of the greatest length
could be looked at too often.
"""

import re
import warnings
from collections.abc import Callable, Iterator
from re import _parser  # type: ignore[attr-defined]  # nothing public takes a regex apart
from typing import Any, NamedTuple

MAX_NAME = 249  # Kafka's longest topic
MAX_LOOKS = 1_000_000
TOO_MANY = MAX_LOOKS + 1
MAX_PATTERN = 1_000

_ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"
_JAVASCRIPT = re.compile(r"\\k<(\w+)>|(\\.)|\(\?<(?=[A-Za-z_])", re.DOTALL)
_CATEGORIES: dict[str, Callable[[str], bool]] = {
    "CATEGORY_DIGIT": str.isdigit,
    "CATEGORY_NOT_DIGIT": lambda char: not char.isdigit(),
    "CATEGORY_WORD": lambda char: char not in ".-",
    "CATEGORY_NOT_WORD": lambda char: char in ".-",
    "CATEGORY_SPACE": lambda _char: False,
    "CATEGORY_NOT_SPACE": lambda _char: True,
}


class PatternError(ValueError):
    """A regex is broken, or could take too long; the message says how."""


def pattern_of(text: str) -> re.Pattern[str]:
    """Return the compiled regex of what stands between the slashes; raises PatternError."""
    if len(text) > MAX_PATTERN:
        raise PatternError(f"the regex is longer than {MAX_PATTERN:,} characters")
    python = _JAVASCRIPT.sub(_in_python, text)
    try:
        with warnings.catch_warnings():
            # Python warns of `[[`, which it may read differently one day.
            warnings.simplefilter("ignore", FutureWarning)
            tree = _parser.parse(python)
            pattern = re.compile(python)
        if tree.state.flags & ~re.UNICODE:
            raise PatternError("the regex has an inline flag such as (?i), which is not taken")
        looks = _effort(list(tree), ()).looks
        if not _anchored(list(tree)):
            looks *= MAX_NAME
        if looks > MAX_LOOKS:
            raise PatternError(
                "the regex could search for too long; begin it with ^, use fewer of + and * "
                "(best where the next character ends them, like [a-z]+ before \\.), "
                "and repeat no group that can match in several ways"
            )
    except re.error as error:
        raise PatternError(f"the regex is broken: {error}") from error
    except (RecursionError, OverflowError) as error:
        raise PatternError("the regex is nested too deeply or repeats too often") from error
    return pattern


def _in_python(found: re.Match[str]) -> str:
    reference, escape = found.groups()
    if reference:
        return f"(?P={reference})"
    return escape or "(?P<"


def _anchored(nodes: list[Any]) -> bool:
    return bool(nodes) and _name(nodes[0]) == "AT" and str(nodes[0][1]) == "AT_BEGINNING"


class _Effort(NamedTuple):
    """How often a part of a regex may have to be looked at, at most, and be left for the next."""

    looks: int
    ways: int


_ONE_LOOK = _Effort(1, 1)


def _effort(nodes: list[Any], followers: tuple[Any, ...]) -> _Effort:
    """Bound what backtracking may try for a sequence, from one place of the name.

    `followers` are the nodes that may come right after it, None among them for an unknown one;
    empty is the end of the regex, where the search has succeeded.
    """
    looks, ways = 0, 1
    for position, node in enumerate(nodes):
        rest = nodes[position + 1 :]
        part = _effort_of(node, (_first(rest),) if rest else followers)
        looks = min(looks + ways * part.looks, TOO_MANY)
        ways = min(ways * part.ways, TOO_MANY)
    return _Effort(looks, ways)


def _effort_of(node: Any, followers: tuple[Any, ...]) -> _Effort:
    value = node[1]
    match _name(node):
        case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN" | "AT" | "GROUPREF":
            return _ONE_LOOK
        case "SUBPATTERN":
            _group, flags, unset, inner = value
            if flags or unset:
                raise PatternError("the regex has an inline flag such as (?i:), which is not taken")
            return _effort(list(inner), followers)
        case "ATOMIC_GROUP":
            return _effort(list(value), followers)
        case "ASSERT" | "ASSERT_NOT":
            return _effort(list(value[1]), (None,))
        case "BRANCH":
            alternatives = [list(alternative) for alternative in value[1]]
            efforts = [_effort(alternative, followers) for alternative in alternatives]
            ways = [effort.ways for effort in efforts]
            return _Effort(
                sum(effort.looks for effort in efforts),
                max(ways) if _exclusive(alternatives) else sum(ways),
            )
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = value
            return _effort_of_repeat(least, most, inner, followers)
        case other:
            raise PatternError(f"the regex uses {other.lower()}, which is not taken")


def _effort_of_repeat(least: int, most: int, nodes: Any, followers: tuple[Any, ...]) -> _Effort:
    inner = list(nodes)
    most = min(most, MAX_NAME)
    each = _effort(inner, (_first(inner), *followers) if most > 1 else followers)
    looks, ways, ends = 0, 1, int(least == 0)
    for round_ in range(1, most + 1):
        if followers or round_ <= max(least, 1):
            looks += ways * each.looks
        ways = min(ways * each.ways, TOO_MANY)
        if round_ >= least:
            ends += ways
    if all(_disjoint(_first(inner), follower) for follower in followers):
        ends = ways  # the next character says whether another round comes
    return _Effort(min(looks, TOO_MANY), min(ends, TOO_MANY))


def _first(nodes: list[Any]) -> Any:
    """Return the node that a sequence surely begins with: one character or the end, else None."""
    if not nodes:
        return None
    node = nodes[0]
    match _name(node):
        case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN" | "AT":
            return node
        case "SUBPATTERN":
            return _first(list(node[1][-1]))
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT" if node[1][0]:
            return _first(list(node[1][2]))
        case _:
            return None


def _exclusive(alternatives: list[list[Any]]) -> bool:
    firsts = [_first(alternative) for alternative in alternatives]
    return all(
        _disjoint(one, other)
        for position, one in enumerate(firsts)
        for other in firsts[position + 1 :]
    )


def _disjoint(one: Any, other: Any) -> bool:
    """Say whether where one matches the other surely does not."""
    if one is None or other is None or _name(one) == "AT":
        return False
    if _name(other) == "AT":
        return str(other[1]) == "AT_END"
    return not any(_takes(one, char) and _takes(other, char) for char in _ALPHABET)


def _takes(node: Any, char: str) -> bool:
    match _name(node):
        case "LITERAL":
            return bool(node[1] == ord(char))
        case "NOT_LITERAL":
            return bool(node[1] != ord(char))
        case "IN":
            negated = _name(node[1][0]) == "NEGATE"
            return any(_members_take(node[1], char)) != negated
        case _:
            return True


def _members_take(members: list[Any], char: str) -> Iterator[bool]:
    for member in members:
        match _name(member):
            case "LITERAL":
                yield member[1] == ord(char)
            case "RANGE":
                yield member[1][0] <= ord(char) <= member[1][1]
            case "CATEGORY":
                yield _CATEGORIES[str(member[1])](char)


def _name(node: Any) -> str:
    return str(node[0])
