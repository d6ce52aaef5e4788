"""Rows of a table as values for JSON."""

from typing import TYPE_CHECKING, Any

from rnn_pipelines.champion.records import make_plain

if TYPE_CHECKING:
    import pandas as pd


def list_rows(table: "pd.DataFrame") -> list[dict[str, Any]]:
    """Return a record for each row: times as text, numbers that are not finite as None."""
    times = {name: str for name in table if table[name].dtype.kind == "M"}
    rows: list[dict[str, Any]] = make_plain(table.astype(times).to_dict(orient="records"))
    return rows
