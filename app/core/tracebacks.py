"""Tracebacks: what an exception holds on to that is no longer needed."""


def let_go(error: BaseException | None) -> None:
    """Take from an error, and from those that led to it, the frames that raised them.

    They hold what its request holds, the outcome with the error included. Such circles wait for the
    garbage collector, which comes seldom: a gigabyte of refused bodies waited for it.
    """
    while error is not None:
        before = error.__cause__ or error.__context__
        error.__traceback__ = error.__cause__ = error.__context__ = None
        error = before
