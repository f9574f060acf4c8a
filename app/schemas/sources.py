"""Where schema documents come from: a folder, or an http server."""

import asyncio
import logging
import os
import stat
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote, urlsplit

import httpx

from app.core.errors import ConfigError
from app.schemas.uris import EXTENSIONS

logger = logging.getLogger(__name__)

NOT_THERE = frozenset((404, 410))
OK = 200


class SourceError(Exception):
    """A source cannot tell whether it has a document; the message says why."""


class SchemaSource(Protocol):
    """A repository of schema documents."""

    name: str

    async def fetch(self, path: str) -> bytes | None:
        """Return the text at a canonical path, None if there is none; raises SourceError."""
        ...


class FileSource:
    """A folder. Links may point within it; devices and what lies outside are not read."""

    def __init__(self, folder: str, *, max_bytes: int) -> None:
        self.name = folder
        self._max_bytes = max_bytes
        path = unquote(urlsplit(folder).path) if folder.startswith("file://") else folder
        try:
            self._base = Path(path).resolve(strict=True)
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
            text = self._read_file(self._base / f"{path.removeprefix('/')}{extension}")
            if text is not None:
                return text
        return None

    def _read_file(self, file: Path) -> bytes | None:
        try:
            real = file.resolve(strict=True)
            if not real.is_relative_to(self._base):
                logger.warning(
                    "A schema is not read: it lies outside of its repository.",
                    extra={"repository": self.name, "file": str(file)},
                )
                return None
            # Not waiting for a pipe, nor following a link put there since: what is opened counts.
            descriptor = os.open(real, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError, RuntimeError):
            return None
        except OSError as error:
            raise SourceError(f"{file} cannot be read: {error.strerror or error}") from error
        with os.fdopen(descriptor, "rb") as opened:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                return None
            text = opened.read(self._max_bytes + 1)
        if len(text) > self._max_bytes:
            raise SourceError(f"{file} has more than {self._max_bytes:,} bytes")
        return text


class HttpSource:
    """An http(s) server. No redirect is followed; size and time are limited."""

    def __init__(self, base: str, *, client: httpx.AsyncClient, max_bytes: int) -> None:
        self.name = base
        self._base = base.rstrip("/")
        self._client = client
        self._max_bytes = max_bytes

    async def fetch(self, path: str) -> bytes | None:
        """See SchemaSource."""
        # Servers that list a repository have extensionless links; plain ones may have files only.
        for extension in ("", EXTENSIONS[0], EXTENSIONS[2]):
            text = await self._get(f"{self._base}{path}{extension}")
            if text is not None:
                return text
        return None

    async def _get(self, url: str) -> bytes | None:
        try:
            async with self._client.stream("GET", url) as answer:
                if answer.status_code in NOT_THERE:
                    return None
                if answer.status_code != OK:
                    raise SourceError(f"{url} answered {answer.status_code}")
                text = bytearray()
                async for part in answer.aiter_bytes():
                    text += part
                    if len(text) > self._max_bytes:
                        raise SourceError(f"{url} has more than {self._max_bytes:,} bytes")
                return bytes(text)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise SourceError(f"{url} cannot be had: {error or type(error).__name__}") from error
