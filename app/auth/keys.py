"""API keys: random, and known here only by their hashes."""

import hmac
import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256

PREFIX = "slw_"
BYTES = 32
_INDEX = 4

HASH = re.compile(r"sha256:[0-9a-f]{64}")


def new_key() -> str:
    """Return a new key of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(BYTES)


def hash_of(key: str) -> str:
    """Return what settings hold of a key. It is random, so that one round of a hash is enough."""
    return f"sha256:{sha256(key.encode()).hexdigest()}"


class ApiKeys:
    """Knows whose key it is. `hashes` maps each subject to the hashes of its keys."""

    def __init__(self, hashes: Mapping[str, Sequence[str]]) -> None:
        # The first bytes find a key among thousands. Whoever measures how long that takes learns
        # of a hash, which nobody can choose a key for.
        self._known: dict[bytes, list[tuple[bytes, str]]] = {}
        for subject, digest in _pairs(hashes):
            self._known.setdefault(digest[:_INDEX], []).append((digest, subject))

    def subject_of(self, key: str) -> str | None:
        """Return whose key it is, None if it is nobody's."""
        digest = sha256(key.encode()).digest()
        found = None
        for known, subject in self._known.get(digest[:_INDEX], ()):
            if hmac.compare_digest(known, digest):
                found = subject
        return found


def _pairs(hashes: Mapping[str, Sequence[str]]) -> Iterable[tuple[str, bytes]]:
    for subject, several in hashes.items():
        for each in several:
            yield subject, bytes.fromhex(each.removeprefix("sha256:"))
