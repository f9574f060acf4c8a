"""How large a regular expression is: what it may cost for each character that it looks at."""

import re

MOST = 1_000_000
"""No larger number is told; such an expression cannot be compiled anyway."""

_COUNT = re.compile(r"\{(\d{1,9})(?:(,)(\d{0,9}))?\}")
_GROUP = re.compile(r"\((?:\?(?:[:=!]|<[=!]|P?<[^>]*>))?")
_PROPERTY = re.compile(r"\\[pPu]\{[^}]{0,100}+\}")
_CLASS = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*+\]", re.DOTALL)


def positions(pattern: str) -> int:
    """Return how many places an expression has where a text may match, repetitions written out.

    The engine takes time in proportion to the text, whatever the expression; but where it cannot
    tell the places of one apart, in proportion to their number as well: `(a{1,500}){1,20}` has
    10,000, and took two minutes for a megabyte. Of a text that is no expression any number is told.
    """
    sums = [0]
    last = at = 0
    while at < len(pattern):
        character = pattern[at]
        counted = _COUNT.match(pattern, at) if character == "{" else None
        if counted:
            # What has been added once is there as often as the count says.
            sums[-1] = min(MOST, sums[-1] + last * (_most_of(counted) - 1))
            last *= _most_of(counted)
            at = counted.end()
        elif character == "(":
            sums.append(0)
            opened = _GROUP.match(pattern, at)
            at = opened.end() if opened else at + 1
            last = 0
        elif character == ")":
            last = sums.pop() if len(sums) > 1 else 0
            sums[-1] = min(MOST, sums[-1] + last)
            at += 1
        elif character in "*+?|":
            at += 1
        else:
            last = 1
            sums[-1] = min(MOST, sums[-1] + 1)
            at = _end_of_one(pattern, at)
    return max(1, *sums)


def _most_of(counted: re.Match[str]) -> int:
    least, open_end, most = counted.groups()
    if most:
        return min(MOST, max(1, int(most)))
    return min(MOST, max(1, int(least) + (1 if open_end else 0)))


def _end_of_one(pattern: str, at: int) -> int:
    """Return where what matches one character ends: an escape, a class, or the character itself."""
    if pattern[at] == "\\":
        named = _PROPERTY.match(pattern, at)
        return named.end() if named else at + 2
    some = _CLASS.match(pattern, at) if pattern[at] == "[" else None
    return some.end() if some else at + 1
