from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from migration.compat.judging import accepts
from migration.compat.sides import UnusableSchema
from tests.migration.compat.sides import side
from tests.migration.compat.strategies import events, schemas


@settings(max_examples=200, deadline=None, suppress_health_check=(HealthCheck.too_slow,))
@given(schemas(), st.lists(events(), min_size=10, max_size=30))
def test_part_by_part_an_event_is_judged_as_the_validator_judges_it(schema, sent):
    try:
        judge = side(schema)
    except UnusableSchema:
        return

    for event in sent:
        assert accepts((judge.part,), event) == judge.takes(event)
