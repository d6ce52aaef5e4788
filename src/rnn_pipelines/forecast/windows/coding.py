"""Scaling and coding of covariates, fitted on the training part alone."""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype
from pydantic import BaseModel

from rnn_pipelines.errors import SeriesError, count, show
from rnn_pipelines.forecast.series.columns import AHEAD, CONSTANT, OBSERVED, ROLES, Role
from rnn_pipelines.forecast.series.rows import SeriesRows, find_rows, look_up
from rnn_pipelines.forecast.series.tables import Cutoffs, Features, Series
from rnn_pipelines.forecast.source.covariates import (
    KEY,
    CovariateSpec,
    check_covariate_columns,
    check_future_values,
    find_empty,
)
from rnn_pipelines.forecast.source.values import FLAGS
from rnn_pipelines.forecast.times.holidays import find_holidays
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.reading.zones import show_local

logger = logging.getLogger(__name__)

# Largest number of categories with a code of their own: the most frequent ones in training.
MAX_LEVELS = 20
# Limit of scaled numbers, in deviations of the training part; larger ones are clipped.
MAX_DEVIATIONS = 10.0


class CodedColumn(BaseModel, extra="forbid", frozen=True):
    """One covariate and its coding."""

    name: str
    role: Role  # see `ROLES`
    # Categories with a code of their own: 1 in cells of the category and 0 in others, minus its share. Empty cells and
    # categories that training lacks are 0 in all codes: the mean, and different from each level.
    levels: tuple[str, ...] = ()
    shares: tuple[float, ...] = ()  # fraction of each level in training
    # `mean` and `deviation`: of a number over all series; the deviation of a number that is 0 or 1 is 1.
    mean: float = 0.0
    deviation: float = 1.0
    by_series: dict[
        str, tuple[float, float]
    ] = {}  # mean and deviation of a time-varying number by series

    @property
    def kind(self) -> str:
        """The kind of its values, in words."""
        return count(len(self.levels), "category", "categories") if self.levels else "number"

    @property
    def outputs(self) -> list[str]:
        """The names of the features that it becomes."""
        name = f"{self.role}:{self.name}"
        return [f"{name}={level}" for level in self.levels] or [name]


class Coding(BaseModel, extra="forbid", frozen=True):
    """The coding of all covariates, as the scaler is for the series."""

    columns: tuple[CodedColumn, ...] = ()
    holidays: str | None = None

    def list_columns(self, roles: Collection[Role] = tuple(ROLES)) -> tuple[str, ...]:
        """Return the columns of the table to read: all, or those of some roles."""
        return tuple(column.name for column in self.columns if column.role in roles)

    def copy_scales(self, other: "Coding") -> "Coding":
        """Return the coding with the scales of other series, which a coding of the same columns has."""
        scales = {column.name: column.by_series for column in other.columns}
        columns = [
            column.model_copy(update={"by_series": scales.get(column.name, {})})
            for column in self.columns
        ]
        return self.model_copy(update={"columns": tuple(columns)})

    def make_spec(self, path: str | None = None) -> CovariateSpec:
        """Return the covariates to read; `path` holds more values of future ones, and is not read without any."""
        named: dict[str, Any] = {role: self.list_columns([role]) for role in ROLES}
        # Without validation, which passed in training; only a forecast needs the package `holidays`.
        return CovariateSpec.model_construct(
            **named, holidays=self.holidays, path=path if self.list_columns(AHEAD) else None
        )


class Cells(NamedTuple):
    """The cells of a column as text (unchanged in a numeric column) and as numbers; missing if not a number."""

    text: pd.Series
    number: pd.Series


def fit_coding(
    series: Series,
    cutoffs: Cutoffs,
    covariates: CovariateSpec,
    covariate_table: pd.DataFrame | None,
) -> Coding:
    """Fit scales and categories on the training part alone; raise a SeriesError if a column has no values there."""
    if not covariates.columns:
        return Coding(holidays=covariates.holidays)
    check_covariate_columns(covariate_table, covariates.columns)
    assert covariate_table is not None
    rows = find_rows(series)
    # A series without validation and test takes no part, because its rows are as recent as the held-out rows of others.
    # It gets the scale over all series.
    stops = look_up(series, cutoffs, "train_stop")
    is_train = rows.places < rows.spread(np.where(stops < rows.lengths, stops, 0))
    train = look_up_covariates(series.loc[is_train, KEY], covariate_table)
    roles = {name: role for role, names in covariates.by_role.items() for name in names}
    static = covariates.list_columns(CONSTANT)
    if len(rows.starts) == 1 and static:
        logger.warning(
            "left out: static covariates %s, of which one series has one value", list(static)
        )
        roles = {name: role for name, role in roles.items() if role not in CONSTANT}
    coding = Coding(
        columns=tuple(_fit_column(name, role, train) for name, role in roles.items()),
        holidays=covariates.holidays,
    )
    parts = [f"{column.name} ({column.role}, {column.kind})" for column in coding.columns]
    parts += [f"holidays ({coding.holidays})"] if coding.holidays else []
    logger.info("covariates: %s", ", ".join(parts))
    return coding


def look_up_covariates(keys: pd.DataFrame, covariate_table: pd.DataFrame) -> pd.DataFrame:
    """Return the covariates of given rows, in their order."""
    if covariate_table.empty:
        return keys.reindex(columns=[*KEY, *covariate_table.columns.drop(KEY)]).reset_index(
            drop=True
        )
    return keys[KEY].merge(covariate_table, on=KEY, how="left")


def read_cells(cells: pd.Series, levels: Sequence[str] = ()) -> Cells:
    """Parse the cells of one column; yes and true are 1, no and false 0.

    If all cells are numbers now, their text is that of the level with the same number, such as 01.
    """
    if is_numeric_dtype(cells):
        number = cells.astype(np.float64)
        text = number
        if levels:
            numbers = pd.to_numeric(pd.Series(levels), errors="coerce").dropna()
            text = number.map({value: levels[place] for place, value in numbers.items()})
            text = text.fillna(cells.astype(str).where(cells.notna()))
        return Cells(text, number.where(np.isfinite(number)))
    text = cells.astype(str).str.strip().where(~find_empty(cells.to_frame()).iloc[:, 0])
    # Parse each text once, because there are few.
    places, texts = pd.factorize(text)
    read = pd.to_numeric(pd.Series(texts, dtype=object).str.lower().replace(FLAGS), errors="coerce")
    number = pd.Series(np.append(read.to_numpy(np.float64), np.nan)[places], index=cells.index)
    return Cells(text, number.where(np.isfinite(number)))


def _fit_column(name: str, role: Role, train: pd.DataFrame) -> CodedColumn:
    text, number = read_cells(train[name])
    if text.isna().all():
        raise SeriesError(f"covariate '{name}' has no value in the training part. Leave it out.")
    if not number[text.notna()].notna().all():
        shares = text.value_counts(normalize=True, dropna=False).drop(np.nan, errors="ignore")
        # Sort equally frequent ones by name, so that the order of the rows does not matter.
        shares = shares.sort_index().sort_values(ascending=False, kind="stable")[:MAX_LEVELS]
        return CodedColumn(name=name, role=role, levels=tuple(shares.index), shares=tuple(shares))
    if number.dropna().isin([0, 1]).all():
        return CodedColumn(name=name, role=role, mean=float(number.mean()))
    mean = float(number.mean())
    deviation = float(number.std(ddof=0)) or 1.0
    by_series = {} if role in CONSTANT else _measure_scales(number, train["unique_id"], deviation)
    return CodedColumn(name=name, role=role, mean=mean, deviation=deviation, by_series=by_series)


def _measure_scales(
    number: pd.Series, series: pd.Series, deviation: float
) -> dict[str, tuple[float, float]]:
    """Return mean and deviation by series; `deviation` for constant numbers."""
    by_series = number.groupby(series, sort=False)
    scales = pd.DataFrame({"mean": by_series.mean(), "deviation": by_series.std(ddof=0)}).dropna()
    return {
        str(name): (float(middle), float(spread) if spread > 0 else deviation)
        for name, middle, spread in scales.itertuples()
    }


def add_scales(coding: Coding, series: Series, covariate_table: pd.DataFrame) -> Coding:
    """Return the coding with the scales of series that training lacks, from all of their rows."""
    cells = look_up_covariates(series[KEY], covariate_table)
    columns = []
    for column in coding.columns:
        scales = column.by_series
        if scales:
            number = read_cells(cells[column.name]).number
            scales = {**scales, **_measure_scales(number, cells["unique_id"], column.deviation)}
        columns.append(column.model_copy(update={"by_series": scales}))
    return coding.model_copy(update={"columns": tuple(columns)})


def add_coded_covariates(
    features: Features,
    coding: Coding,
    covariate_table: pd.DataFrame | None,
    num_future: int,
    tz: str | None = None,
) -> Features:
    """Add the coded covariates to every step.

    An empty cell of a past covariate takes the last value before it, or else the mean of the training part; after the
    end of a series, past covariates are NaN. A future covariate must have a value at each step of the series; after its
    end, missing values are NaN. `tz` is the zone of the holidays, for times in UTC. Raise a SeriesError if a column
    does not fit.
    """
    if not (coding.columns or coding.holidays) or features.table.empty:
        return features
    table = features.table
    rows = find_rows(features.table)
    is_inside = rows.places < rows.spread(rows.lengths - num_future)
    by_role: dict[Role, dict[str, np.ndarray]] = {role: {} for role in ROLES}
    if coding.columns:
        check_covariate_columns(covariate_table, coding.list_columns())
        assert covariate_table is not None
        cells = look_up_covariates(table, covariate_table)
        ahead = cells[list(coding.list_columns(AHEAD))]
        check_future_values(table[is_inside], find_empty(ahead)[is_inside], tz)
        for column in coding.columns:
            by_role[column.role].update(_code(column, cells, rows, is_inside))
    if coding.holidays:
        days = find_holidays(show_local(table["ds"], tz), coding.holidays)
        by_role["future"].update({name: values.astype(np.float32) for name, values in days.items()})
    coded = {name: values for role in by_role.values() for name, values in role.items()}
    return replace(
        features,
        table=pd.concat([table, pd.DataFrame(coded, index=table.index)], axis=1),
        covariates={role: list(columns) for role, columns in by_role.items()},
    )


def _code(
    column: CodedColumn, cells: pd.DataFrame, rows: SeriesRows, is_inside: np.ndarray
) -> dict[str, np.ndarray]:
    """Return the features of one covariate at every step, float32[time] by name."""
    text, number = read_cells(cells[column.name], column.levels)
    if not column.levels:
        _check_numeric_cells(column.name, cells, text.notna() & number.isna())
    values = text if column.levels else number
    if column.role in OBSERVED:
        values = values.groupby(rows.numbers).ffill()
    if column.role in CONSTANT:
        values = _read_static(column.name, values, cells, rows)
    if column.levels:
        is_level = values.isin(column.levels).to_numpy()
        coded = {
            name: np.where(is_level, (values == level).to_numpy() - share, 0.0)
            for name, level, share in zip(column.outputs, column.levels, column.shares, strict=True)
        }
    else:
        coded = scale_cells(column, values, cells["unique_id"])
    if column.role in CONSTANT:
        return {name: part.astype(np.float32) for name, part in coded.items()}
    # An empty cell within a series has a code; an unknown value after its end is NaN.
    is_unknown = ~is_inside & values.isna().to_numpy() if column.role in AHEAD else ~is_inside
    return {
        name: np.where(is_unknown, np.nan, part).astype(np.float32) for name, part in coded.items()
    }


def scale_cells(column: CodedColumn, values: pd.Series, series: pd.Series) -> dict[str, np.ndarray]:
    """Return numbers scaled by the training part of their series, float64[row]; 0 for missing numbers."""
    # A series that training lacks has the mean and deviation over all series.
    means = series.map({name: mean for name, (mean, _) in column.by_series.items()})
    deviations = series.map({name: deviation for name, (_, deviation) in column.by_series.items()})
    mean = means.astype(np.float64).fillna(column.mean).to_numpy()
    deviation = deviations.astype(np.float64).fillna(column.deviation).to_numpy()
    scaled = (values.to_numpy() - mean) / deviation
    return {column.outputs[0]: np.clip(np.nan_to_num(scaled), -MAX_DEVIATIONS, MAX_DEVIATIONS)}


def _read_static(name: str, values: pd.Series, cells: pd.DataFrame, rows: SeriesRows) -> pd.Series:
    """Return the only value of each series, at each of its steps."""
    by_series = values.groupby(rows.numbers)
    changes = by_series.nunique() > 1
    if changes.any():
        series = cells["unique_id"].iloc[rows.starts[int(np.argmax(changes.to_numpy()))]]
        raise SeriesError(
            f"static covariate '{name}' changes in series {show(series)}, and in {changes.sum()} series in all. "
            "Name it in covariates.past or covariates.future."
        )
    return by_series.transform("first")


def _check_numeric_cells(name: str, cells: pd.DataFrame, is_wrong: pd.Series) -> None:
    if is_wrong.any():
        first = cells[is_wrong.to_numpy()].iloc[0]
        raise SeriesError(
            f"covariate '{name}', series {show(first['unique_id'])} at {format_time(first['ds'])}: "
            f"expected a number, as in the training part, received {show(str(first[name]))}. Correct the row, or leave "
            "its cell empty."
        )
