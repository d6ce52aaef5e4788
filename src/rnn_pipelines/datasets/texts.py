"""Check of texts in tables that are saved as files; `postgres_table` has the check for databases."""

import pandas as pd
from kedro.io.core import DatasetError

from rnn_pipelines.errors import show
from rnn_pipelines.reading.user_files import find_broken


def refuse_broken_texts(data: pd.DataFrame, label: str) -> None:
    """Raise a DatasetError for the first text with a lone surrogate, which UTF-8 cannot encode.

    Args:
        label: the file, for the message.
    """
    broken = find_broken(data)
    if broken:
        name, row, cell = broken
        raise DatasetError(
            f"{label}: column {show(name)}, row {row}: expected a text that UTF-8 can hold, received "
            f"{show(cell)}. Correct the text at its source."
        )
