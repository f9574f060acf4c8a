"""Where schema documents come from: a folder, or an http server."""

import asyncio
import errno
import logging
import os
import re
import stat
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import httpx

from app.core.errors import ConfigError
from app.schemas.uris import EXTENSIONS

logger = logging.getLogger(__name__)

_BASE = re.compile(r"https?://[^\s/?#]+(?:/[^\s?#]*)?")

# Beside its own errors httpx lets through what it meets in odd host names, and (from tasks of its
# own, so in a group) in odd ports.
_HTTP_ERRORS = (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, ExceptionGroup)

OK = 200
NOT_THERE = frozenset((404, 410))
# What a path answers that leads to nothing we could read: through a file, too long, to a socket.
_NO_SUCH_FILE = frozenset(
    (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP, errno.ENXIO)
)


class SourceError(Exception):
    """A source cannot tell whether it has a document; the message says why."""


class DocumentError(SourceError):
    """A source has a document, and it is too much to be read: its author has to mend it."""


class SchemaSource(Protocol):
    """A repository of schema documents."""

    async def fetch(self, path: str) -> bytes | None:
        """Return the text at a canonical path, None if there is none; raises SourceError."""
        ...


class FileSource:
    """A folder. Links may point within it; devices and what lies outside are not read."""

    def __init__(self, folder: str, *, max_bytes: int) -> None:
        """Find the folder; raises ConfigError."""
        self._folder = folder
        self._max_bytes = max_bytes
        try:
            self._base = Path(_path_of(folder)).resolve(strict=True)
        except OSError as error:
            raise ConfigError(
                f"schemas.base_uris: {folder} cannot be read: {error.strerror or error}."
            ) from error
        if not self._base.is_dir():
            raise ConfigError(f"schemas.base_uris: {folder} is not a folder.")

    async def fetch(self, path: str) -> bytes | None:
        """See SchemaSource."""
        return await asyncio.to_thread(self._read, path)

    def _read(self, path: str) -> bytes | None:
        for extension in ("", *EXTENSIONS):
            file = self._base / f"{path.removeprefix('/')}{extension}"
            try:
                text = self._read_file(file)
            except RuntimeError:  # links in a circle, up to Python 3.12
                text = None
            except OSError as error:
                if error.errno in _NO_SUCH_FILE:
                    continue
                raise SourceError(f"{file} cannot be read: {error.strerror or error}") from error
            if text is not None:
                return text
        return None

    def _read_file(self, file: Path) -> bytes | None:
        real = file.resolve(strict=True)
        if not real.is_relative_to(self._base):
            logger.warning(
                "A schema is not read: it lies outside of its repository.",
                extra={"repository": self._folder, "file": str(file)},
            )
            return None
        # Not waiting for a pipe, nor following a link put there since: what is opened counts.
        descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            with os.fdopen(descriptor, "rb", closefd=False) as opened:
                text = opened.read(self._max_bytes + 1)
        finally:
            os.close(descriptor)
        if len(text) > self._max_bytes:
            raise DocumentError(f"{file} has more than {self._max_bytes:,} bytes")
        return text


class HttpSource:
    """An http(s) server. No redirect is followed; size and time are limited.

    An empty `base` takes absolute URIs as paths. `timeout` bounds each fetch, in seconds.
    """

    def __init__(
        self, base: str, *, client: httpx.AsyncClient, max_bytes: int, timeout: float
    ) -> None:
        """Check the base; raises ConfigError."""
        if base and not _BASE.fullmatch(base):
            raise ConfigError(
                f"schemas.base_uris: {without_password(base)} is no base for paths: write it like "
                "https://schemas.example.org/jsonschema."
            )
        self._base = base.rstrip("/")
        self._client = client
        self._max_bytes = max_bytes
        self._timeout = timeout

    async def fetch(self, path: str) -> bytes | None:
        """See SchemaSource."""
        # Servers that list a repository have extensionless links; plain ones may have files only.
        try:
            async with asyncio.timeout(self._timeout):
                for extension in ("", EXTENSIONS[0], EXTENSIONS[2]):
                    text = await self._get(f"{self._base}{path}{extension}")
                    if text is not None:
                        return text
        except TimeoutError as error:
            shown = without_password(f"{self._base}{path}")
            raise SourceError(f"{shown} did not come within {self._timeout:g} s") from error
        return None

    async def _get(self, url: str) -> bytes | None:
        shown = without_password(url)
        try:
            # Not compressed: a few bytes must not become more than the limit before they count.
            async with self._client.stream(
                "GET", url, headers={"accept-encoding": "identity"}, follow_redirects=False
            ) as answer:
                if answer.status_code in NOT_THERE:
                    return None
                if answer.status_code != OK:
                    raise SourceError(f"{shown} answered {answer.status_code}")
                if answer.headers.get("content-encoding", "identity") != "identity":
                    raise SourceError(f"{shown} answered compressed, which was not asked for")
                text = bytearray()
                async for part in answer.aiter_raw():
                    text += part
                    if len(text) > self._max_bytes:
                        raise SourceError(f"{shown} has more than {self._max_bytes:,} bytes")
                return bytes(text)
        except _HTTP_ERRORS as error:
            why = type(error).__name__
            raise SourceError(f"{shown} cannot be had: {why}") from error


def without_password(url: str) -> str:
    """Return a URL for people, without the user and password that it may hold."""
    scheme, mark, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def _path_of(folder: str) -> str:
    if not folder.lower().startswith("file:"):
        return folder
    parts = urlsplit(folder)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/"):
        raise ConfigError(f"schemas.base_uris: {folder} is no file on this machine.")
    return unquote(parts.path)
