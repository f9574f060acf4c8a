from app.streams.suggestions import MAX_LENGTH, MAX_REMEMBERED, PER_SECOND, Suggestions
from tests.support import Clock


def test_the_closest_name_is_suggested():
    suggestions = Suggestions(["demo.button.click", "demo.order.placed"])

    assert suggestions.of("demo.buton.click") == "demo.button.click"
    assert suggestions.of("zzz") is None


def test_a_flood_of_unknown_names_gets_few_suggestions():
    clock = Clock()
    suggestions = Suggestions(["demo.button.click"], clock=clock)

    answers = [suggestions.of(f"demo.button.click{number}") for number in range(1_000)]

    assert answers[:PER_SECOND] == ["demo.button.click"] * PER_SECOND
    assert not any(answers[PER_SECOND:])

    clock.now += 1

    assert suggestions.of("demo.button.clock") == "demo.button.click"


def test_a_name_that_is_wrong_again_and_again_keeps_its_suggestion():
    clock = Clock()
    suggestions = Suggestions(["demo.button.click"], clock=clock)

    answers = {suggestions.of("demo.button.clik") for _ in range(1_000)}

    assert answers == {"demo.button.click"}


def test_what_is_remembered_is_bounded():
    clock = Clock()
    suggestions = Suggestions(["demo.button.click"], clock=clock)

    for number in range(MAX_REMEMBERED * 3):
        clock.now += 1
        suggestions.of(f"unknown{number}")

    assert len(suggestions._answers) <= MAX_REMEMBERED


def test_very_long_names_are_not_compared():
    assert Suggestions(["a" * MAX_LENGTH]).of("a" * (MAX_LENGTH + 1)) is None
