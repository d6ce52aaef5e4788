"""Texts in tables that are saved as files; see `postgres_table` for those of a database."""

import pandas as pd
from kedro.io.core import DatasetError

from rnn_pipelines.errors import show
from rnn_pipelines.reading.user_files import find_broken


def refuse_broken_texts(data: pd.DataFrame, label: str) -> None:
    """Raises a DatasetError for a text with half a sign (a lone surrogate), which no file can hold.

    Args:
        data: what is to be saved.
        label: of the file, for the message.
    """
    broken = find_broken(data)
    if broken:
        name, row = broken
        raise DatasetError(
            f"{label}: column {show(name)}, row {row}: expected a text that UTF-8 can hold, received "
            f"{show(data[name].iloc[row - 1])}. Correct the text where it comes from."
        )
