import asyncio
import gzip
import logging
import os
import socket
from pathlib import Path

import httpx
import pytest

from app.core.errors import ConfigError
from app.schemas.sources import FileSource, HttpSource, SourceError, without_password

LIMIT = 1000
DESCRIPTORS = Path("/proc/self/fd")


@pytest.fixture
def files(folder):
    return FileSource(str(folder.path), max_bytes=LIMIT)


@pytest.fixture
async def http(server):
    async with httpx.AsyncClient() as client:

        def http(base=None, seconds=5.0):
            return HttpSource(
                server.url if base is None else base,
                client=client,
                max_bytes=LIMIT,
                timeout=seconds,
            )

        yield http


@pytest.mark.parametrize("extension", ["", ".yaml", ".yml", ".json"])
async def test_a_file_is_found_under_any_extension(folder, files, extension):
    folder.put("/a/1.0.0", "text", extension)

    assert await files.fetch("/a/1.0.0") == b"text"


async def test_a_folder_may_be_given_as_a_file_uri(folder, tmp_path):
    other = tmp_path / "with blank"
    other.mkdir()
    (other / "a").write_text("text")

    assert await FileSource(other.as_uri(), max_bytes=LIMIT).fetch("/a") == b"text"


async def test_a_link_within_the_repository_is_followed(folder, files):
    folder.put("/a/1.0.0", "text")
    (folder.path / "a" / "latest").symlink_to("1.0.0.yaml")

    assert await files.fetch("/a/latest") == b"text"


async def test_a_link_out_of_the_repository_is_not_there_and_the_operator_is_told(
    folder, files, tmp_path, caplog
):
    (tmp_path / "secret").write_text("secret")
    (folder.path / "a").symlink_to(tmp_path / "secret")

    with caplog.at_level(logging.WARNING):
        text = await files.fetch("/a")

    assert text is None
    assert "outside of its repository" in caplog.text


def descriptors():
    return sum(1 for _ in DESCRIPTORS.iterdir())


@pytest.mark.skipif(not DESCRIPTORS.is_dir(), reason="needs /proc to count descriptors")
async def test_a_folder_is_no_schema_and_leaves_nothing_open(folder, files):
    folder.put("/a/1.0.0", "text")
    await files.fetch("/a")
    before = descriptors()

    for _ in range(20):
        assert await files.fetch("/a") is None

    assert descriptors() <= before


async def test_a_pipe_a_socket_and_a_device_are_not_read(folder, files, monkeypatch):
    os.mkfifo(folder.path / "pipe")
    (folder.path / "device").symlink_to("/dev/zero")
    with socket.socket(socket.AF_UNIX) as bound:
        monkeypatch.chdir(folder.path)  # the path of a socket may have 108 characters
        bound.bind("socket")

        answers = [await files.fetch(path) for path in ("/pipe", "/device", "/socket")]

    assert answers == [None, None, None]


@pytest.mark.parametrize("path", ["/a/1.0.0/deeper", "/" + "x" * 300, "/circle", "/nowhere"])
async def test_a_path_that_leads_to_no_file_is_not_there(folder, files, path):
    folder.put("/a/1.0.0", "text", "")
    (folder.path / "circle").symlink_to("circle")

    assert await files.fetch(path) is None


async def test_a_file_over_the_limit_is_an_error_and_one_at_the_limit_is_not(folder, files):
    folder.put("/ok", "x" * LIMIT)
    folder.put("/large", "x" * (LIMIT + 1))

    assert len(await files.fetch("/ok")) == LIMIT
    with pytest.raises(SourceError, match="more than 1,000 bytes"):
        await files.fetch("/large")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
async def test_a_file_that_may_not_be_read_is_an_error(folder, files):
    folder.put("/a", "text").chmod(0)

    with pytest.raises(SourceError, match="cannot be read"):
        await files.fetch("/a")


@pytest.mark.parametrize("base", ["/no/such/folder", "file:///no/such/folder", "file://host/x"])
def test_a_folder_that_is_not_there_is_a_problem_of_the_configuration(base):
    with pytest.raises(ConfigError, match=r"schemas\.base_uris"):
        FileSource(base, max_bytes=LIMIT)


def test_a_file_is_no_folder(folder):
    with pytest.raises(ConfigError, match="is not a folder"):
        FileSource(str(folder.put("/a", "text")), max_bytes=LIMIT)


@pytest.mark.parametrize("extension", ["", ".yaml", ".json"])
async def test_a_server_is_asked_for_the_plain_path_first(server, http, extension):
    server.put(f"/a/1.0.0{extension}", b"text")

    assert await http().fetch("/a/1.0.0") == b"text"
    assert server.asked[0] == "/a/1.0.0"


async def test_a_base_may_have_a_path(server, http):
    server.put("/repo/a", b"text")

    assert await http(f"{server.url}/repo/").fetch("/a") == b"text"


@pytest.mark.parametrize("status", [404, 410])
async def test_not_found_and_gone_mean_that_it_is_not_there(server, http, status):
    for extension in ("", ".yaml", ".json"):
        server.put(f"/a{extension}", b"", status)

    assert await http().fetch("/a") is None


@pytest.mark.parametrize("status", [204, 301, 302, 304, 307, 401, 403, 429, 500, 503])
async def test_any_other_answer_is_an_error_and_no_redirect_is_followed(server, http, status):
    server.put("/a", b"", status, location=f"{server.url}/elsewhere")

    with pytest.raises(SourceError, match=f"answered {status}"):
        await http().fetch("/a")
    assert server.asked == ["/a"]


async def test_an_endless_body_is_cut_at_the_limit(server, http):
    server.put_endless("/a")

    with pytest.raises(SourceError, match="more than 1,000 bytes"):
        await asyncio.wait_for(http().fetch("/a"), 10)


async def test_nothing_compressed_is_asked_for_or_taken(server, http):
    server.put("/a", gzip.compress(b" " * 10_000_000), content_encoding="gzip")

    with pytest.raises(SourceError, match="compressed"):
        await http().fetch("/a")
    assert "accept-encoding: identity" in server.heads[0]


async def test_a_silent_server_is_given_up_on(server, http):
    server.gate.clear()

    with pytest.raises(SourceError, match=r"did not come within 0\.05 s"):
        await http(seconds=0.05).fetch("/a")


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/a",
        "http://127.0.0.1:99999/a",
        "http://127.0.0.1:0/a",
        "http://a..b/a",
        f"http://{'x' * 70}.invalid/a",
        "http://-/a",
    ],
)
async def test_a_host_that_cannot_be_asked_is_an_error(http, url):
    with pytest.raises(SourceError, match="cannot be had"):
        await http("").fetch(url)


async def test_no_message_shows_the_password_of_a_base(server, http):
    server.put("/a", b"", 500)
    base = server.url.replace("http://", "http://user:secret@")

    with pytest.raises(SourceError) as caught:
        await http(base).fetch("/a")

    assert "authorization: basic" in server.heads[0]
    assert "secret" not in str(caught.value)


def test_a_url_is_shown_without_user_and_password():
    assert without_password("https://u:p@host/a@b") == "https://host/a@b"
    assert without_password("https://host/a") == "https://host/a"


@pytest.mark.parametrize("base", ["http://", "http://host?x=", "http://host/a#b", "http://ho st"])
async def test_a_base_that_is_none_is_a_problem_of_the_configuration(http, base):
    with pytest.raises(ConfigError, match="is no base for paths"):
        http(base)
