"""Arrays as the bytes of an `.npz` file; nothing is pickled."""

import io
from collections.abc import Mapping
from typing import Any

import numpy as np


def pack_arrays(arrays: Mapping[str, Any]) -> bytes:
    """Return a `.npz` file of arrays and numbers."""
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    return packed.getvalue()


def unpack_arrays(content: bytes) -> dict[str, np.ndarray]:
    """Return the arrays of a `.npz` file by name. Numbers become arrays without axes."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
