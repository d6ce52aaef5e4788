"""Metrics of prediction intervals: coverage, width, Winkler score and scaled CRPS.

Names and definitions are those of `utilsforecast.losses`. Coverage is the share of the actuals inside the interval.
The Winkler score is the width plus 2 / α times the distance of an actual outside. Scaled CRPS is twice the mean pinball
loss of the point forecast and all bounds, over the mean size of the actuals. Relative width is the width over that of
seasonal naive, or of the last value if there is no season, on the same step. All are means over windows and steps of a
series, then over series.

The lower bound of a sparse series is usually 0, so that its interval covers more than its level. The share of its
actuals above the upper bound is expected to be half of the rest: 10 % at 80 %.
"""

from typing import Annotated

import numpy as np
import pandas as pd

from rnn_pipelines.errors import TableError
from rnn_pipelines.forecast.evaluation.significance import count_overlapping
from rnn_pipelines.forecast.intervals.quantiles import score_interval
from rnn_pipelines.forecast.intervals.sparse_bounds import MIN_ZERO_SHARE
from rnn_pipelines.forecast.methods.predictions import Predictions, name_bounds
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.storage.tables import Column, Table

MEASURES = ("coverage", "width", "winkler", "relative_width")
SCALED_CRPS = "scaled_crps"
# The intervals missed a cut-off if a smaller part of its actuals lies inside.
MISSED = 0.5


class MetricsByLevelTable(Table):
    """Metrics of each forecaster's intervals at each step ahead; missing if there were too few past errors."""

    key = ("forecaster", "level", "horizon_step")
    forecaster = Column("text")
    level = horizon_step = Column("int")
    coverage = width = winkler = relative_width = Column("float", can_be_empty=True)


MetricsByLevel = Annotated[pd.DataFrame, MetricsByLevelTable]


def measure_intervals(
    predictions: Predictions,
) -> tuple[dict[str, dict[str, float | None]], MetricsByLevel]:
    """Measure the intervals of each forecaster: over all steps, and by level and step ahead.

    Returns:
        By forecaster, `coverage_80`, `width_80`, `winkler_80`, `relative_width_80` of each level, for a panel also
        `least_coverage_80` and `most_coverage_80`, those of the least and of the most covered cut-off; with sparse
        series `above_80`, the share of their actuals above the upper bound; of the one in use `chance_of_coverage_80`,
        that of a coverage of 80 %; and `scaled_crps`. None if undefined, empty
        without intervals. And the table by level and step ahead.
    """
    numbers: dict[str, dict[str, float | None]] = {}
    is_panel = predictions.table["unique_id"].nunique() > 1
    sparse = list_sparse_series(predictions)
    rows = [pd.DataFrame(columns=list(MetricsByLevelTable.columns))]
    for name in predictions.forecasters:
        numbers[name] = {}
        for level in predictions.levels:
            if (scores := score_bounds(predictions, name, level)) is None:
                continue
            by_series = scores.groupby("unique_id")[[*MEASURES, "above"]].mean()
            for key, mean in by_series[list(MEASURES)].mean().items():
                numbers[name][f"{key}_{level}"] = _or_none(mean)
            if len(sparse):
                above = by_series.loc[by_series.index.isin(sparse), "above"]
                numbers[name][f"above_{level}"] = _or_none(above.mean())
            if name == predictions.use:
                numbers[name][f"chance_of_coverage_{level}"] = _test_coverage(
                    scores, predictions, level
                )
            if is_panel:
                by_cutoff = _average_by_cutoff(predictions, scores)
                numbers[name][f"least_coverage_{level}"] = _or_none(by_cutoff.min())
                numbers[name][f"most_coverage_{level}"] = _or_none(by_cutoff.max())
            by_step = (
                scores.groupby(["horizon_step", "unique_id"]).mean().groupby("horizon_step").mean()
            )
            rows.append(by_step.reset_index().assign(forecaster=name, level=level))
        if numbers[name]:
            numbers[name][SCALED_CRPS] = _or_none(_measure_crps(predictions, name))
    types = MetricsByLevelTable.make_empty().dtypes
    table = pd.concat([table for table in rows if len(table)] or rows, ignore_index=True)
    return numbers, table[list(types.index)].astype(types)


def _average_by_cutoff(predictions: Predictions, scores: pd.DataFrame) -> pd.Series:
    """Return the coverage at each cut-off, over all series."""
    return scores["coverage"].groupby(predictions.table["cutoff"]).mean()


def _test_coverage(scores: pd.DataFrame, predictions: Predictions, level: int) -> float | None:
    """Return the p-value of a coverage that equals the level, from independent origins; None without bounds.

    Origins within one horizon of each other share errors, and so do the series of a panel at one origin: each horizon
    of origins counts once, with the share of its actuals inside. A binomial distribution gives the p-value, both sides.
    """
    from scipy.special import bdtr

    inside = scores["coverage"].groupby(predictions.table["cutoff"]).mean().dropna()
    if inside.empty:
        return None
    num = max(1, round(len(inside) / count_overlapping(predictions.table)))
    num_inside = float(inside.mean()) * num
    # Shares of origins are rounded to the level, so that the p-value is never too small.
    lower = float(bdtr(np.ceil(num_inside), num, level / 100))
    upper = 1 - float(bdtr(np.floor(num_inside) - 1, num, level / 100)) if num_inside >= 1 else 1.0
    return min(1.0, 2 * min(lower, upper))


def list_sparse_series(predictions: Predictions) -> pd.Index:
    """Return the series without negative actuals and with 30 % zeros or more among them."""
    actual = predictions.table.dropna(subset="y").groupby("unique_id")["y"]
    zero_share = actual.agg(lambda values: (values == 0).mean())
    return zero_share.index[(zero_share >= MIN_ZERO_SHARE) & (actual.min() >= 0)]


def list_missed(predictions: Predictions, name: str) -> dict[str, list[str]]:
    """Return the cut-offs at which fewer than half of the actuals of a panel lie inside, by level; see `format_time`.

    The errors of one cut-off share shocks, so that its coverage can be far off. A single series has no such list,
    because the few steps of one cut-off say nothing.
    """
    missed: dict[str, list[str]] = {}
    if predictions.table["unique_id"].nunique() > 1:
        for level in predictions.levels:
            if (scores := score_bounds(predictions, name, level)) is not None:
                by_cutoff = _average_by_cutoff(predictions, scores)
                missed[str(level)] = [
                    format_time(cutoff) for cutoff in by_cutoff.index[by_cutoff < MISSED]
                ]
    return missed


def score_bounds(predictions: Predictions, name: str, level: int) -> pd.DataFrame | None:
    """Score the interval of each actual: `unique_id, horizon_step, coverage, above, width, winkler, relative_width`.

    They are NaN if there were too few past errors. None without intervals of this level.
    """
    try:
        bounds = predictions.get_bounds(name, level)
    except TableError:
        return None
    y = predictions.table["y"]
    width = bounds["hi"] - bounds["lo"]
    scores = predictions.table[["unique_id", "horizon_step"]].assign(
        coverage=predictions.find_inside(name, level),
        above=(y > bounds["hi"]).astype("float64").where(width.notna()),
        width=width,
        winkler=score_interval(y, bounds["lo"], bounds["hi"], level),
        relative_width=width / _find_naive_width(predictions, level),
    )
    return scores[y.notna()]


def _find_naive_width(predictions: Predictions, level: int) -> pd.Series:
    """Return the width of the naive method's interval at each row; NaN if it has none, or if it is 0."""
    for name in ("seasonal_naive", "last_value"):
        if set(name_bounds(name, level)) <= set(predictions.table):
            bounds = predictions.get_bounds(name, level)
            width: pd.Series = bounds["hi"] - bounds["lo"]
            return width.where(width > 0)
    return pd.Series(np.nan, index=predictions.table.index)


def _measure_crps(predictions: Predictions, name: str) -> float:
    """Return the scaled CRPS over the available quantiles; the point forecast counts as the median."""
    table = predictions.table[predictions.table["y"].notna()]
    quantiles = {0.5: table[name]}
    for level in predictions.levels:
        bounds = predictions.get_bounds(name, level).loc[table.index]
        if bounds.notna().any(axis=None):
            quantiles[0.5 - level / 200] = bounds["lo"]
            quantiles[0.5 + level / 200] = bounds["hi"]
    # Of a series without bounds, no quantile counts.
    table = table[pd.DataFrame(quantiles).notna().all(axis=1)]
    if len(quantiles) == 1 or table.empty:
        return float("nan")
    pinball = pd.Series(0.0, table.index)
    for quantile, values in quantiles.items():
        error = table["y"] - values.loc[table.index]
        pinball += np.maximum(quantile * error, (quantile - 1) * error) / len(quantiles)
    losses = pd.DataFrame({"loss": pinball, "size": table["y"].abs()})
    sums = losses.groupby(table["unique_id"]).sum()
    return float((2 * sums["loss"] / (sums["size"] + np.finfo(np.float64).eps)).mean())


def _or_none(number: float) -> float | None:
    return float(number) if np.isfinite(number) else None
