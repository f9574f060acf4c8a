from app.core.tracebacks import let_go


def caught(text):
    """An error with a traceback that came of another with one."""
    try:
        try:
            int(text)
        except ValueError as error:
            raise KeyError(text) from error
    except KeyError as error:
        return error


def test_an_error_and_what_led_to_it_hold_no_frames_any_more():
    error = caught("x")
    cause = error.__cause__

    let_go(error)

    assert error.__traceback__ is None
    assert error.__cause__ is None
    assert cause.__traceback__ is None
    assert error.args == ("x",)


def test_errors_that_led_to_each_other_come_to_an_end():
    one, other = caught("a"), caught("b")
    one.__cause__, other.__cause__ = other, one

    let_go(one)

    assert one.__traceback__ is None
    assert other.__traceback__ is None


def test_nothing_holds_nothing():
    let_go(None)
