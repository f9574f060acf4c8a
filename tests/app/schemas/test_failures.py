from app.core.errors import SchemaNotFound, SchemaUnavailable, SchemaUnusable
from app.schemas.failures import Failures


def test_a_schema_that_is_not_there_is_remembered_for_as_long_as_is_set(clock):
    failures = Failures(not_found_ttl=10, size=5, clock=clock)
    failures.remember("/a", SchemaNotFound("no /a", pointer="/$schema", got="/a", hint="look"))

    clock.now += 9.9
    known = failures.of("/a")
    assert isinstance(known, SchemaNotFound)
    assert (str(known), known.pointer, known.got, known.hint) == ("no /a", "/$schema", "/a", "look")
    assert failures.of("/b") is None
    clock.now += 0.2
    assert failures.of("/a") is None


def test_a_schema_that_cannot_be_used_is_remembered_as_long(clock):
    failures = Failures(not_found_ttl=10, size=5, clock=clock)
    failures.remember("/a", SchemaUnusable("too much"))

    clock.now += 9.9
    assert isinstance(failures.of("/a"), SchemaUnusable)
    clock.now += 0.2
    assert failures.of("/a") is None


def test_anything_else_is_remembered_for_two_seconds(clock):
    failures = Failures(not_found_ttl=10, size=5, clock=clock)
    failures.remember("/a", SchemaUnavailable("down"))

    clock.now += 1.9
    assert isinstance(failures.of("/a"), SchemaUnavailable)
    clock.now += 0.2
    assert failures.of("/a") is None


def test_who_catches_a_failure_has_it_alone(clock):
    failures = Failures(not_found_ttl=10, size=5, clock=clock)
    error = SchemaNotFound("no")
    failures.remember("/a", error)

    assert failures.of("/a") is not error
    assert failures.of("/a") is not failures.of("/a")


def test_the_oldest_failure_is_forgotten_first(clock):
    failures = Failures(not_found_ttl=10, size=2, clock=clock)

    for uri in ("/a", "/b", "/a", "/c"):
        failures.remember(uri, SchemaNotFound(uri))

    assert len(failures) == 2
    assert failures.of("/b") is None
    assert str(failures.of("/a")) == "/a"
    assert str(failures.of("/c")) == "/c"


def test_what_no_longer_counts_is_not_kept(clock):
    failures = Failures(not_found_ttl=10, size=1_000, clock=clock)
    for number in range(100):
        failures.remember(f"/{number}", SchemaNotFound("no"))
        clock.now += 1

    assert len(failures) <= 11


def test_without_a_time_to_remember_nothing_is_known(clock):
    failures = Failures(not_found_ttl=0, size=5, clock=clock)

    failures.remember("/a", SchemaNotFound("no"))

    assert failures.of("/a") is None


def test_a_failure_keeps_nothing_of_where_it_was_raised(clock):
    failures = Failures(not_found_ttl=10, size=5, clock=clock)
    error = SchemaUnavailable("down")
    error.__cause__ = ValueError("about a document of a megabyte")

    failures.remember("/a", error)

    ((_, kept),) = failures._failed.values()
    assert kept is not error
    assert kept.__cause__ is None
