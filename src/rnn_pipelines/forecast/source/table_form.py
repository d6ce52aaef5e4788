"""The form of the user's table: the names of its columns, and how it writes times and numbers."""

import re
from typing import Any

import pandas as pd
from pydantic import BaseModel

from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.forecast.source.specs import TARGET, Found, SourceSpec
from rnn_pipelines.reading.dialect import SIGNS
from rnn_pipelines.storage.spreadsheets import write_csv

# The column of the times in results.
TIME = "ds"
# The column of the names of series in results of a table without such a column.
SERIES = "series"
# The column of the forecasts in use in results with the columns of the file.
FORECAST = "forecast"
# The last time of a total.
UNTIL = "until"
# Directives of strftime that are written alike in all languages, and those of Excel in place of them.
_DIRECTIVES = set("YmdHMSfqyGVujIpzZ")
_OF_EXCEL = {"%Y": "yyyy", "%y": "yy", "%m": "mm", "%d": "dd", "%H": "hh", "%M": "mm", "%S": "ss"}


class TableForm(BaseModel, extra="forbid", frozen=True):
    """The names of a table's columns, and how it writes times and numbers.

    Attributes:
        time, target, id, unavailable: its columns.
        wide: whether each column of numbers is a series; `target` is not one then.
        time_format: strftime pattern of its times; None for ISO 8601.
        decimal: sign in its numbers.
        sep: sign between its cells.
    """

    time: str = TIME
    target: str = TARGET
    id: str | None = None
    unavailable: str | None = None
    wide: bool = False
    time_format: str | None = None
    decimal: str = "."
    sep: str = ","

    @property
    def source(self) -> dict[str, Any]:
        """The columns as parameters of `source`; a wide table is read by the names of the series."""
        return {
            "time": self.time,
            "target": TARGET if self.wide else self.target,
            "id": None if self.id == ID else self.id,
            "unavailable": self.unavailable,
        }

    def fits(self, source: SourceSpec) -> bool:
        """Return whether a source has the columns of the table."""
        return all(getattr(source, name) == column for name, column in self.source.items())

    def name_columns(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a table of a user with the columns of the file, in which ds, y and unique_id may stand for them."""
        columns = self.source
        standard = {TIME: columns["time"], TARGET: columns["target"], ID: columns["id"]}
        names = {
            name: column
            for name, column in standard.items()
            if column is not None and name in frame and column not in frame
        }
        return frame.rename(columns=names)

    def name_results(self, table: pd.DataFrame, use: str = FORECAST) -> pd.DataFrame:
        """Return results with the columns of the file, and `forecast, lo-80, hi-80` of the method in use.

        A file without names of series has none in the results.
        """
        names = {ID: self.id or SERIES, TIME: self.time, use: FORECAST}
        names |= {
            column: column.removeprefix(f"{use}-")
            for column in table
            if re.fullmatch(rf"{re.escape(use)}-(lo|hi)-[0-9]+", column)
        }
        if self.id is None and ID in table and table[ID].nunique() <= 1:
            table = table.drop(columns=ID)
        named = table.rename(columns=names)
        # A column of the file can have the name of a result.
        return named if named.columns.is_unique else table

    def write_csv(self, table: pd.DataFrame, use: str = FORECAST) -> bytes:
        """Return results as CSV, see `name_results`, with times and signs as the file writes them."""
        form = self.time_format
        for name in (TIME, UNTIL):
            if form is not None and name in table and table[name].dtype.kind == "M":
                times = [
                    time.strftime(form.replace("%q", str(time.quarter))) for time in table[name]
                ]
                table = table.assign(**{name: times})
        return write_csv(self.name_results(table, use), self.sep, self.decimal)

    @property
    def excel_format(self) -> str:
        """The format of times in Excel."""
        form = re.sub("%.", lambda part: _OF_EXCEL.get(part[0], "%"), self.time_format or "%")
        return "yyyy-mm-dd" if "%" in form else form


def describe_form(source: SourceSpec, found: Found, times: pd.Series | None) -> TableForm:
    """Return the form of a table.

    Args:
        source: its parameters.
        found: those that were detected.
        times: as written; None if they are in several columns.
    """
    form = None if times is None else source.time_format or found.get("time_format")
    if times is not None and form is None and _are_months(times):
        form = "%Y-%m"
    directives = {part[1] for part in re.findall("%.", form or "")}
    signs = _read_signs(source, found)
    if signs["decimal"] == signs["sep"]:
        signs["sep"] = ";"
    return TableForm(
        time=source.time,
        target=source.target,
        id=source.id,
        unavailable=source.unavailable,
        wide=source.is_wide,
        time_format=form if directives and directives <= _DIRECTIVES else None,
        **signs,
    )


def _are_months(times: pd.Series) -> bool:
    return times.head(1).astype("str").str.fullmatch("[0-9]{4}-[0-9]{2}").all()


def _read_signs(source: SourceSpec, found: Found) -> dict[str, str]:
    signs = {}
    for name, usual in (("decimal", "."), ("sep", ",")):
        sign = getattr(source, name) or found.get(name, usual)
        signs[name] = SIGNS.get(sign, sign)
    return signs
