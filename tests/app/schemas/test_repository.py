import pytest

from app.core.errors import SchemaNotFound, SchemaUnavailable
from app.schemas.repository import Repository
from app.schemas.sources import SourceError


class Source:
    """A source of texts by path; an exception as text is raised."""

    def __init__(self, **texts):
        self.texts = {f"/{path.replace('__', '/')}": text for path, text in texts.items()}
        self.asked = []

    async def fetch(self, path):
        self.asked.append(path)
        text = self.texts.get(path)
        if isinstance(text, Exception):
            raise text
        return text


class Texts(Source):
    def __init__(self, texts):
        super().__init__()
        self.texts = texts


async def test_the_first_source_that_has_a_document_wins():
    first, second = Source(a=b"title: first"), Source(a=b"title: second")

    found = await Repository([first, second]).find("/a")

    assert found.document == {"title": "first"}
    assert second.asked == []


async def test_what_is_built_in_is_asked_first_for_our_own_and_last_for_the_rest():
    other = Texts({"/sluiceway/x": b"title: theirs", "/a": b"title: theirs"})
    builtin = Texts({"/sluiceway/x": b"title: ours", "/a": b"title: ours"})
    repository = Repository([other], builtin=builtin)

    own, rest = await repository.find("/sluiceway/x"), await repository.find("/a")

    assert (own.document["title"], rest.document["title"]) == ("ours", "theirs")
    assert other.asked == ["/a"]


async def test_a_failing_source_does_not_hide_a_later_one():
    repository = Repository([Source(a=SourceError("down")), Source(a=b"title: second")])

    assert (await repository.find("/a")).document == {"title": "second"}


@pytest.mark.parametrize(
    "garbage",
    [
        b"\n<html><body>Oops: not",
        b"[1, 2]",
        b"just words",
        b"",
        b"a: [",
        b"\xff\xfe\x00",
        b'{"error": "not found"}',
        b"{}",
    ],
)
async def test_garbage_does_not_hide_a_later_source_and_alone_is_a_failure(garbage):
    good = Source(a=b"title: good")

    assert (await Repository([Source(a=garbage), good]).find("/a")).document == {"title": "good"}
    with pytest.raises(SchemaUnavailable, match="the document at /a is"):
        await Repository([Source(a=garbage), Source()]).find("/a")


@pytest.mark.parametrize(
    "text", [b"required: [a]", b"maxLength: 5", b"pattern: ^a", b"$dynamicRef: '#a'", b"$defs: {}"]
)
async def test_one_keyword_of_a_schema_is_enough_to_be_one(text):
    assert (await Repository([Source(a=text)]).find("/a")).document


async def test_a_page_is_told_to_be_one():
    page = Source(a=b"\r\n<!DOCTYPE html><title>Moved</title>")

    with pytest.raises(SchemaUnavailable, match="a page of HTML or XML"):
        await Repository([page]).find("/a")


async def test_if_no_source_has_it_and_one_failed_it_may_exist():
    repository = Repository([Source(), Source(a=SourceError("the disk is gone")), Source()])

    with pytest.raises(SchemaUnavailable, match="cannot be had now: the disk is gone"):
        await repository.find("/a")


async def test_if_no_source_has_it_there_is_none():
    with pytest.raises(SchemaNotFound, match="No schema repository has /a") as caught:
        await Repository([Source(), Source()]).find("/a")

    assert caught.value.pointer == "/$schema"
    assert caught.value.got == "/a"


async def test_an_absolute_uri_is_asked_only_where_that_is_allowed():
    uri = "https://host/a/1.0.0"
    absolute = Texts({uri: b"title: far"})
    near = Source()

    found = await Repository([near], absolute=absolute).find(uri)

    assert found.document == {"title": "far"}
    assert near.asked == []
    with pytest.raises(SchemaNotFound):
        await Repository([near]).find(uri)
    assert near.asked == []


async def test_a_file_that_holds_the_name_of_another_is_a_link():
    source = Texts({"/a/1.0.0": b"1.0.0.yaml\n", "/a/1.0.0.yaml": b"title: real"})

    found = await Repository([source]).find("/a/1.0.0")

    assert found.uri == "/a/1.0.0"
    assert found.document == {"title": "real"}


async def test_a_link_to_a_link_is_not_followed():
    source = Texts({"/a/1.0.0": b"1.0.0.yaml", "/a/1.0.0.yaml": b"1.0.0.json"})

    with pytest.raises(SchemaUnavailable, match="it is no object"):
        await Repository([source]).find("/a/1.0.0")


@pytest.mark.parametrize("text", [b"../b/1.0.0.yaml", b"/etc/passwd.yaml", b".hidden.yaml"])
async def test_a_link_stays_in_its_folder(text):
    source = Texts({"/a/1.0.0": text})

    with pytest.raises(SchemaUnavailable):
        await Repository([source]).find("/a/1.0.0")
    assert source.asked == ["/a/1.0.0"]


@pytest.mark.parametrize("own", ["/a/b/1.0.0", "/a/b/1.0.0.yaml", "a/b/1.0.0#", "/b/1.0.0"])
async def test_the_id_of_a_document_may_be_its_uri_or_the_end_of_it(own):
    source = Texts({"/a/b/1.0.0": f'{{"$id": "{own}"}}'.encode()})

    assert (await Repository([source]).find("/a/b/1.0.0")).uri == "/a/b/1.0.0"


@pytest.mark.parametrize(
    "own",
    [
        "/a/b/1.0.1",
        "/x/b/1.0.0",
        "/x/a/b/1.0.0",
        "/ab/1.0.0",
        "b",
        "https://host/a/b/2.0.0",
    ],
)
async def test_a_document_that_says_to_be_another_is_not_taken(own):
    source = Texts({"/a/b/1.0.0": f'{{"$id": "{own}"}}'.encode()})

    with pytest.raises(SchemaUnavailable, match=r"its \$id says that it is"):
        await Repository([source]).find("/a/b/1.0.0")


@pytest.mark.parametrize("own", ["https://host/x/1.0.0", "https://host/schema.json", "#", "urn:x"])
async def test_of_an_id_that_is_no_path_only_the_version_has_to_agree(own):
    source = Texts({"/a/b/1.0.0": f'{{"$id": "{own}"}}'.encode()})

    assert (await Repository([source]).find("/a/b/1.0.0")).uri == "/a/b/1.0.0"


async def test_draft_04_says_id():
    draft = "http://json-schema.org/draft-04/schema#"
    source = Texts({"/a/1.0.0": f'{{"$schema": "{draft}", "id": "/b/1.0.0"}}'.encode()})

    with pytest.raises(SchemaUnavailable, match=r"says that it is /b/1\.0\.0"):
        await Repository([source]).find("/a/1.0.0")


@pytest.mark.parametrize("own", ["/a/b/1.2.0", "/b/1.2.0", "/a/b/1.2.0.yaml"])
async def test_latest_goes_by_the_version_that_it_is(own):
    source = Texts({"/a/b/latest": f'{{"$id": "{own}"}}'.encode()})

    assert (await Repository([source]).find("/a/b/latest")).uri == "/a/b/1.2.0"


@pytest.mark.parametrize(
    "text",
    [
        '{"title": "a"}',
        '{"$id": "/a/b/latest"}',
        '{"$id": "/x/y/1.0.0"}',
        '{"$id": "https://h/b/1.0.0"}',
    ],
)
async def test_latest_without_a_version_beside_it_is_not_taken(text):
    source = Texts({"/a/b/latest": text.encode()})

    with pytest.raises(SchemaUnavailable, match=r"must name the version that it is.*/a/b/1\.0\.0"):
        await Repository([source]).find("/a/b/latest")


async def test_looks_are_counted():
    repository = Repository([Source(a=b"title: a")])

    await repository.find("/a")
    with pytest.raises(SchemaNotFound):
        await repository.find("/b")

    assert repository.fetches == 2
