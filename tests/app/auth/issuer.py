"""An issuer of tokens, honest unless asked otherwise, and a server for its keys."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://login.example.org"
AUDIENCE = "sluiceway"
_JWS = jwt.PyJWS()
_ALGORITHMS = jwt.algorithms.get_default_algorithms()


@cache
def private_key(kind: str, name: str = "") -> Any:
    """A key that all tests share, since RSA keys take long to make."""
    match kind:
        case "RSA":
            return rsa.generate_private_key(65537, 2048)
        case "RSA-1024":
            return rsa.generate_private_key(65537, 1024)
        case "EC":
            return ec.generate_private_key(ec.SECP256R1())
        case _:
            return ed25519.Ed25519PrivateKey.generate()


def public_jwk(kind: str, kid: str | None, algorithm: str, name: str = "") -> dict[str, Any]:
    public = private_key(kind, name).public_key()
    jwk = _ALGORITHMS[algorithm].to_jwk(public, as_dict=True)
    return {**jwk, "use": "sig"} | ({"kid": kid} if kid is not None else {})


def public_pem(kind: str) -> bytes:
    public = private_key(kind).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def jwks(*keys: dict[str, Any]) -> bytes:
    return json.dumps({"keys": list(keys)}).encode()


def standard_jwks() -> bytes:
    return jwks(
        public_jwk("RSA", "rsa", "RS256"),
        public_jwk("EC", "ec", "ES256"),
        public_jwk("Ed25519", "ed", "EdDSA"),
    )


def claims(**changes: Any) -> dict[str, Any]:
    """Claims of a good token; None leaves one out."""
    now = int(time.time())
    whole = {"iss": ISSUER, "aud": AUDIENCE, "sub": "importer", "iat": now, "exp": now + 600}
    return {name: value for name, value in (whole | changes).items() if value is not None}


def token(
    kind: str = "RSA",
    algorithm: str = "RS256",
    kid: str | None = "rsa",
    head: dict[str, Any] | None = None,
    name: str = "",
    **changes: Any,
) -> str:
    """A token that is really signed, whatever it claims."""
    headers = ({} if kid is None else {"kid": kid}) | (head or {})
    payload = json.dumps(claims(**changes)).encode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a weak key is a case of ours
        return _JWS.encode(payload, private_key(kind, name), algorithm, headers=headers)


def forged(head: dict[str, Any], secret: bytes = b"", **changes: Any) -> str:
    """A token with any head, signed by HMAC with any secret, or with none."""
    signed = f"{_segment(head)}.{_segment(claims(**changes))}"
    if not secret:
        return f"{signed}."
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{_base64(digest)}"


def _segment(value: Any) -> str:
    return _base64(json.dumps(value).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class KeyServer:
    """Answers for the keys of an issuer, as it is told to; `hits` are the requests it got."""

    def __init__(self) -> None:
        self.hits = 0
        self.url = ""
        self.answer = b""
        self.respond(standard_jwks())
        self.gate = asyncio.Event()
        self.gate.set()

    def respond(self, body: bytes, status: str = "200 OK", headers: str = "") -> None:
        head = f"HTTP/1.1 {status}\r\n{headers}content-length: {len(body)}\r\n"
        self.answer = f"{head}connection: close\r\n\r\n".encode() + body

    async def __call__(self, reader: Any, writer: Any) -> None:
        self.hits += 1
        try:
            await reader.readuntil(b"\r\n\r\n")
            await self.gate.wait()
            writer.write(self.answer)
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client had enough
        finally:
            writer.close()


@asynccontextmanager
async def key_server() -> AsyncIterator[KeyServer]:
    server = KeyServer()
    listening = await asyncio.start_server(server, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    server.url = f"http://127.0.0.1:{port}/jwks.json"
    async with listening:
        yield server
        server.gate.set()
