"""What the old system found wrong with an event, in the two kinds that its EventErrors knew."""

LOSSES = (
    ArithmeticError,
    AttributeError,
    LookupError,
    OSError,
    RecursionError,
    TypeError,
    ValueError,
)
"""What casts raise for a value that is not what they expect. Each of them lost the event."""


class CapsuleInvalid(ValueError):
    """The capsule was read and breaks a rule: an EventError of code `validation`."""


class NotProcessed(ValueError):
    """The line could not be read or judged: an EventError of code `processor`.

    Casts raise exceptions of their own instead; those mean the same.
    """
