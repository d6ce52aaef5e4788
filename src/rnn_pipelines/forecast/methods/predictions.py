"""Forecasts of a panel's windows, and their long tables in the unit of the data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Literal

import numpy as np
import pandas as pd

from rnn_pipelines.errors import TableError
from rnn_pipelines.forecast.series.rows import look_up
from rnn_pipelines.forecast.series.tables import Features, Scaler
from rnn_pipelines.forecast.windows.panel import Part, WindowedPanel
from rnn_pipelines.forecast.windows.scaling import unscale
from rnn_pipelines.reading.zones import show_table
from rnn_pipelines.storage.tables import Column, Table

# The key of a forecast of one forecaster.
KEY = ["unique_id", "cutoff", "ds"]
# Columns of bounds in a table of one forecaster, for any levels: lo_80, hi_80.
BOUNDS = dict.fromkeys(("lo_", "hi_"), Column("float", can_be_empty=True, can_be_infinite=True))
# Actuals outside the interval of this level are reported as anomalies. Each champion has this level.
ANOMALY_LEVEL = 99


class StepsTable(Table):
    """The forecast steps. `horizon_step` counts from 1 after the cut-off, the last time that a forecast reads."""

    unique_id = Column("text")
    cutoff = Column("moment")
    ds = Column("moment")
    horizon_step = Column("int")


class TargetsTable(StepsTable):
    """The forecast steps with actual values, missing if not observed, and with noise-free values if known."""

    y = Column("float", is_optional=True, can_be_empty=True)
    signal = Column("float", is_optional=True, can_be_empty=True)


class ForecastLogTable(StepsTable):
    """Forecasts in rows, with the model version and the time of each.

    `recorded_at` is in UTC. So are `cutoff` and `ds` of sub-daily series with a `source.tz`, so that joins with the
    series do not depend on clock changes. If the data are revised, a version forecasts the same steps from the same
    cut-off again, and both forecasts are kept: see `keep_first_record` and `keep_last_record`. Forecasts that are not
    finite stay in the log, because monitoring must find them. Bounds are missing if a version lacks the level, or had
    too few errors for it. A forecast `is_suspect` if a newest value of its series is gross; `suspect_reason` names the
    value, and is empty for other forecasts. Logs of earlier versions lack both, see `fill_marks`.
    """

    families = BOUNDS
    key = ("unique_id", "cutoff", "ds", "model_version", "recorded_at")
    y_hat = Column("float", can_be_empty=True, can_be_infinite=True)
    model_version = Column("text")
    recorded_at = Column("time")
    is_suspect = Column("bool", is_optional=True)
    suspect_reason = Column("text", is_optional=True)


RECORDED = "recorded_at"
SUSPECT, REASON = "is_suspect", "suspect_reason"
ForecastLog = Annotated[pd.DataFrame, ForecastLogTable]


def fill_marks(log: pd.DataFrame) -> ForecastLog:
    """Return the log with marks in all rows; rows of before the marks existed are not suspect."""
    marks = log.reindex(columns=[SUSPECT, REASON])
    is_suspect = marks[SUSPECT].eq(True).astype(bool)
    reason = marks[REASON].astype("str").fillna("")
    return log.assign(**{SUSPECT: is_suspect, REASON: reason})


def keep_first_record(log: ForecastLog) -> ForecastLog:
    """Return the first forecast on record of each step by each version: it was made without hindsight, so errors count.

    Later ones were made after a revision of the data, which may have brought newer knowledge. The rows are in the order
    of their records.
    """
    return _drop_others(log, "first")


def keep_last_record(log: ForecastLog) -> ForecastLog:
    """Return the last forecast on record of each step by each version: it is of the newest data, and is shown."""
    return _drop_others(log, "last")


def _drop_others(log: ForecastLog, keep: Literal["first", "last"]) -> ForecastLog:
    key = [name for name in ForecastLogTable.key if name != RECORDED]
    return log.sort_values(RECORDED, kind="stable").drop_duplicates(key, keep=keep)


@dataclass(frozen=True)
class Forecasts:
    """The forecasts of one forecaster for the test windows and the future."""

    test: np.ndarray  # float32[window, horizon], scaled, in the order of the panel's test windows
    future: np.ndarray  # float32[series, horizon], scaled, the steps after each series' end
    seconds: float = 0.0  # wall time of forecasting both


@dataclass(frozen=True)
class Predictions:
    """Forecasts of many forecasters side by side, in the series' unit; a TableError for other columns or dtypes."""

    # The columns of `TargetsTable`; for each forecaster a float column of point forecasts under its name, NaN for
    # missing ones; and, if it has intervals, two columns for each level (`gru-lo-80`, `gru-hi-80`).
    table: pd.DataFrame
    forecasters: tuple[str, ...]  # names, in the order of the columns
    levels: tuple[int, ...] = ()  # of the intervals, in percent
    use: str = "ensemble"  # the name of the forecaster in use

    def __post_init__(self) -> None:
        given = self.table.columns.intersection(list(TargetsTable.columns))
        TargetsTable.validate(self.table[given])
        pairs = [
            name_bounds(forecaster, level)
            for forecaster in self.forecasters
            for level in self.levels
        ]
        bounds = [name for pair in pairs if set(pair) <= set(self.table) for name in pair]
        expected = [*given, *self.forecasters, *bounds]
        floats = self.table.columns[[dtype.kind == "f" for dtype in self.table.dtypes]]
        if sorted(self.table) != sorted(expected) or not {*self.forecasters, *bounds} <= set(
            floats
        ):
            raise TableError(
                f"Predictions: expected the columns {TargetsTable.describe()}, float columns of the forecasters "
                f"{', '.join(self.forecasters) or 'none'} and pairs of bounds of the levels "
                f"{', '.join(map(str, self.levels)) or 'none'}; received {dict(self.table.dtypes.astype(str))}."
            )

    @property
    def errors(self) -> pd.DataFrame:
        """Actual minus point forecast, float64[row, forecaster]."""
        return self.table[list(self.forecasters)].rsub(self.table["y"], axis=0)

    def get_bounds(self, forecaster: str, level: int) -> pd.DataFrame:
        """Return the bounds of an interval, `lo, hi`, for each row; raise a TableError if it has no such level."""
        names = list(name_bounds(forecaster, level))
        if not set(names) <= set(self.table):
            raise TableError(f"Predictions: {forecaster} has no intervals of level {level}.")
        return self.table[names].set_axis(["lo", "hi"], axis=1)

    def find_inside(self, forecaster: str, level: int) -> pd.Series:
        """Return 1 for each actual inside its interval, 0 for others, and NaN without bounds."""
        bounds = self.get_bounds(forecaster, level)
        inside = self.table["y"].between(bounds["lo"], bounds["hi"])
        return inside.astype("float64").where(bounds.notna().all(axis=1))

    def keep(self, rows: pd.Series) -> "Predictions":
        """Return some of the rows, with their labels."""
        return replace(self, table=self.table[rows])

    def select(self, forecasters: Sequence[str]) -> "Predictions":
        """Return some of the forecasters, with their intervals."""
        chosen = tuple(name for name in self.forecasters if name in forecasters)
        others = [name for name in self.forecasters if name not in chosen]
        bounds = [
            bound for name in others for level in self.levels for bound in name_bounds(name, level)
        ]
        return replace(
            self,
            table=self.table.drop(columns=[*others, *bounds], errors="ignore"),
            forecasters=chosen,
        )

    def add(self, name: str, forecasts: pd.DataFrame, levels: Sequence[int] = ()) -> "Predictions":
        """Return the predictions with one more forecaster.

        The forecasts are `unique_id, cutoff, ds, y_hat`, and `lo_80, hi_80` of each level; rows that the table lacks
        are left out.
        """
        names = {"y_hat": name}
        for level in levels:
            names |= zip(name_own_bounds(level), name_bounds(name, level), strict=True)
        columns = forecasts[[*KEY, *names]].rename(columns=names)
        table = self.table.merge(columns, on=KEY, how="left", validate="one_to_one")
        levels = tuple(dict.fromkeys([*self.levels, *levels]))
        return replace(self, table=table, forecasters=(*self.forecasters, name), levels=levels)


def show_predictions(predictions: Predictions, tz: str | None) -> Predictions:
    """Return the predictions with times in the display zone, see `Profile`."""
    return replace(predictions, table=show_table(predictions.table, tz))


def name_bounds(forecaster: str, level: int) -> tuple[str, str]:
    """Return the columns of an interval's bounds, as in Nixtla's libraries."""
    return f"{forecaster}-lo-{level}", f"{forecaster}-hi-{level}"


def name_own_bounds(level: int) -> tuple[str, str]:
    """Return the columns of an interval's bounds in a table of one forecaster, see `BOUNDS`."""
    return f"lo_{level}", f"hi_{level}"


def list_levels(log: pd.DataFrame) -> list[int]:
    """Return the levels with bounds in a table of one forecaster, without `ANOMALY_LEVEL`."""
    lows = [name for name in log if name.startswith("lo_") and log[name].notna().any()]
    return sorted({int(name.removeprefix("lo_")) for name in lows} - {ANOMALY_LEVEL})


def tabulate_forecasts(
    panel: WindowedPanel,
    features: Features,
    scaler: Scaler,
    forecasts: Mapping[str, Forecasts],
    part: Part,
    use: str = "ensemble",
) -> Predictions:
    """Return forecasts side by side in the unit of the series, one row for each window and step ahead.

    Args:
        part: `test`, with actual values, or `future`.
        use: name of the forecaster in use.
    """
    origins = panel.list_origins(part)
    rows = (origins[:, None] + np.arange(panel.horizon)).ravel()
    target = features.table.iloc[rows].reset_index(drop=True)
    series = np.repeat(panel.find_series(origins), panel.horizon)
    mean, deviation = (
        look_up(features.table, scaler, column)[series] for column in ("mean", "deviation")
    )
    zeros = panel.zeros[series]
    table = pd.DataFrame(
        {
            "unique_id": target["unique_id"],
            "cutoff": np.repeat(features.table["ds"].to_numpy()[origins - 1], panel.horizon),
            "ds": target["ds"],
            "horizon_step": np.tile(np.arange(1, panel.horizon + 1), len(origins)),
        }
    )
    for column in target.columns.intersection(["y", "signal"] if part == "test" else []):
        table[column] = target[column].where(target["observed"])
    for name, forecast in forecasts.items():
        scaled = getattr(forecast, part).ravel()
        # The scaled 0 is rounded to float32, and would not become 0 again.
        table[name] = np.where(scaled == zeros, 0.0, unscale(scaled, mean, deviation))
    return Predictions(table, tuple(forecasts), use=use)
