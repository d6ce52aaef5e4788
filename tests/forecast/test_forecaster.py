"""A forecaster forecasts by itself what its panel's windows gave, from any cut-off and for any series that it knows."""

import dataclasses
import json
import logging
from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.forecaster import (
    Forecaster,
    ForecasterSettings,
    describe_forecaster,
    forecast_cutoffs,
    forecast_newest,
)
from rnn_pipelines.forecast.predictions import Forecasts, tabulate_forecasts
from rnn_pipelines.forecast.series.calendar import CalendarSpec
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.windows import WindowSpec
from rnn_pipelines.forecast.specs import NetworkSpec

Prepare = Callable[..., SimpleNamespace]
WINDOW = WindowSpec(lookback=4, horizon=2)
SOURCE = SourceSpec(name="catalog", freq="D")


def make_forecaster(prepared: SimpleNamespace, *cells: str, gaps: str = "interpolate") -> Forecaster:
    """With networks that were never trained."""
    import keras

    from rnn_pipelines.forecast.networks import build_forecaster

    keras.utils.set_random_seed(0)
    settings = describe_forecaster(
        prepared.series, prepared.profile, prepared.cutoffs, WINDOW, CalendarSpec(), GapPolicy(gaps)
    )
    specs = {cell: NetworkSpec(cell=cell, units=(3,)) for cell in cells or ("gru",)}
    networks = {cell: build_forecaster(spec, 4, 2, prepared.windows.num_known) for cell, spec in specs.items()}
    return Forecaster(networks, prepared.scaler, settings.model_copy(update={"networks": specs}))


@pytest.fixture(scope="module")
def prepared(prepare: Prepare, make_values: Callable[..., list[float | None]]) -> SimpleNamespace:
    return prepare({"a": make_values(60, seed=1), "b": make_values(50, seed=2)}, WINDOW)


@pytest.fixture(scope="module")
def forecaster(prepared: SimpleNamespace) -> Forecaster:
    return make_forecaster(prepared, "lstm", "gru")


def tabulate(forecaster: Forecaster, prepared: SimpleNamespace, part: str) -> pd.DataFrame:
    """What the networks say about a part of the panel, through its windows."""
    from rnn_pipelines.forecast.training import forecast_windows

    each = [forecast_windows(network, prepared.windows) for network in forecaster.networks.values()]
    mean = Forecasts(*(np.mean([getattr(f, name) for f in each], axis=0) for name in ("test", "future")))
    return tabulate_forecasts(prepared.windows, prepared.features, prepared.scaler, {"y_hat": mean}, part).table


COLUMNS = ["unique_id", "cutoff", "ds", "horizon_step", "y_hat"]


def test_forecasts_of_the_holdout_are_those_of_the_panel(forecaster: Forecaster, prepared: SimpleNamespace) -> None:
    """The mean of both networks, in the series' unit."""
    expected = tabulate(forecaster, prepared, "test")[COLUMNS]
    cutoffs = expected[["unique_id", "cutoff"]].drop_duplicates()
    found = forecast_cutoffs(forecaster, prepared.series, cutoffs)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)


def test_newest_forecasts_are_those_of_the_panel(forecaster: Forecaster, prepared: SimpleNamespace) -> None:
    expected = tabulate(forecaster, prepared, "future")[COLUMNS]
    found = forecast_newest(forecaster, prepared.table, SOURCE)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)


def test_forecasts_see_nothing_after_their_cutoff(forecaster: Forecaster, prepared: SimpleNamespace) -> None:
    cutoff = pd.Timestamp("2021-02-05")
    wild = prepared.series.assign(y=prepared.series["y"].mask(prepared.series["ds"] > cutoff, 1e6))
    cutoffs = pd.DataFrame({"unique_id": ["a", "b"], "cutoff": cutoff})
    one, other = (forecast_cutoffs(forecaster, series, cutoffs) for series in (prepared.series, wild))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_newer_values_keep_the_forecasters_scale_and_calendar(
    forecaster: Forecaster, prepared: SimpleNamespace, make_table: Callable[..., pd.DataFrame]
) -> None:
    """A year later the yearly cycle would be chosen; a forecaster that didn't know it goes on without."""
    assert forecaster.settings.calendar == CalendarSpec(yearly=0, weekly=1, daily=0)
    longer = make_table({"a": [5.0, 6.0, 7.0] * 200})
    assert len(forecast_newest(forecaster, longer, SOURCE)) == 2


def test_unknown_series_are_left_out_with_a_warning(
    forecaster: Forecaster, make_table: Callable[..., pd.DataFrame], caplog: pytest.LogCaptureFixture
) -> None:
    table = make_table({"a": [1.0, 2.0, 3.0, 4.0, 5.0], "x": [1.0] * 9, "y": [1.0] * 9})
    found = forecast_newest(forecaster, table, SOURCE)
    assert set(found["unique_id"]) == {"a"}
    assert "left out: 2 series that the forecaster doesn't know (x, y)" in caplog.messages


def test_only_unknown_series_give_an_empty_table(
    forecaster: Forecaster, make_table: Callable[..., pd.DataFrame]
) -> None:
    found = forecast_newest(forecaster, make_table({"x": [1.0] * 9}), SOURCE)
    assert (list(found.columns), len(found)) == (COLUMNS, 0)


def test_series_shorter_than_the_lookback_are_left_out(
    forecaster: Forecaster, make_table: Callable[..., pd.DataFrame], caplog: pytest.LogCaptureFixture
) -> None:
    found = forecast_newest(forecaster, make_table({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0, 4.0]}), SOURCE)
    assert set(found["unique_id"]) == {"b"}
    assert "left out: 1 of 2 cut-offs before which there are no 4 steps with values" in caplog.messages


@pytest.mark.parametrize(("gaps", "names"), [("interpolate", {"a", "b"}), ("split", {"b"})])
def test_gaps_are_treated_as_in_training(
    prepared: SimpleNamespace, make_table: Callable[..., pd.DataFrame], gaps: str, names: set[str]
) -> None:
    values = {"a": [1.0, 2.0, 3.0, None, 5.0, 6.0], "b": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    found = forecast_newest(make_forecaster(prepared, gaps=gaps), make_table(values), SOURCE)
    assert set(found["unique_id"]) == names


def test_other_series_of_the_table_change_nothing(
    forecaster: Forecaster, prepared: SimpleNamespace, make_table: Callable[..., pd.DataFrame]
) -> None:
    alone = prepared.table[prepared.table["unique_id"] == "b"]
    found = forecast_newest(forecaster, prepared.table, SOURCE)
    expected = found[found["unique_id"] == "b"].reset_index(drop=True)
    pd.testing.assert_frame_equal(forecast_newest(forecaster, alone, SOURCE), expected, rtol=1e-5)


def test_steps_are_forecast_as_days_are(prepare: Prepare, make_values: Callable[..., list[float | None]]) -> None:
    prepared = prepare(make_values(50), WINDOW, freq=2, start=10)
    forecaster = make_forecaster(prepared)
    found = forecast_newest(forecaster, prepared.table, SourceSpec(name="catalog"))
    assert found["ds"].tolist() == [110, 112]
    expected = tabulate(forecaster, prepared, "future")["y_hat"]
    np.testing.assert_allclose(found["y_hat"], expected, rtol=1e-5)


# Settings


def test_settings_know_the_last_time_that_training_has_seen(forecaster: Forecaster) -> None:
    """The day before the test part, series by series: the choice among networks has seen the validation part."""
    until = {name: str(last)[:10] for name, last in forecaster.settings.trained_until.items()}
    assert until == {"a": "2021-02-19", "b": "2021-02-09"}


@pytest.mark.parametrize("options", [{}, {"freq": 1, "start": 0}], ids=["days", "steps"])
def test_settings_come_back_from_json(
    prepare: Prepare, make_values: Callable[..., list[float | None]], options: dict
) -> None:
    settings = make_forecaster(prepare(make_values(50), WINDOW, **options)).settings
    again = ForecasterSettings.model_validate_json(settings.model_dump_json())
    assert again == settings
    assert type(again.freq) is type(settings.freq)


def test_forecaster_is_not_changed(forecaster: Forecaster, prepared: SimpleNamespace) -> None:
    before = json.loads(forecaster.settings.model_dump_json()), forecaster.scaler.copy()
    forecast_newest(forecaster, prepared.table, SOURCE)
    assert json.loads(forecaster.settings.model_dump_json()) == before[0]
    pd.testing.assert_frame_equal(forecaster.scaler, before[1])


def test_no_warning_without_a_cause(
    forecaster: Forecaster, prepared: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "rnn_pipelines"):
        forecast_newest(dataclasses.replace(forecaster), prepared.table, SOURCE)
    assert [record for record in caplog.records if record.name.startswith("rnn_pipelines")] == []
