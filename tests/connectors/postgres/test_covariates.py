"""Covariates are columns of the query, of the types that a database has, and forecasts read them as from a file."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.datasets import PostgresQueryDataset
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.model.paths import PathsSpec
from rnn_pipelines.forecast.partitions.champion import PredictSpec, forecast_newest, read_as_trained
from rnn_pipelines.forecast.partitions.dividing import Partitions, Sample
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.covariates import CovariateSpec, read_series
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

NUM_DAYS, HORIZON = 90, 3
SOURCE = SourceSpec(name="catalog", id="unique_id")
SPEC = CovariateSpec(future=("promo", "price"), past=("weather",), static=("size",))
# Rows go on over the horizon, where neither sales nor weather are known.
SALES = (
    "create table sales (shop text, day date, amount numeric, promo boolean, price numeric(8, 2), weather text, "
    "size integer)",
    "insert into sales select shop, date '2024-01-01' + i, case when i < 90 then 10 * size + 3 * mod(i, 3) end, "
    "mod(i, 4) = 1, 9.5 + mod(i, 5), "
    "case when i < 90 and mod(i, 7) > 0 then (array['sun', 'rain'])[1 + mod(i, 2)] end, size "
    "from generate_series(0, 92) as i, unnest(array['a', 'b'], array[1, 2]) as shops (shop, size)",
)
QUERY = "select shop as unique_id, day as ds, amount as y, promo, price, weather, size from sales order by shop, day"


def make_sales() -> pd.DataFrame:
    """The same as a file would hold it."""
    i = np.arange(NUM_DAYS + HORIZON)
    tables = []
    for shop, size in (("a", 1), ("b", 2)):
        y = np.where(i < NUM_DAYS, 10.0 * size + 3 * (i % 3), np.nan)
        weather = np.where((i < NUM_DAYS) & (i % 7 > 0), np.where(i % 2, "rain", "sun"), "")
        columns = {
            "y": y,
            "promo": np.where(i % 4 == 1, "true", "false"),
            "price": 9.5 + i % 5,
            "weather": weather,
        }
        tables.append(
            pd.DataFrame(
                {"unique_id": shop, "ds": pd.date_range("2024-01-01", periods=len(i)), "size": size}
                | columns
            )
        )
    return pd.concat(tables, ignore_index=True)


@pytest.fixture(scope="module")
def champion(make_forecaster: Callable[..., Forecaster]) -> LoadedChampion:
    """One that reads all four columns, as they stand in a file."""
    sales = make_sales()
    window = WindowSpec(lookback=5, horizon=HORIZON)
    recipe = Recipe(
        source=SOURCE, covariates=SPEC, window=window, split=SplitSpec(validation=25, test=20)
    )
    table, covariate_table = read_series(SOURCE, SPEC, sales)
    panel = prepare_panel(table, recipe, covariate_table)
    forecaster = replace(
        make_forecaster(SimpleNamespace(**vars(panel)), "gru"), coding=panel.coding
    )
    return LoadedChampion("v1", forecaster, "", (), {})


def predict(champion: LoadedChampion, external: pd.DataFrame) -> pd.Series:
    """As `predict_forecast` does."""
    newest = PredictSpec()
    table, covariate_table = read_as_trained(
        champion, Sample(Partitions(), SOURCE, CovariateSpec(), external), newest
    )
    return forecast_newest(champion, table, SOURCE, PathsSpec(0), covariate_table)[0]["y_hat"]


def test_forecasts_from_a_query_are_those_from_a_file(
    database: Any, champion: LoadedChampion
) -> None:
    database.run(*SALES)
    external = PostgresQueryDataset(sql=QUERY, credentials=database.credentials).load()
    found = predict(champion, external)
    assert len(found) == 2 * HORIZON
    np.testing.assert_array_equal(found, predict(champion, make_sales()))


@pytest.mark.parametrize("change", ["promo = not promo", "price = price + 1"])
def test_what_the_table_knows_ahead_moves_forecasts(
    database: Any, champion: LoadedChampion, change: str
) -> None:
    database.run(*SALES, f"update sales set {change} where day > '2024-03-30'")
    external = PostgresQueryDataset(sql=QUERY, credentials=database.credentials).load()
    assert (predict(champion, external) != predict(champion, make_sales())).all()
