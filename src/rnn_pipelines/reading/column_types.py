"""Types of the columns of a table in several files, for all of its rows."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa


def join_types(kinds: "Iterable[pa.DataType]") -> "pa.DataType | None":
    """Return the type that holds the cells of a column of each type; None if there is none, as for numbers and texts.

    Texts of CSV files can be numbers.
    """
    import pyarrow as pa
    from pyarrow import types

    some = {kind for kind in kinds if not types.is_null(kind)} or {pa.string()}
    texts = {kind for kind in some if is_text(kind)}
    if len(some) == 1:
        return next(iter(some))
    if all(types.is_integer(kind) or types.is_floating(kind) for kind in some):
        return pa.from_numpy_dtype(np.result_type(*(kind.to_pandas_dtype() for kind in some)))
    if all(types.is_timestamp(kind) for kind in some) and len({kind.tz for kind in some}) == 1:
        units = ["s", "ms", "us", "ns"]
        return max(some, key=lambda kind: units.index(kind.unit))
    if all(types.is_decimal(kind) for kind in some):
        scale = max(kind.scale for kind in some)
        return pa.decimal256(max(kind.precision - kind.scale for kind in some) + scale, scale)
    # A date has the text of its day.
    return pa.string() if all(kind in texts or types.is_date32(kind) for kind in some) else None


def is_text(kind: "pa.DataType") -> bool:
    """Return whether cells are texts."""
    from pyarrow import types

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
