"""The errors on all series of a panel that is too large for one table of predictions, and their summary."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.evaluation.interval_metrics import score_bounds
from rnn_pipelines.forecast.evaluation.metrics import (
    METRICS,
    NUMBER,
    TOTALS,
    MetricsBySeriesTable,
    choose_scale_season,
    measure_by_series,
)
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.series.tables import Cutoffs, Series

# Series with the smallest and with the largest error in the summary.
NUM_ENDS = 20
QUANTILES = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)


class AllMetricsTable(MetricsBySeriesTable):
    """The metrics of each forecaster on each series, and the share of its actuals inside each interval."""

    families: ClassVar = {"coverage_": NUMBER}


AllMetrics = Annotated[pd.DataFrame, AllMetricsTable]


def measure_all(test: Predictions, series: Series, cutoffs: Cutoffs, season_length: int) -> AllMetrics:
    """Return the metrics of each forecaster on each series, float32, and the coverage of the one in use."""
    season_length = choose_scale_season(series, cutoffs, season_length)
    metrics = measure_by_series(test, series, cutoffs, season_length)
    for level in test.levels:
        scores = score_bounds(test, test.use, level)
        if scores is not None:
            coverage = scores.groupby("unique_id")["coverage"].mean()
            is_own = metrics["forecaster"] == test.use
            metrics[f"coverage_{level}"] = metrics["unique_id"].map(coverage).where(is_own)
    return metrics.astype(dict.fromkeys(metrics.columns[2:], "float32"))


def summarize_series(tables: Iterable[pd.DataFrame], facts: Sequence[Mapping[str, Any]], use: str) -> dict[str, Any]:
    """Return the mean metrics of each forecaster, the distribution of the error of the method in use, and its ends.

    Args:
        tables: the metrics by series of each partition, see `AllMetricsTable`; read one after another.
        facts: `num_series`, `left_out`, `repairs` and `totals` of each partition.
    Returns:
        `num_series`; `num_evaluated`, those with a test part; `left_out`, their names; `forecasters`, by name their
        `METRICS` (means over series), `TOTALS`, and for the one in `use` `coverage_80` and the like; `mase`, quantiles
        of its errors over the series; `best` and `worst`, names and MASE of some series.
    """
    sums, counts, ensemble = pd.DataFrame(), pd.DataFrame(), [pd.Series(dtype="float64")]
    for table in tables:
        if table.empty:
            continue
        numbers = table.drop(columns="unique_id").replace([np.inf, -np.inf], np.nan).astype({"forecaster": str})
        grouped = numbers.groupby("forecaster", sort=False)
        sums, counts = sums.add(grouped.sum(), fill_value=0), counts.add(grouped.count(), fill_value=0)
        own = table[table["forecaster"] == use]
        ensemble.append(own.set_index("unique_id")["mase"].astype("float64"))
    means = sums / counts.where(counts > 0)
    mase = pd.concat([one for one in ensemble if len(one)] or ensemble)
    ranked = mase.dropna().sort_values()
    return {
        "num_series": sum(fact["num_series"] for fact in facts),
        "num_evaluated": len(mase),
        "left_out": [name for fact in facts for name in fact["left_out"]],
        "use": use,
        "forecasters": _merge(means, _add_totals(facts)),
        "mase": {f"{quantile:g}": float(ranked.quantile(quantile)) for quantile in QUANTILES if len(ranked)},
        "best": {str(name): float(error) for name, error in ranked.head(NUM_ENDS).items()},
        "worst": {str(name): float(error) for name, error in ranked.tail(NUM_ENDS)[::-1].items()},
    }


def _add_totals(facts: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Return the measures of sums over all partitions, by forecaster."""
    added: dict[str, dict[str, float | None]] = {}
    for measure in TOTALS:
        pairs: dict[str, np.ndarray] = {}
        for fact in facts:
            for name, pair in fact["totals"].get(measure, {}).items():
                pairs[name] = pairs.get(name, np.zeros(2)) + pair
        for name, (error, size) in pairs.items():
            added.setdefault(name, {})[measure] = float(error / size) if size else None
    return added


def _merge(means: pd.DataFrame, totals: Mapping[str, Mapping[str, float | None]]) -> dict[str, dict[str, float | None]]:
    """Return metrics and measures of sums by forecaster, the lowest MASE first."""
    kept = [name for name in means if name in METRICS or str(name).startswith("coverage_")]
    ordered = means.sort_values("mase") if len(means) else means
    return {
        str(name): {
            **{str(key): float(row[key]) for key in kept if pd.notna(row[key])},
            **totals.get(str(name), {}),
        }
        for name, row in ordered.iterrows()
    }
