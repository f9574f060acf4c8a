import pytest
from aiokafka import errors

from app.sinks.kafka.verdicts import Verdict, name_of, verdict_of


@pytest.mark.parametrize("error", errors.kafka_errors.values(), ids=lambda error: error.__name__)
def test_what_aiokafka_would_send_again_is_never_blamed_on_an_event(error):
    verdict = verdict_of(error.errno)

    if error.retriable:
        assert verdict in {Verdict.RETRY, Verdict.REFRESH, Verdict.UNCLEAR}


def test_codes_that_nobody_knows_yet_leave_it_open_whether_it_is_stored():
    assert verdict_of(12345) is Verdict.UNCLEAR
    assert name_of(12345) == "error 12345"


@pytest.mark.parametrize(
    ("code", "verdict", "name"),
    [
        (0, Verdict.STORED, "NONE"),
        (6, Verdict.REFRESH, "NOT_LEADER_OR_FOLLOWER"),
        (7, Verdict.UNCLEAR, "REQUEST_TIMED_OUT"),
        (10, Verdict.TOO_LARGE, "MESSAGE_TOO_LARGE"),
        (19, Verdict.RETRY, "NOT_ENOUGH_REPLICAS"),
        (20, Verdict.UNCLEAR, "NOT_ENOUGH_REPLICAS_AFTER_APPEND"),
        (29, Verdict.TOPIC, "TOPIC_AUTHORIZATION_FAILED"),
        (32, Verdict.REFUSED, "INVALID_TIMESTAMP"),
        (45, Verdict.IDENTITY, "OUT_OF_ORDER_SEQUENCE_NUMBER"),
        (46, Verdict.STORED, "DUPLICATE_SEQUENCE_NUMBER"),
        (87, Verdict.REFUSED, "INVALID_RECORD"),
    ],
)
def test_a_code_means(code, verdict, name):
    assert verdict_of(code) is verdict
    assert name_of(code) == name
