"""A checksum of a file inside the file itself, so that content and checksum are replaced in one step.

The file is written with zeros in place of the checksum, which is the sha256 of this content. So any changed bit is
found, in the values and in their description.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

KEY = "content_sha256"
BLANK = "0" * 64
# As `json.dumps` writes the key; inside a JSON text, the quotation marks would be escaped.
MARK = f'"{KEY}": "'.encode()


def embed_checksum(content: bytes) -> bytes:
    """Return the content of a file with its checksum.

    Args:
        content: with the JSON key `KEY` and the value `BLANK`, in UTF-8.
    """
    begin = _find(content)
    return b"".join([content[:begin], _measure(content, begin), content[begin + len(BLANK) :]])


def has_checksum(content: bytes) -> bool:
    """Return whether a file has a checksum.

    Raises:
        ValueError: it is not that of the content.
    """
    if MARK not in content:
        return False
    begin = _find(content)
    if content[begin : begin + len(BLANK)] != _measure(content, begin):
        raise ValueError("it changed after it was written")
    return True


def dump_object(fields: Mapping[str, Any]) -> bytes:
    """Return a JSON object with a checksum, which `read_object` checks and removes."""
    return embed_checksum(json.dumps({**fields, KEY: BLANK}, indent=2).encode())


def _find(content: bytes) -> int:
    # The last one, because the values of a Parquet file come before their description.
    return content.rindex(MARK) + len(MARK)


def _measure(content: bytes, begin: int) -> bytes:
    view = memoryview(content)
    digest = hashlib.sha256(view[:begin])
    digest.update(BLANK.encode())
    digest.update(view[begin + len(BLANK) :])
    return digest.hexdigest().encode()
