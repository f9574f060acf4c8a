from email.utils import formatdate

import pytest

from app.diagnosis.web import server_of, visit_all
from tests.app.diagnosis.fakebroker import serving
from tests.app.diagnosis.webserver import web_server

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("uri", "server"),
    [
        ("https://Example.org/a/b?c", "https://Example.org"),
        ("HTTP://user:word@host:81/x", "http://host:81"),
        ("http://[::1]:81", "http://[::1]:81"),
        ("http://user:word@[bad/x", "http://[bad/x"),
    ],
)
def test_the_server_of_a_uri_has_no_path_and_no_password(uri, server):
    assert server_of(uri) == server


async def test_a_server_is_visited_once_however_many_uris_it_has():
    async with web_server({"/": b""}) as uri:
        visits = await visit_all([f"{uri}/a", f"{uri}/b?c"], 2.0)

    (visit,) = visits.values()
    assert visit.status == 200
    assert visit.trouble == ""
    assert visit.ahead is None


async def test_any_status_is_an_answer():
    async with web_server({}, status=403) as uri:
        visits = await visit_all([uri], 2.0)

    assert visits[uri].status == 403


async def test_the_date_of_an_answer_is_compared_with_our_clock():
    async with web_server({}, date=formatdate(NOW + 60, usegmt=True)) as uri:
        visits = await visit_all([uri], 2.0, clock=lambda: NOW)

    assert visits[uri].ahead == pytest.approx(60.5)


async def test_a_date_that_is_none_tells_no_time():
    async with web_server({}, date="yesterday") as uri:
        visits = await visit_all([uri], 2.0)

    assert visits[uri].ahead is None


async def test_a_server_that_says_nothing_is_given_up_in_time():
    async def silent(reader, writer):
        await reader.read()
        await reader.read()

    async with serving(silent) as address:
        visits = await visit_all([f"http://{address}"], 0.3)

    (visit,) = visits.values()
    assert visit.trouble == "no answer within 0.3 s"


async def test_a_uri_that_is_none_is_a_trouble():
    visits = await visit_all(["http://[bad/x"], 2.0)

    assert visits["http://[bad/x"].trouble


async def test_a_server_that_is_not_there_is_a_trouble():
    visits = await visit_all(["http://127.0.0.1:1/x"], 2.0)

    assert visits["http://127.0.0.1:1"].trouble
