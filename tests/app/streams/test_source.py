import json

import httpx
import pytest

from app.core.errors import ConfigError
from app.streams.source import _FAILURES, LONGEST_PAUSE, SourceError, StreamSource

STREAMS = {"a": {"schema_title": "t"}}
API = json.dumps({"streams": STREAMS}).encode()


class Pauses(list):
    async def __call__(self, seconds):
        self.append(seconds)


@pytest.fixture
def remote(answers):
    def make(path="/", **options):
        pauses = Pauses()
        options = {"sleep": pauses, "jitter": lambda: 1.0, "retries": 3} | options
        source = StreamSource(answers.url + path, **options)
        return source, pauses

    return make


@pytest.mark.parametrize("text", ['{"a": {"schema_title": "t"}}', "a:\n  schema_title: t\n"])
async def test_a_file_is_json_or_yaml(tmp_path, text):
    path = tmp_path / "with space.yaml"
    path.write_text(text)

    assert await StreamSource(str(path)).fetch() == STREAMS
    assert await StreamSource(path.as_uri()).fetch() == STREAMS
    assert not StreamSource(str(path)).remote


@pytest.mark.parametrize("object_path", ["x.streams", ["x", "streams"]])
async def test_the_streams_may_be_deep_in_the_document(tmp_path, object_path):
    path = tmp_path / "streams.yaml"
    path.write_text("x: {streams: {a: {schema_title: t}}}")

    assert await StreamSource(str(path), object_path=object_path).fetch() == STREAMS


async def test_a_key_with_dots_is_given_in_a_list(tmp_path):
    path = tmp_path / "streams.yaml"
    path.write_text("my.streams: {a: {schema_title: t}}")

    assert await StreamSource(str(path), object_path=["my.streams"]).fetch() == STREAMS


@pytest.mark.parametrize("text", ["x: {y: 1}", "x: 1", "- 1"])
async def test_a_document_without_the_object_path_is_told_with_the_path(tmp_path, text):
    path = tmp_path / "streams.yaml"
    path.write_text(text)

    with pytest.raises(SourceError, match=r"it has no x(\.streams)?, which streams.object_path"):
        await StreamSource(str(path), object_path="x.streams").fetch()


async def test_a_file_that_is_not_there_is_told_and_not_tried_again(tmp_path):
    pauses = Pauses()
    source = StreamSource(str(tmp_path / "none.yaml"), sleep=pauses)

    with pytest.raises(SourceError, match="it cannot be read: No such file"):
        await source.fetch()

    assert pauses == []


@pytest.mark.parametrize("content", [b"a: [", b"\xff\xfe\xff", b"a: b: c"])
async def test_a_file_that_is_neither_json_nor_yaml_is_told(tmp_path, content):
    path = tmp_path / "streams.yaml"
    path.write_bytes(content)

    with pytest.raises(SourceError, match="it is not YAML"):
        await StreamSource(str(path)).fetch()


async def test_a_huge_file_is_not_read_whole():
    with pytest.raises(SourceError, match="larger than 1,000 bytes"):
        await StreamSource("/dev/zero", max_bytes=1_000).fetch()


@pytest.mark.parametrize(
    "uri",
    ["ftp://example.org/x", "file://example.org/x", "s3://x", "file:", "http://", "https:///"],
)
def test_a_uri_that_cannot_be_read_is_a_problem_of_the_configuration(uri):
    with pytest.raises(ConfigError, match=r"streams\.uri"):
        StreamSource(uri)


def test_a_header_that_cannot_be_sent_is_a_problem_of_the_configuration():
    with pytest.raises(ConfigError, match=r"streams\.headers"):
        StreamSource("http://example.org", headers={"Höst": "x"})


def test_a_password_in_the_uri_is_not_shown():
    assert StreamSource("https://me:secret@example.org/x").name == "https://***@example.org/x"


async def test_the_api_is_asked_with_the_configured_headers(answers, remote):
    answers.then(API)
    source, pauses = remote(
        "/w/api.php?action=streamconfigs",
        object_path="streams",
        headers={"Host": "meta.example.org", "X-Thing": "1"},
    )

    assert await source.fetch() == STREAMS
    ((path, headers),) = answers.requests
    assert path == "/w/api.php?action=streamconfigs"
    assert headers["host"] == "meta.example.org"
    assert headers["x-thing"] == "1"
    assert headers["user-agent"] == "sluiceway"
    assert pauses == []


async def test_a_server_that_fails_is_asked_again_after_growing_pauses(answers, remote):
    answers.then(b"oops", 500).then(b"oops", 503).then(b"{", 200).then(API)
    source, pauses = remote(object_path="streams")

    assert await source.fetch() == STREAMS
    assert pauses == [0.5, 1.0, 2.0]


async def test_pauses_differ_between_processes_and_have_a_limit(answers, remote):
    answers.then(b"", 500)
    source, pauses = remote(retries=7, jitter=lambda: 0.0)

    with pytest.raises(SourceError, match="status 500"):
        await source.fetch()

    assert pauses == [0.25, 0.5, 1.0, 2.0, 4.0, LONGEST_PAUSE / 2, LONGEST_PAUSE / 2]
    assert len(answers.requests) == 8


async def test_one_attempt_is_one_request(answers, remote):
    answers.then(b"", 500)
    source, pauses = remote()

    with pytest.raises(SourceError):
        await source.fetch_once()

    assert len(answers.requests) == 1
    assert pauses == []


async def test_a_redirect_is_not_followed_but_told(answers, remote):
    answers.then(b"", 302, location="https://elsewhere.example.org/")
    source, _ = remote(retries=0)

    with pytest.raises(SourceError, match=r"set streams\.uri to https://elsewhere"):
        await source.fetch()


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"error": {"code": "readonly", "info": "later"}}', 'the API says {"code":"readonly"'),
        (b"<html>Welcome</html>", "it has no streams"),
        (b"", "it has no streams"),
        (b"[]", "it has no streams"),
        (API[:20], "it is not YAML"),
    ],
)
async def test_an_answer_without_streams_is_a_failure_whatever_its_status(
    answers, remote, body, why
):
    answers.then(body)
    source, _ = remote("/?action=streamconfigs", object_path="streams", retries=0)

    with pytest.raises(SourceError) as caught:
        await source.fetch()

    assert why in str(caught.value)


async def test_warnings_of_the_api_are_logged(answers, remote, caplog):
    answers.then(json.dumps({"warnings": {"main": "odd"}, "streams": STREAMS}).encode())
    source, _ = remote("/?action=streamconfigs", object_path="streams")

    assert await source.fetch() == STREAMS
    (record,) = [r for r in caplog.records if r.levelname == "WARNING"]
    assert record.warnings == '{"main":"odd"}'


async def test_only_the_api_has_errors_and_warnings_in_its_answers(answers, remote):
    answers.then(b'{"error": {"schema_title": "error"}}')
    source, _ = remote("/streams.json")

    assert await source.fetch() == {"error": {"schema_title": "error"}}


async def test_a_server_that_does_not_answer_is_given_up_in_time(answers, remote):
    answers.then(b"", 0)
    source, _ = remote(timeout=0.05, retries=0)

    with pytest.raises(SourceError, match=r"did not answer within 0\.05 s"):
        await source.fetch()


async def test_a_server_that_is_not_there_is_told(unused_url):
    with pytest.raises(SourceError, match="it cannot be fetched"):
        await StreamSource(unused_url, retries=0).fetch()


async def test_an_answer_without_end_is_cut(answers, remote):
    answers.then(b" " * 300_000)
    source, _ = remote(max_bytes=1_000, retries=0)

    with pytest.raises(SourceError, match="larger than 1,000 bytes"):
        await source.fetch()


async def test_a_body_that_is_not_what_its_encoding_says_is_told(answers, remote):
    answers.then(b"not gzip", content_encoding="gzip")
    source, _ = remote(retries=0)

    with pytest.raises(SourceError, match="it cannot be fetched"):
        await source.fetch()


def test_every_failure_that_httpx_knows_is_turned_into_ours():
    known = [
        thing
        for thing in vars(httpx).values()
        if isinstance(thing, type) and issubclass(thing, Exception)
    ]

    assert len(known) > 10
    # Cookies are never read.
    assert {thing for thing in known if not issubclass(thing, _FAILURES)} == {httpx.CookieConflict}
