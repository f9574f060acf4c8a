"""Matching user agents against ua-parser's regexes: the first of a list that matches answers.

With the native parser (`ua-parser-rs`) the answers are the same and come several times as fast: it
only finds which regex to begin with. It reads long repetitions in the regexes generously, and
digits, letters and line ends beyond printable ASCII in its own way, so its own answers differ.
"""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from ua_parser import OS, Device, UserAgent, load_lazy_builtins

# Optional, and not to be had for every machine.
_NATIVE = import_module("ua_parser_rs") if find_spec("ua_parser_rs") else None


class Family(Protocol):
    """Anything that has the name of a family."""

    @property
    def family(self) -> str: ...


class Extractor(Protocol):
    """The native search in one list of regexes."""

    def extract(self, text: str, /) -> Any:
        """Return what the first regex that matches says, None if none does."""
        ...


Found = TypeVar("Found", bound=Family)


class Matching(Generic[Found]):
    """One list of regexes in order.

    `native`, if there is one, searches the same list and names as family the place of a regex
    before which none matches.
    """

    def __init__(
        self, matchers: Sequence[Callable[[str], Found | None]], native: Extractor | None = None
    ) -> None:
        self._matchers = matchers
        self._native = native

    def __call__(self, text: str) -> Found | None:
        """Return what the first regex that matches and names a family says, None if none does."""
        first = 0
        if self._native and text.isascii() and text.isprintable():
            found = self._native.extract(text)
            if found is None:
                return None
            first = int(found.family)
        for matcher in islice(self._matchers, first, None):
            try:
                answer = matcher(text)
            except (ValueError, TypeError):
                continue  # the part of the text that would name the family is empty or not there
            if answer and answer.family:
                return answer
        return None


class Matchings(NamedTuple):
    """The three questions about a user agent."""

    browser: Matching[UserAgent]
    os: Matching[OS]
    device: Matching[Device]


def open_matchings(*, native: bool = True) -> Matchings:
    """Return the lists of ua-parser's database; takes a tenth of a second.

    Not `native`: without the native parser, even if it is installed.
    """
    lists: Any = load_lazy_builtins()
    if _NATIVE is None or not native:
        return Matchings(*(Matching(each) for each in lists))
    browsers, systems, devices = ([(str(n), m) for n, m in enumerate(each)] for each in lists)
    rest = (None,) * 4
    return Matchings(
        Matching(lists[0], _NATIVE.UserAgentExtractor([(m.regex, n, *rest) for n, m in browsers])),
        Matching(lists[1], _NATIVE.OSExtractor([(m.regex, n, *rest) for n, m in systems])),
        Matching(
            lists[2],
            _NATIVE.DeviceExtractor([(m.regex, m.regex_flag, n, None, None) for n, m in devices]),
        ),
    )
