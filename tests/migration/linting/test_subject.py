import pytest

from migration.linting.subject import Subject
from migration.repository import load_file
from tests.migration.shop import VISIT, write


@pytest.mark.parametrize(
    ("steps", "line"),
    [
        (("title",), 1),
        (("properties", "door", "enum", 1), 12),
        (("properties", "number"), 13),
        (("properties", "number", "maximum"), 13),
        (("properties", "meta", "properties", "stream"), 7),
        (("examples", 0, "door"), 18),
        ((), 1),
    ],
)
def test_a_place_in_the_released_form_is_found_in_what_people_wrote(tmp_path, steps, line):
    file = load_file(write(tmp_path, "shop/visit", VISIT))
    subject = Subject(file, "/shop/visit/1.0.0", {}, is_current=True)

    assert subject.line(steps) == line


def test_a_release_is_its_own_text(tmp_path):
    file = load_file(write(tmp_path, "shop/visit", VISIT))
    subject = Subject(file, "/shop/visit/1.0.0", {}, is_current=False)

    assert subject.line(("allOf", 1, "required")) == 8
    assert subject.line(("properties", "door")) == 1
