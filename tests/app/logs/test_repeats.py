import logging

from app.logs.repeats import MAX_KINDS, Repeats
from tests.support import Clock


def record(message, *args, level=logging.WARNING, name="app.x"):
    return logging.LogRecord(name, level, "", 0, message, args, None)


def passed(repeats, records):
    return [each for each in records if repeats.filter(each)]


def test_the_same_sentence_passes_so_often_and_then_no_more():
    repeats = Repeats(at_most=3, clock=Clock(0.0))

    told = passed(repeats, [record("Again, %s.", number) for number in range(100)])

    assert len(told) == 3


def test_the_next_one_later_says_how_many_were_held_back():
    clock = Clock(0.0)
    repeats = Repeats(at_most=3, window=10, clock=clock)
    passed(repeats, [record("Again.") for _ in range(100)])
    clock.now = 10

    (later,) = passed(repeats, [record("Again.")])

    assert later.held_back == 97


def test_others_are_not_held_back_by_it():
    repeats = Repeats(at_most=1, clock=Clock(0.0))
    passed(repeats, [record("Again.")] * 10)

    others = [record("Another."), record("Again.", name="app.y"), record("Again.", level=40)]

    assert passed(repeats, others) == others


def test_what_was_asked_for_all_passes():
    repeats = Repeats(at_most=1, exempt="access", clock=Clock(0.0))
    asked = [record("Again.", level=logging.DEBUG), record("Again.", name="access")] * 10

    assert passed(repeats, asked) == asked


def test_sentences_without_number_do_not_fill_memory():
    repeats = Repeats(at_most=1, clock=Clock(0.0))

    passed(repeats, [record(f"Sentence {number}.") for number in range(3 * MAX_KINDS)])

    assert len(repeats._kinds) == MAX_KINDS
