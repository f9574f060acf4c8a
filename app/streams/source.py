"""Where a stream configuration comes from: a file, or an HTTP server such as MediaWiki's API."""

import asyncio
import logging
import random
import re
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

import httpx

from app import outgoing
from app.core.errors import ConfigError, IntakeError
from app.core.json import JsonError, loads, text_of
from app.core.yaml import YamlError, parse_yaml

logger = logging.getLogger(__name__)

MAX_BYTES = 4 * 1_048_576
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 10.0

NO_HEADERS: Mapping[str, str] = {}

_ACCEPT = "application/json, application/yaml;q=0.9, */*;q=0.1"
# Headers and URIs are checked at start; ValueError is what is left of what httpx says of them.
_FAILURES = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError)


class SourceError(IntakeError):
    """The stream configuration could not be read; the message says why."""


class StreamSource:
    """A document that holds a stream configuration; remembers nothing of it.

    `object_path` says where in the document, as dotted keys or as a list of keys. `timeout` is in
    seconds, for one attempt as a whole. `name` is the URI as people may see it.
    """

    def __init__(
        self,
        uri: str,
        *,
        object_path: str | Sequence[str] | None = None,
        headers: Mapping[str, str] = NO_HEADERS,
        timeout: float = 5.0,
        retries: int = 3,
        max_bytes: int = MAX_BYTES,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self.name = re.sub(r"(://)[^/?#]*@", r"\1***@", uri)
        self.remote = uri.lower().startswith(("http://", "https://"))
        self._uri = uri
        self._file = None if self.remote else _path_of(uri)
        self._path = object_path.split(".") if isinstance(object_path, str) else object_path or ()
        self._headers = _checked(uri, headers) if self.remote else httpx.Headers()
        self._timeout = timeout
        self._retries = retries
        self._max_bytes = max_bytes
        self._sleep = sleep
        self._jitter = jitter
        self._tls: ssl.SSLContext | None = None

    async def fetch(self) -> Any:
        """Return the configuration's value; raises SourceError.

        A remote source is tried again, after pauses that double and differ between processes.
        """
        for attempt in range(self._retries if self.remote else 0):
            try:
                return await self.fetch_once()
            except SourceError as error:
                logger.debug("The stream source is asked again.", extra={"problem": str(error)})
            pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2**attempt)
            await self._sleep(pause * (0.5 + self._jitter() / 2))
        return await self.fetch_once()

    async def fetch_once(self) -> Any:
        """Return the configuration's value, or raise SourceError at the first failure."""
        content = await self._download() if self.remote else await asyncio.to_thread(self._read)
        document = await asyncio.to_thread(_parsed, content)
        if "action=streamconfigs" in self._uri:
            _check_answer(document)
        for position, key in enumerate(self._path):
            if not isinstance(document, dict) or key not in document:
                path = ".".join(self._path[: position + 1])
                raise SourceError(f"it has no {path}, which streams.object_path asks for")
            document = document[key]
        return document

    def _read(self) -> bytes:
        assert self._file is not None
        try:
            with self._file.open("rb") as file:
                content = file.read(self._max_bytes + 1)
        except OSError as error:
            raise SourceError(f"it cannot be read: {error.strerror or error}") from error
        self._check_size(len(content))
        return content

    async def _download(self) -> bytes:
        try:
            async with asyncio.timeout(self._timeout):
                return await self._body()
        except TimeoutError as error:
            raise SourceError(f"it did not answer within {self._timeout:g} s") from error
        except _FAILURES as error:
            why = str(error) or type(error).__name__
            raise SourceError(f"it cannot be fetched: {why}") from error

    async def _body(self) -> bytes:
        if self._tls is None:
            # Reading the certificates takes tens of milliseconds.
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)
        content = bytearray()
        async with (
            outgoing.client(verify=self._tls, timeout=self._timeout) as client,
            client.stream("GET", self._uri, headers=self._headers) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise SourceError(_of_status(response))
            async for chunk in response.aiter_bytes():
                content += chunk
                self._check_size(len(content))
        return bytes(content)

    def _check_size(self, size: int) -> None:
        if size > self._max_bytes:
            raise SourceError(f"it is larger than {self._max_bytes:,} bytes")


def _path_of(uri: str) -> Path:
    if "://" not in uri and not uri.lower().startswith("file:"):
        return Path(uri)
    parts = urlsplit(uri)
    if parts.scheme.lower() != "file" or parts.netloc not in {"", "localhost"} or not parts.path:
        raise ConfigError(
            f"streams.uri: {uri} is neither a file nor a URI that begins with file:///, http:// "
            "or https://"
        )
    return Path(url2pathname(parts.path))


def _checked(uri: str, headers: Mapping[str, str]) -> httpx.Headers:
    try:
        host = httpx.URL(uri).host
        asked = httpx.Headers({"accept": _ACCEPT, "user-agent": "sluiceway"})
        asked.update(headers)
    except (httpx.InvalidURL, ValueError) as error:
        raise ConfigError(f"streams.uri or streams.headers: {error}") from error
    if not host:
        raise ConfigError(f"streams.uri: {uri} names no host")
    return asked


def _of_status(response: httpx.Response) -> str:
    where = response.headers.get("location")
    if response.has_redirect_location and where:
        return f"it is elsewhere (status {response.status_code}): set streams.uri to {where[:500]}"
    return f"it was answered with status {response.status_code}"


def _parsed(content: bytes) -> Any:
    try:
        return loads(content)
    except JsonError:
        pass  # not JSON then, or JSON with numbers that only YAML's reader takes
    try:
        return parse_yaml(content)
    except YamlError as error:
        raise SourceError(f"it is {text_of(str(error), 300)}") from error


def _check_answer(document: Any) -> None:
    """Look at an answer of MediaWiki's API, which has status 200 whatever happened."""
    if not isinstance(document, dict):
        return
    if "error" in document:
        raise SourceError(f"the API says {text_of(document['error'], 300)}")
    if "warnings" in document:
        logger.warning(
            "The API of the stream configuration has warnings.",
            extra={"warnings": text_of(document["warnings"], 500)},
        )
