"""The long table of forecasts says when, how far ahead, in the data's own unit, and what its columns are."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from kedro.io import DatasetError
from pyarrow.parquet import ParquetFile

from rnn_pipelines.datasets import DescribedTableDataset
from rnn_pipelines.errors import TableError
from rnn_pipelines.forecast.methods.predictions import (
    ForecastLogTable,
    Forecasts,
    Predictions,
    tabulate_forecasts,
)

Prepare = Callable[..., SimpleNamespace]
MakeValues = Callable[..., list[float | None]]


def make_perfect(prepared: SimpleNamespace) -> Forecasts:
    """Forecasts that are the targets themselves; 0 for the future."""
    panel = prepared.windows
    origins = panel.list_origins("test")
    targets = panel.values[origins[:, None] + np.arange(panel.horizon), 0]
    return Forecasts(
        test=targets, future=np.zeros((len(panel.series_starts), panel.horizon), np.float32)
    )


def tabulate(prepared: SimpleNamespace, part: str) -> pd.DataFrame:
    forecasts = {"perfect": make_perfect(prepared)}
    return tabulate_forecasts(
        prepared.windows, prepared.features, prepared.scaler, forecasts, part
    ).table


@pytest.fixture(scope="module")
def prepared(prepare: Prepare, make_values: MakeValues) -> SimpleNamespace:
    return prepare({"a": make_values(50, seed=1), "b": [100 * v for v in make_values(40, seed=2)]})


@pytest.fixture
def table(prepared: SimpleNamespace) -> pd.DataFrame:
    return tabulate(prepared, "test")


def test_table_has_a_row_for_each_step_of_each_window(table: pd.DataFrame) -> None:
    assert list(table) == ["unique_id", "cutoff", "ds", "horizon_step", "y", "perfect"]
    assert len(table) == 2 * 9 * 2
    assert table["horizon_step"].tolist()[:4] == [1, 2, 1, 2]


def test_first_cutoff_is_the_end_of_the_validation_part(table: pd.DataFrame) -> None:
    first = table.groupby("unique_id")["cutoff"].min().tolist()
    assert first == [pd.Timestamp("2021-02-09"), pd.Timestamp("2021-01-30")]


def test_time_is_the_cutoff_with_the_step(table: pd.DataFrame) -> None:
    steps = pd.to_timedelta(table["horizon_step"], unit="D")
    assert (table["ds"] == table["cutoff"] + steps).all()


def test_actuals_are_the_values_of_the_series(
    table: pd.DataFrame, prepared: SimpleNamespace
) -> None:
    joined = table.merge(prepared.series, on=["unique_id", "ds"], suffixes=("", "_of_series"))
    assert len(joined) == len(table)
    assert joined["y"].equals(joined["y_of_series"])


def test_forecasts_are_in_the_unit_of_y(table: pd.DataFrame) -> None:
    np.testing.assert_allclose(table["perfect"], table["y"], rtol=1e-5)


def test_tables_are_not_changed(prepared: SimpleNamespace) -> None:
    before = (
        prepared.windows.values.copy(),
        prepared.features.table.copy(),
        prepared.scaler.copy(),
    )
    tabulate(prepared, "test")
    np.testing.assert_array_equal(prepared.windows.values, before[0])
    pd.testing.assert_frame_equal(prepared.features.table, before[1])
    pd.testing.assert_frame_equal(prepared.scaler, before[2])


def test_forecasts_of_0_are_the_means_of_the_series(prepared: SimpleNamespace) -> None:
    table = tabulate(prepared, "future")
    np.testing.assert_allclose(table["perfect"], np.repeat(prepared.scaler["mean"], 2))


def test_future_follows_the_last_observation(prepared: SimpleNamespace) -> None:
    table = tabulate(prepared, "future")
    last = prepared.series.groupby("unique_id")["ds"].max()
    assert table["cutoff"].tolist() == np.repeat(last, 2).tolist()


def test_future_has_no_actuals(prepared: SimpleNamespace) -> None:
    assert "y" not in tabulate(prepared, "future")


def test_signals_come_along(prepared: SimpleNamespace) -> None:
    series = prepared.features.table
    features = replace(prepared.features, table=series.assign(signal=np.arange(float(len(series)))))
    table = tabulate_forecasts(prepared.windows, features, prepared.scaler, {}, "test").table
    assert table["signal"].tolist()[:4] == [40, 41, 41, 42]


def test_y_is_empty_if_nothing_was_observed(prepare: Prepare, make_values: MakeValues) -> None:
    """The panel holds the filled value there, and no forecast is evaluated on it."""
    prepared = prepare(make_values(50, missing=[44]))
    table = tabulate(prepared, "test")
    empty = set(table.loc[table["y"].isna(), "ds"])
    assert empty == {pd.Timestamp("2021-02-14")}


def test_integer_steps_stay(prepare: Prepare, make_values: MakeValues) -> None:
    table = tabulate(prepare(make_values(50), freq=5, start=0), "future")
    assert table[["cutoff", "ds"]].to_numpy().tolist() == [[245, 250], [245, 255]]


@pytest.fixture
def predictions() -> Predictions:
    """Two forecasters, of which one has intervals of two levels, from three cut-offs."""
    table = pd.DataFrame(
        {"unique_id": "a", "cutoff": [0, 1, 2], "ds": [1, 2, 3], "horizon_step": 1}
    )
    table = table.assign(y=[1.0, np.nan, 3.0], gru=[0.0, 2.0, 4.0], ridge=[1.0, 2.0, np.nan])
    bounds = {
        f"gru-{side}-{level}": sign * level + table["gru"]
        for side, sign in (("lo", -1), ("hi", 1))
        for level in (80, 95)
    }
    return Predictions(table.assign(**bounds), ("gru", "ridge"), (80, 95))


def test_errors_are_positive_if_the_forecast_was_too_low(predictions: Predictions) -> None:
    """Bounds have none."""
    np.testing.assert_array_equal(
        predictions.errors, [[1.0, 0.0], [np.nan, np.nan], [-1.0, np.nan]]
    )


def test_bounds_are_those_of_a_level(predictions: Predictions) -> None:
    assert predictions.get_bounds("gru", 80).to_dict(orient="list") == {
        "lo": [-80, -78, -76],
        "hi": [80, 82, 84],
    }


def test_bounds_of_a_forecaster_without_intervals_are_refused(predictions: Predictions) -> None:
    with pytest.raises(TableError, match="ridge has no intervals of level 80"):
        predictions.get_bounds("ridge", 80)


def test_rows_are_kept_with_forecasters_as_with_levels(predictions: Predictions) -> None:
    kept = predictions.keep(predictions.table["y"].notna())
    assert (kept.table.index.tolist(), kept.forecasters, kept.levels) == (
        [0, 2],
        ("gru", "ridge"),
        (80, 95),
    )


def test_selected_forecaster_keeps_its_bounds(predictions: Predictions) -> None:
    assert predictions.select(["gru"]).get_bounds("gru", 95).shape == (3, 2)


def test_selection_has_no_columns_of_other_forecasters(predictions: Predictions) -> None:
    assert list(predictions.select(["ridge"]).table) == [
        "unique_id",
        "cutoff",
        "ds",
        "horizon_step",
        "y",
        "ridge",
    ]


def test_added_forecasts_are_empty_in_missing_rows(predictions: Predictions) -> None:
    """Whatever the order of its rows, and whatever else it forecasts."""
    forecasts = pd.DataFrame(
        {"unique_id": "a", "cutoff": [9, 2, 0], "ds": [10, 3, 1], "y_hat": [7.0, 8.0, 9.0]}
    )
    added = predictions.add("lstm", forecasts)
    assert added.forecasters == ("gru", "ridge", "lstm")
    np.testing.assert_array_equal(added.table["lstm"], [9.0, np.nan, 8.0])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table.assign(lstm=1.0), "lstm"),
        (lambda table: table.drop(columns="ridge"), "forecasters gru, ridge"),
        (lambda table: table.drop(columns="gru-hi-95"), "pairs of bounds of the levels 80, 95"),
        (lambda table: table.assign(ridge="1"), "'ridge': 'str'"),
        (lambda table: table.drop(columns="ds"), "TargetsTable: expected the columns"),
    ],
    ids=[
        "a column that is named nowhere",
        "no forecaster",
        "half an interval",
        "a forecast that is text",
        "no key",
    ],
)
def test_table_with_other_columns_is_refused(
    predictions: Predictions, change: Callable[[pd.DataFrame], pd.DataFrame], said: str
) -> None:
    with pytest.raises(TableError, match=said):
        replace(predictions, table=change(predictions.table))


def test_saved_predictions_come_back(predictions: Predictions, tmp_path: Path) -> None:
    """And whoever reads the file with pandas has the table."""
    path = str(tmp_path / "predictions.parquet")
    dataset = DescribedTableDataset(
        filepath=path, holds="rnn_pipelines.forecast.methods.predictions.Predictions"
    )
    dataset.save(predictions)
    found = dataset.load()
    pd.testing.assert_frame_equal(found.table, predictions.table)
    assert (found.forecasters, found.levels) == (predictions.forecasters, predictions.levels)
    pd.testing.assert_frame_equal(pd.read_parquet(path), predictions.table)


@pytest.fixture
def saved(predictions: Predictions, tmp_path: Path) -> tuple[np.ndarray, Path, Predictions]:
    """Numbers of the first forecaster, a file with them, and the forecasts that are read from it."""
    path = tmp_path / "predictions.parquet"
    name = predictions.forecasters[0]
    values = np.resize([0.1, -0.0, np.nan, np.inf, 5e-324], len(predictions.table))
    dataset = DescribedTableDataset(
        filepath=str(path), holds="rnn_pipelines.forecast.methods.predictions.Predictions"
    )
    dataset.save(replace(predictions, table=predictions.table.assign(**{name: values})))
    return values, path, dataset.load()


def test_numbers_come_back_to_the_last_bit(
    saved: tuple[np.ndarray, Path, Predictions],
) -> None:
    values, _, loaded = saved
    name = loaded.forecasters[0]
    assert loaded.table[name].to_numpy().tobytes() == values.tobytes()


def test_numbers_have_no_dictionary(saved: tuple[np.ndarray, Path, Predictions]) -> None:
    _, path, loaded = saved
    group = ParquetFile(path).metadata.row_group(0)
    columns = {
        column.path_in_schema: column for column in map(group.column, range(group.num_columns))
    }
    assert "BYTE_STREAM_SPLIT" in columns[loaded.forecasters[0]].encodings
    assert columns["unique_id"].has_dictionary_page


def test_file_without_the_names_of_its_forecasters_is_an_error(
    predictions: Predictions, tmp_path: Path
) -> None:
    path = str(tmp_path / "predictions.parquet")
    predictions.table.to_parquet(path)
    dataset = DescribedTableDataset(
        filepath=path, holds="rnn_pipelines.forecast.methods.predictions.Predictions"
    )
    with pytest.raises(DatasetError, match="forecasters"):
        dataset.load()


def test_forecast_that_is_not_finite_stays_in_the_log() -> None:
    """Monitoring has to find it."""
    steps = pd.DataFrame(
        {
            "unique_id": "a",
            "cutoff": [0, 1],
            "ds": [1, 2],
            "horizon_step": 1,
            "y_hat": [np.nan, np.inf],
        }
    )
    log = steps.assign(model_version="v1", recorded_at=pd.Timestamp("2024-01-01", tz="UTC"))
    assert ForecastLogTable.validate(log) is log
