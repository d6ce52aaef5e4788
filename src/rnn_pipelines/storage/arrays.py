"""Arrays as the bytes of an `.npz` file; nothing is pickled."""

import io
from collections.abc import Collection, Mapping
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


def check_finite(arrays: Mapping[str, Any], can_be_infinite: Collection[str] = ()) -> None:
    """Raise a ValueError that names the array if one holds NaN, or an infinite number, which some arrays may hold."""
    for name, values in arrays.items():
        array = np.asarray(values)
        if array.dtype.kind != "f":
            continue
        is_wrong = np.isnan(array) if name in can_be_infinite else ~np.isfinite(array)
        if is_wrong.any():
            raise ValueError(f"{name} holds numbers that are not finite")
