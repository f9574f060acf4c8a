from app.core.errors import SchemaUnusable
from app.schemas.refusals import COUNTED, MAX_REFUSALS, TELL_EVERY, Refusals

BROKEN = SchemaUnusable("it is broken", pointer="/$schema", hint="mend it")


def test_a_refused_schema_is_told_of_once_a_minute_and_logged(clock, caplog):
    refusals = Refusals(clock=clock)

    told = []
    for _ in range(3):
        told += [refusals.of("/a", BROKEN).is_told for _ in range(5)]
        clock.now += TELL_EVERY

    assert told == [True, *[False] * 4] * 3
    assert [record.problem for record in caplog.records] == ["it is broken"] * 3


def test_each_schema_is_told_of_by_itself(clock):
    refusals = Refusals(clock=clock)

    assert refusals.of("/a", BROKEN).is_told
    assert refusals.of("/b", BROKEN).is_told


def test_the_error_that_is_raised_says_the_same(clock):
    again = Refusals(clock=clock).of("/a", BROKEN)

    assert again is not BROKEN
    assert (str(again), again.pointer, again.hint) == (str(BROKEN), BROKEN.pointer, BROKEN.hint)
    assert not BROKEN.is_told


def test_refused_schemas_are_counted_until_they_are_mended_or_forgotten(clock):
    refusals = Refusals(clock=clock)
    for uri in ("/a", "/b", "/b"):
        refusals.of(uri, BROKEN)

    counted = [refusals.count]
    refusals.mended("/a")
    refusals.mended("/never/refused")
    counted.append(refusals.count)
    clock.now += COUNTED
    counted.append(refusals.count)

    assert counted == [2, 1, 0]
    assert refusals.of("/a", BROKEN).is_told


def test_no_more_than_so_many_are_remembered(clock):
    refusals = Refusals(clock=clock)

    for number in range(2 * MAX_REFUSALS):
        refusals.of(f"/{number}", BROKEN)

    assert refusals.count == MAX_REFUSALS
    assert len(refusals._told) == MAX_REFUSALS
