"""What can go wrong here: an old event that cannot be read, a mapping file that cannot be used."""

from typing import Any, Literal

Reason = Literal["malformed", "missing_field", "unmapped_schema"]


class LegacyError(ValueError):
    """An old event cannot be put into the modern shape; sending it again cannot help.

    `reason` is the one word for why. `pointer` says where in the capsule (JSON pointer; None: the
    capsule as a whole), `expected` and `got` what was wanted and found there, `hint` what to do.
    `told` is what may be stored of the event, where that is less than what arrived.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: Reason,
        pointer: str | None = None,
        expected: str | None = None,
        got: str | None = None,
        hint: str | None = None,
        told: Any = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        self.pointer = pointer
        self.expected = expected
        self.got = got
        self.hint = hint
        self.told = told

    def __str__(self) -> str:
        return self.message


class MappingError(ValueError):
    """A mapping cannot be used; `problems` are all of them, in the operator's words."""

    def __init__(self, *problems: str) -> None:
        super().__init__(*problems)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)
