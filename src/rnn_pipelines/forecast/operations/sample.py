"""Made-up rows in the form of a table, from a profile that holds no value, name of a series or text of it."""

from typing import TypedDict

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.preparation.schema import choose_usual_window, find_frequency
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import TARGET, SourceSpec
from rnn_pipelines.forecast.times.offsets import add_steps
from rnn_pipelines.forecast.windows.coding import read_cells

FIRST_DAY = pd.Timestamp("2001-01-01")
# Values are rounded to at most so many digits after the point.
MAX_DECIMALS = 6
NUM_TEXTS = 3
# A sample has at most so many series.
MAX_SERIES = 1000


class SampledColumn(TypedDict):
    """The form of a column: `decimals` is None for texts, `missing` the share of empty cells in percent."""

    decimals: int | None
    missing: int


class SampleProfile(TypedDict):
    """The form of a table: names of its columns, spacing, and sizes; `num_steps` of the longest series."""

    time: str
    target: str
    id: str | None
    freq: int | str
    num_series: int
    num_steps: int
    num_ahead: int
    columns: dict[str, SampledColumn]
    static: list[str]
    available: str | None


def profile_table(
    table: Source,
    covariate_table: pd.DataFrame,
    source: SourceSpec,
    covariates: CovariateSpec,
    horizon: int | None,
) -> SampleProfile:
    """Return the profile of series and covariates, as read; `horizon` None is the usual one."""
    freq = find_frequency(table, source)
    is_panel = source.id is not None or source.is_wide
    columns = {name: _describe_column(covariate_table[name]) for name in covariates.columns}
    target = TARGET if source.is_wide else source.target
    return SampleProfile(
        time=source.time,
        target=target,
        id=(source.id or "unique_id") if is_panel else None,
        freq=freq,
        num_series=table["unique_id"].nunique(),
        num_steps=int(table.groupby("unique_id").size().max()),
        num_ahead=horizon or choose_usual_window(source, freq)[1],
        columns={target: _describe_column(table["y"]), **columns},
        static=list(covariates.static),
        available=source.unavailable,
    )


def _describe_column(cells: pd.Series) -> SampledColumn:
    text, numbers = read_cells(cells)
    missing = round(100 * float(text.isna().mean()))
    if not numbers[text.notna()].notna().all():
        return SampledColumn(decimals=None, missing=missing)
    values = numbers.dropna().to_numpy("float64")
    decimals = 0
    while decimals < MAX_DECIMALS and not np.array_equal(values.round(decimals), values):
        decimals += 1
    return SampledColumn(decimals=decimals, missing=missing)


def make_sample(profile: SampleProfile) -> pd.DataFrame:
    """Return the rows of a profile, always the same: each series, and the steps ahead with covariates only."""
    num_rows = profile["num_steps"] + profile["num_ahead"]
    start = FIRST_DAY if isinstance(profile["freq"], str) else 0
    times = [add_steps(start, number, profile["freq"]) for number in range(1, num_rows + 1)]
    tables = []
    for number in range(min(profile["num_series"], MAX_SERIES)):
        rng = np.random.default_rng(number)
        cells = {name: _draw(column, num_rows, rng) for name, column in profile["columns"].items()}
        rows = pd.DataFrame({profile["time"]: times, **cells})
        if profile["id"] is not None:
            rows.insert(0, profile["id"], f"series {number + 1}")
        for name in profile["static"]:
            rows[name] = rows[name].bfill().iloc[0]
        if profile["available"] is not None:
            rows[profile["available"]] = 1
        rows.loc[profile["num_steps"] :, profile["target"]] = np.nan
        has_covariates = len(profile["columns"]) > 1
        tables.append(rows if has_covariates else rows[: profile["num_steps"]])
    return pd.concat(tables, ignore_index=True)


def _draw(column: SampledColumn, num_rows: int, rng: np.random.Generator) -> pd.Series:
    """Return cells: texts, or numbers of about 100 with a season of seven steps."""
    texts = [f"text {number + 1}" for number in range(NUM_TEXTS)]
    season = 10 * np.sin(np.arange(num_rows) * 2 * np.pi / 7)
    numbers = 100 + season + rng.normal(0, 5, num_rows)
    decimals = column["decimals"]
    cells = pd.Series(rng.choice(texts, num_rows) if decimals is None else numbers.round(decimals))
    is_missing = rng.random(num_rows) < column["missing"] / 100
    return cells.mask(is_missing)
