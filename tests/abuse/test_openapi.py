"""What the service's own OpenAPI document says holds of a running service, whatever is sent."""

from datetime import timedelta

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from app.settings import Settings
from app.web.application import create_app
from app.web.beacon import PATHS
from tests.support import served

pytestmark = pytest.mark.slow

MAX_EXAMPLES = 60

DESCRIPTION = create_app(Settings())._app.openapi()
described = schemathesis.openapi.from_dict(DESCRIPTION)


@pytest.fixture(scope="module")
def service(tmp_path_factory):
    with served(tmp_path_factory.mktemp("openapi")) as service:
        yield service
        service.assert_nothing_was_wrong()


@described.parametrize()
@settings(
    max_examples=MAX_EXAMPLES,
    deadline=timedelta(seconds=5),
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)
def test_what_the_document_says_holds(case, service):
    answer = case.call(base_url=service.url)

    case.validate_response(answer, excluded_checks=cannot_be_known(case.path, answer.status_code))


def cannot_be_known(path, status):
    """Return the checks that mean nothing for an answer."""
    if path == "/v1/events" and status == 400:
        return [positive_data_acceptance]  # which schemas and streams there are, OpenAPI cannot say
    if path in PATHS or (path == "/v1/events" and status == 202):
        return [negative_data_rejection]  # answered before, or whatever, becomes of the event
    return []
