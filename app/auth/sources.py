"""Where an issuer's keys come from: a file, or an HTTP server."""

import asyncio
import ssl
from pathlib import Path

import httpx

from app.auth.jwks import JwksError
from app.core.errors import ConfigError

MAX_BYTES = 256 * 1024

_FAILURES = (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, OSError, ValueError)


class JwksFile:
    """A JWKS on this machine."""

    remote = False

    def __init__(self, path: str, *, max_bytes: int = MAX_BYTES) -> None:
        self.name = path
        self._path = Path(path)
        self._max_bytes = max_bytes

    async def fetch(self) -> bytes:
        """Return the file's content, or raise JwksError."""
        return await asyncio.to_thread(self._read)

    def _read(self) -> bytes:
        try:
            with self._path.open("rb") as file:
                content = file.read(self._max_bytes + 1)
        except OSError as error:
            raise JwksError(f"it cannot be read: {error.strerror or error}") from error
        if len(content) > self._max_bytes:
            raise JwksError(f"it is larger than {self._max_bytes:,} bytes")
        return content


class JwksUrl:
    """A JWKS on an HTTP server. Redirects are not followed; `timeout` is in seconds, for all."""

    remote = True

    def __init__(self, url: str, *, timeout: float = 5.0, max_bytes: int = MAX_BYTES) -> None:
        try:
            self.name = str(httpx.URL(url).copy_with(userinfo=b"", query=None))
        except (httpx.InvalidURL, ValueError) as error:
            raise ConfigError("auth.jwt.jwks: this URI cannot be read.") from error
        self._url = url
        self._timeout = timeout
        self._max_bytes = max_bytes
        self._tls: ssl.SSLContext | None = None

    async def fetch(self) -> bytes:
        """Return the answer's body, or raise JwksError."""
        try:
            async with asyncio.timeout(self._timeout):
                return await self._body()
        except TimeoutError as error:
            raise JwksError(f"it did not answer within {self._timeout:g} s") from error
        except _FAILURES as error:
            raise JwksError(f"it cannot be fetched: {type(error).__name__}") from error

    async def _body(self) -> bytes:
        if self._tls is None:
            # Reading the certificates takes tens of milliseconds.
            self._tls = await asyncio.to_thread(httpx.create_ssl_context)
        # Not compressed, so that no byte read is more than one byte.
        headers = {
            "accept": "application/jwk-set+json, application/json",
            "accept-encoding": "identity",
            "user-agent": "sluiceway",
        }
        content = bytearray()
        async with (
            httpx.AsyncClient(verify=self._tls, timeout=self._timeout) as client,
            client.stream("GET", self._url, headers=headers) as response,
        ):
            if response.status_code != httpx.codes.OK:
                raise JwksError(f"it was answered with status {response.status_code}")
            async for chunk in response.aiter_raw():
                content += chunk
                if len(content) > self._max_bytes:
                    raise JwksError(f"it is larger than {self._max_bytes:,} bytes")
        return bytes(content)
