"""A file shows by its own checksum whether it is as it was written."""

import json

import pytest

from rnn_pipelines.errors import FormatError
from rnn_pipelines.storage.formats import (
    BLANK,
    KEY,
    dump_object,
    embed_checksum,
    has_checksum,
    read_object,
)

FIELDS = {"format": 1, "reasons": ["it is 3 % better", f'"{KEY}": "{BLANK}"'], "loss": 0.125}


def test_object_comes_back_without_its_checksum() -> None:
    assert (
        read_object(dump_object(FIELDS), "it")
        == read_object(dump_object(FIELDS).decode(), "it")
        == FIELDS
    )


def test_object_without_checksum_is_read() -> None:
    # A list of checksums has that of the file.
    content = json.dumps(FIELDS).encode()
    assert not has_checksum(content)
    assert read_object(content, "it") == FIELDS


def test_only_the_last_blank_holds_the_checksum() -> None:
    # The values of a Parquet file come before their description.
    content = embed_checksum(f'values "{KEY}": "{BLANK}" end "{KEY}": "{BLANK}" end'.encode())
    assert content.count(BLANK.encode()) == 1
    assert has_checksum(content)


def test_a_change_is_found_by_the_checksum() -> None:
    # The values of a Parquet file come before their description.
    content = embed_checksum(f'values "{KEY}": "{BLANK}" end "{KEY}": "{BLANK}" end'.encode())
    with pytest.raises(ValueError, match="changed after it was written"):
        has_checksum(content.replace(b"values", b"valued"))


def test_every_flipped_bit_is_found_or_harmless() -> None:
    content = dump_object(FIELDS)
    num_harmless = 0
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        try:
            found = read_object(bytes(damaged), "it")
        except (ValueError, FormatError):
            continue
        assert {name: found[name] for name in FIELDS} == FIELDS
        num_harmless += 1
    # Those of the name of the checksum.
    assert num_harmless <= 8 * len(KEY)
