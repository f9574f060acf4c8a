"""Inputs made of others by chance: for short runs, and where no guided fuzzer is installed."""

import random
from collections.abc import Iterator

TOKENS = (
    *(b"{}", b"[]", b'""', b",", b":", b"\\", b"\\u", b"\\ud83d", b"null", b"NaN", b"-", b"e"),
    *(b".", b"1e400", b"18446744073709551616", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80"),
    *(b"%", b"%7B", b";", b"\t", b"\n", b'"schema"', b'"meta"', b'"event"', b'"$schema"'),
)
MAX_SIZE = 4_096


def mutations(seeds: list[bytes], seed: int) -> Iterator[bytes]:
    """Yield the seeds, and then changed and joined ones without end; the same for the same seed."""
    yield from seeds
    chance = random.Random(seed)
    while True:
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 4)):
            _change(data, chance, seeds)
        yield bytes(data[:MAX_SIZE])


def _change(data: bytearray, chance: random.Random, seeds: list[bytes]) -> None:
    start = chance.randint(0, len(data))
    end = min(len(data), start + chance.choice((0, 1, 2, 8)))
    match chance.randint(0, 4):
        case 0:
            data[start:end] = b""
        case 1:
            data[start:end] = bytes([chance.randrange(256)])
        case 2:
            data[start:start] = chance.choice(TOKENS)
        case 3:
            data[start:start] = data[start:end] * chance.choice((2, 70))
        case _:
            other = chance.choice(seeds)
            data[start:end] = other[: chance.randint(0, len(other))]
