"""What benchmarks ask of their options."""

from __future__ import annotations

import argparse


def positive(word: str) -> int:
    """Return ``word`` as a whole number above zero; argparse says which option is wrong, with exit code 2."""
    if not word.isdecimal() or int(word) < 1:
        raise argparse.ArgumentTypeError(f"{word!r} is no whole number above zero; give 1 or more")
    return int(word)


def numbers(words: str) -> list[int]:
    """Return ``words``, separated by commas, as whole numbers above zero."""
    return [positive(word) for word in words.split(",")]
