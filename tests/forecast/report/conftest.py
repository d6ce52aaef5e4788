"""Results of a run, made up instead of by training."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plotly.graph_objects import Figure

from rnn_pipelines.forecast.evaluation.interval_metrics import measure_intervals
from rnn_pipelines.forecast.evaluation.metrics import measure_by
from rnn_pipelines.forecast.methods.predictions import Predictions, name_bounds
from rnn_pipelines.forecast.report.figures import draw_figures
from rnn_pipelines.forecast.totals.adding import Question, add_forecasts, finish_totals
from rnn_pipelines.forecast.totals.specs import TotalsSpec

FORECASTERS = ("lstm", "gru", "last_value", "seasonal_naive", "ridge")
LEVELS = (80, 95)


@pytest.fixture(scope="session")
def make_results() -> Callable[..., SimpleNamespace]:
    """Makes all that `draw_figures` is given, by name.

    Each forecaster's error is noise; that of the ridge is the smallest, that of the last value the largest.
    """

    def make(
        num_series: int = 1,
        num_origins: int = 20,
        horizon: int = 3,
        freq: str | None = "D",
        names: list[str] | None = None,
        has_signal: bool = False,
    ) -> SimpleNamespace:
        generator = np.random.default_rng(0)
        num_steps = 40 + num_origins + horizon - 1
        steps = np.arange(num_steps + horizon)
        ds = pd.Series(
            pd.date_range("2021-01-01", periods=len(steps), freq=freq) if freq else steps
        )
        ids = names or [f"s{number:05}" for number in range(num_series)]
        series = []
        predictions = []
        next_values = []
        for name in ids:
            y = generator.normal(size=len(steps))
            series.append(
                pd.DataFrame({"unique_id": name, "ds": ds, "y": y, "observed": True})[:num_steps]
            )
            for origins, tables in (
                (40 + np.arange(num_origins), predictions),
                (np.array([num_steps]), next_values),
            ):
                rows = (origins[:, None] + np.arange(horizon)).ravel()
                table = pd.DataFrame(
                    {
                        "unique_id": name,
                        "cutoff": np.repeat(ds.to_numpy()[origins - 1], horizon),
                        "ds": ds.to_numpy()[rows],
                        "horizon_step": np.tile(np.arange(1, horizon + 1), len(origins)),
                        "y": y[rows],
                    }
                )
                if has_signal:
                    table["signal"] = y[rows] - 0.5
                for forecaster, size in zip(FORECASTERS, (1, 1, 3, 2, 0.1), strict=True):
                    table[forecaster] = y[rows] + size * generator.normal(size=len(rows))
                tables.append(table)
        tested, future = (
            Predictions(pd.concat(tables, ignore_index=True), FORECASTERS)
            for tables in (predictions, next_values)
        )
        bounds = {
            bound: tested.table[name] + side * level / 40
            for name in FORECASTERS
            for level in LEVELS
            for side, bound in zip((-1, 1), name_bounds(name, level), strict=True)
        }
        tested = replace(tested, table=tested.table.assign(**bounds), levels=LEVELS)
        losses = pd.DataFrame(
            {"step": [0, 25, 50], "loss": [np.nan, 2.0, 1.0], "val_loss": [3.0, 1.5, 2.0]}
        )
        return SimpleNamespace(
            predictions=tested,
            series=pd.concat(series, ignore_index=True),
            next_values=replace(
                future, table=future.table.drop(columns=["y", "signal"], errors="ignore")
            ),
            by_step=measure_by(tested, "horizon_step"),
            by_level=measure_intervals(tested)[1],
            explanation=explain(
                tested.table, future.table[future.table["unique_id"].isin(ids[:3])]
            ),
            histories={"lstm": losses, "gru": losses},
        )

    return make


@pytest.fixture(scope="session")
def draw() -> Callable[..., dict[str, Figure]]:
    """Draws the figures of a run from its six tables and the losses of its networks."""

    def draw_results(results: SimpleNamespace, **options: Any) -> dict[str, Figure]:
        tables = (
            results.predictions,
            results.series,
            results.next_values,
            results.by_step,
            results.by_level,
            results.explanation,
        )
        options = {"totals": total_all(results.next_values), **options}
        return draw_figures(*tables, **options, **results.histories)

    return draw_results


def total_all(next_values: Predictions) -> pd.DataFrame:
    steps = next_values.table[["unique_id", "ds"]].assign(forecast=1.0)
    groups = pd.DataFrame(index=pd.Index(steps["unique_id"].unique(), name="unique_id"))
    question = Question(TotalsSpec("all"), (), "D")
    return finish_totals(add_forecasts(steps, [], groups, question), question)


def explain(test: pd.DataFrame, future: pd.DataFrame) -> pd.DataFrame:
    """Forecasts that are 10, and 4 times the last value less the one before, and what the calendar and a price add."""
    contributions = {
        ("baseline", 0): 10.0,
        ("y", 1): 4.0,
        ("y", 2): -1.0,
        ("calendar", 0): -2.0,
        ("future:price", 0): 0.5,
    }
    tables = [
        table[["unique_id", "cutoff", "ds", "horizon_step"]].assign(
            input=name, lag=lag, contribution=size, part=part
        )
        for part, table in (("test", test), ("future", future))
        for (name, lag), size in contributions.items()
    ]
    return pd.concat(tables, ignore_index=True)
