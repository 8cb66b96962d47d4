"""Draws that anyone with the key can repeat and nobody without it can foresee.

A draw is a keyed BLAKE2b hash of what it is for, read as a number in [0, 1). The same words under the same key
give the same number for ever, on every machine; different words or keys give independent ones.
"""

from __future__ import annotations

from hashlib import blake2b

_BITS = 53  # what a float holds exactly


def _digest(key: bytes, words: tuple[str, ...], size: int) -> bytes:
    hashed = blake2b(key=blake2b(key).digest(), digest_size=size)
    for word in words:
        data = word.encode()
        hashed.update(len(data).to_bytes(8, "big"))  # so that ("ab", "c") is not ("a", "bc")
        hashed.update(data)
    return hashed.digest()


def uniform(key: bytes, *words: str) -> float:
    """Return a number in [0, 1), uniform over keys, for ``words``."""
    return float((int.from_bytes(_digest(key, words, 8), "big") >> (64 - _BITS)) / 2**_BITS)


def identifier(key: bytes, *words: str) -> str:
    """Return 32 hexadecimal digits (128 bits) for ``words`` that nobody without the key can guess."""
    return _digest(key, words, 16).hex()
