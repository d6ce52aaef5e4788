"""The next values as an Excel file: history, forecasts and intervals of each series, with charts.

Importing openpyxl takes a moment, so that this module is imported in functions.
"""

from collections.abc import Mapping
from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.chart import Reference, ScatterChart
from openpyxl.chart import Series as Line
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from rnn_pipelines.errors import RunError
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.report.next_values import restore_numbers, tabulate_used
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.forecast.source.table_form import FORECAST, TIME, TableForm

VALUES, CHARTS = "values", "charts"
# Rows of a sheet, without the header.
MAX_ROWS = 1_048_575
# Series with a chart, and the newest rows of their history in it.
MAX_CHARTS, MAX_HISTORY = 12, 200
# Of a chart, in centimetres, and the rows of the sheet that it covers.
CHART_SIZE = (28, 10)
CHART_ROWS = 21
# Excel has no earlier dates.
FIRST_TIME = pd.Timestamp("1900-03-01")
# Of the lines, by column; widths in units of Excel.
COLORS = {"y": "444444", FORECAST: "1F5FBF"}
WIDTHS = {"y": 15_000, FORECAST: 30_000}
BOUND_COLOR, BOUND_WIDTH = "8FB4E8", 12_000


def write_workbook(series: Series, next_values: Predictions, form: TableForm) -> bytes:
    """Return an Excel file with the columns of the user's file, whose form is given.

    Raises:
        RunError: a sheet has too few rows for the forecasts.
    """
    forecasts = tabulate_used(next_values)
    history = series.loc[series["observed"], [ID, TIME, "y"]]
    rows = pd.concat([_leave_newest(history, forecasts), forecasts])
    # The names of series are numbers in one of the tables only.
    rows = rows.assign(**{ID: rows[ID].astype("str")})
    order = pd.Index(pd.concat([forecasts, history])[ID].astype("str").unique())
    rows = rows.sort_values(ID, key=order.get_indexer, kind="stable", ignore_index=True)
    rows = restore_numbers(rows)
    target = "value" if form.wide else form.target
    table = form.name_results(rows.rename(columns={"y": target}))
    book = Workbook(write_only=True)
    charts = book.create_sheet(CHARTS)
    sheet = book.create_sheet(VALUES)
    sheet.freeze_panes = "A2"
    sheet.append([_make_cell(name, sheet, form) for name in table])
    for row in table.itertuples(index=False):
        sheet.append([_make_cell(value, sheet, form) for value in row])
    # The columns of the sheet by those of the results; a single series has no column of names.
    shift = 1 + len(table.columns) - len(rows.columns)
    places = {name: place + shift for place, name in enumerate(rows.columns)}
    starts = np.flatnonzero(rows[ID] != rows[ID].shift())
    for number, (start, stop) in enumerate(list(pairwise([*starts, len(rows)]))[:MAX_CHARTS]):
        num_values = int(rows["y"].iloc[start:stop].notna().sum())
        span = (start + max(0, num_values - MAX_HISTORY), stop)
        chart = _draw_chart(sheet, places, span)
        chart.title = target if len(starts) == 1 else f"{rows[ID].iloc[start]}: {target}"
        chart.title.overlay = False
        chart.x_axis.number_format = form.excel_format
        charts.add_chart(chart, f"A{1 + number * CHART_ROWS}")
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def _leave_newest(history: pd.DataFrame, forecasts: pd.DataFrame) -> pd.DataFrame:
    """Return the newest rows of each series that fit on a sheet with the forecasts."""
    num_left = MAX_ROWS - len(forecasts)
    if num_left < 0:
        raise RunError(
            f"Excel: a sheet holds {MAX_ROWS:,} rows, and there are {len(forecasts):,} forecasts. Read next_values.csv."
        )
    if len(history) <= num_left:
        return history
    return history.groupby(ID, sort=False).tail(num_left // history[ID].nunique())


def _make_cell(value: Any, sheet: WriteOnlyWorksheet, form: TableForm) -> Any:
    if isinstance(value, pd.Timestamp):
        # As shown: Excel has no time zones.
        value = value.tz_localize(None)
        if value >= FIRST_TIME:
            cell = WriteOnlyCell(sheet, value.to_pydatetime())
            cell.number_format = form.excel_format
            return cell
        value = str(value)
    if isinstance(value, str):
        cell = WriteOnlyCell(sheet, ILLEGAL_CHARACTERS_RE.sub("", value))
        # A text that begins with = is no formula.
        cell.data_type = "s"
        return cell
    return value if np.isfinite(value) else None


def _draw_chart(
    sheet: WriteOnlyWorksheet, places: Mapping[str, int], span: tuple[int, int]
) -> ScatterChart:
    """Return the chart of some rows of a sheet, from the first one below its header."""
    chart = ScatterChart(scatterStyle="lineMarker")
    chart.width, chart.height = CHART_SIZE
    # Excel hides axes unless they are to be kept.
    chart.x_axis.delete = False
    chart.y_axis.delete = False
    chart.legend.position = "b"

    def refer(column: str) -> Reference:
        return Reference(sheet, min_col=places[column], min_row=span[0] + 2, max_row=span[1] + 1)

    for column in (name for name in places if name not in (ID, TIME)):
        line = Line(refer(column), refer(TIME), title="history" if column == "y" else column)
        line.marker.symbol = "none"
        line.smooth = False
        line.graphicalProperties.line.solidFill = COLORS.get(column, BOUND_COLOR)
        line.graphicalProperties.line.width = WIDTHS.get(column, BOUND_WIDTH)
        chart.series.append(line)
    return chart
