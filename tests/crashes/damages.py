"""Damage of a file, and an interruption of this process, for the tests of stored files."""

import os
from pathlib import Path

import pytest


def flip_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def interrupt_after(patch: pytest.MonkeyPatch, call: str, num_calls: int) -> None:
    """Let a function of `os` raise a KeyboardInterrupt after this many calls."""
    original = getattr(os, call)
    left = iter(range(num_calls))

    def interrupt(*args: object, **options: object) -> object:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return original(*args, **options)

    patch.setattr(os, call, interrupt)
