"""Types of tables: columns with their kinds, and the key; every table is validated against its type.

Not pandera, because its import adds 0.3 s of processor time to every command (decision 15).
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from rnn_pipelines.errors import RnnPipelinesError, TableError

# NumPy's letters for each kind (`dtype.kind`); pandas' texts have the letter of objects.
LETTERS = {
    "text": "OUT",
    "category": "O",
    "time": "M",
    "step": "i",
    "moment": "Mi",
    "int": "iu",
    "float": "f",
    "bool": "b",
}
# A dtype of each kind, for tables without rows.
DTYPES = {
    "text": "str",
    "category": "category",
    "time": "datetime64[us]",
    "step": "int64",
    "moment": "datetime64[us]",
    "int": "int64",
    "float": "float64",
    "bool": "bool",
}


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    # `text`, `category`, `time` (datetime64), `step` (int64), `moment` (a time or a step), `int`, `float` or `bool`
    kind: str
    is_optional: bool = False  # the table may be without it
    can_be_empty: bool = False  # values may be missing
    can_be_infinite: bool = False  # values may be infinite, because a later step reports them

    def __set_name__(self, table: "type[Table]", name: str) -> None:
        """Add the column to those of the table whose class attribute it is."""
        table.columns = {**table.columns, name: self}


class Table:
    """Base class of the types of tables; the class attributes are the columns: `y = Column("float")`.

    Functions annotate such tables with `Annotated[pd.DataFrame, SeriesTable]`. A catalog entry with the type as its
    `validator` validates its table at each load and save.
    """

    # The columns of the type and of its base classes.
    columns: ClassVar[dict[str, Column]] = {}
    # Columns of which there may be any number, by the prefix of their names.
    families: ClassVar[dict[str, Column]] = {}
    # Columns whose values are unique together, and never missing.
    key: ClassVar[tuple[str, ...]] = ()
    # Whether the rows are sorted by the key.
    is_sorted: ClassVar[bool] = False
    # The error for a table that does not match.
    error: ClassVar[type[RnnPipelinesError]] = TableError

    @classmethod
    def validate(cls, data: pd.DataFrame) -> pd.DataFrame:
        """Validate a table and return it unchanged.

        Raise a TableError, or the type's own `error`, if a column is missing, unknown or of another kind, a value is
        missing or infinite, a key is repeated, or the rows are not sorted.
        """
        name = cls.__name__
        if not isinstance(data, pd.DataFrame) or not cls._has_columns(data):
            received = (
                dict(data.dtypes.astype(str))
                if isinstance(data, pd.DataFrame)
                else type(data).__name__
            )
            raise cls.error(f"{name}: expected the columns {cls.describe()}, received {received}.")
        for name_of_column in data.columns:
            values = data[name_of_column]
            column = cls._find_column(name_of_column)
            is_wrong = (
                pd.Series(False, index=values.index) if column.can_be_empty else values.isna()
            )
            if column.kind == "float" and not column.can_be_infinite:
                is_wrong |= np.isinf(values)
            cls._check_rows(data, is_wrong, f"{name_of_column} is missing or infinite")
        if cls.key:
            cls._check_rows(
                data, data.duplicated(list(cls.key)), f"the same {', '.join(cls.key)} a second time"
            )
        if cls.is_sorted and not data[list(cls.key)].equals(
            data[list(cls.key)].sort_values(list(cls.key))
        ):
            raise cls.error(f"{name}: the rows are not sorted by {', '.join(cls.key)}.")
        return data

    @classmethod
    def make_empty(cls) -> pd.DataFrame:
        """Return a table without rows, with every column that is not optional."""
        needed = {name: column for name, column in cls.columns.items() if not column.is_optional}
        return pd.DataFrame(
            {name: pd.Series(dtype=DTYPES[column.kind]) for name, column in needed.items()}
        )

    @classmethod
    def describe(cls) -> str:
        """Return the columns with their kinds, for messages."""
        families = {f"{beginning}…": column for beginning, column in cls.families.items()}
        return ", ".join(
            f"{name} ({column.kind}{', optional' if column.is_optional or name in families else ''})"
            for name, column in {**cls.columns, **families}.items()
        )

    @classmethod
    def is_in_family(cls, name: str) -> bool:
        """Return whether a column belongs to a family, of which there may be any number of columns."""
        return name not in cls.columns and name.startswith(tuple(cls.families))

    @classmethod
    def _find_column(cls, name: str) -> Column:
        if name in cls.columns:
            return cls.columns[name]
        return next(
            column for beginning, column in cls.families.items() if name.startswith(beginning)
        )

    @classmethod
    def _has_columns(cls, data: pd.DataFrame) -> bool:
        needed = {name for name, column in cls.columns.items() if not column.is_optional}
        known = {name for name in data.columns if name in cls.columns or cls.is_in_family(name)}
        return needed <= known == set(data.columns) and all(
            _is_of_kind(data[name], cls._find_column(name).kind) for name in data.columns
        )

    @classmethod
    def _check_rows(cls, data: pd.DataFrame, wrong: pd.Series, why: str) -> None:
        if wrong.any():
            raise cls.error(
                f"{cls.__name__}: {why}, first in {data[wrong.to_numpy()].iloc[0].to_dict()}."
            )


def _is_of_kind(values: pd.Series, kind: str) -> bool:
    if kind == "category":
        return isinstance(values.dtype, pd.CategoricalDtype)
    return values.dtype.kind in LETTERS[kind]
