"""A forecaster forecasts by itself what its panel's windows gave, from any cut-off and for any series."""

import dataclasses
import json
import logging
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fitted import combine_model, forecast_by_matrix, forecast_newest, forecast_origins
from rnn_pipelines.forecast.intervals.bounding import add_intervals
from rnn_pipelines.forecast.methods.forecasts import forecast_simple_methods
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.networks.network import Network, size_members
from rnn_pipelines.forecast.methods.predictions import Forecasts, Predictions, tabulate_forecasts
from rnn_pipelines.forecast.model.artefact import Forecaster, forecast_cutoffs
from rnn_pipelines.forecast.model.settings import ForecasterSettings
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.networks.members import initialize_members

MakeTable = Callable[..., pd.DataFrame]
MakeValues = Callable[..., list[float | None]]

Prepare = Callable[..., SimpleNamespace]
MakeForecaster = Callable[..., Forecaster]
WINDOW = WindowSpec(lookback=4, horizon=2)
SOURCE = SourceSpec(name="catalog", freq="D")


@pytest.fixture(scope="module")
def prepared(prepare: Prepare, make_values: MakeValues) -> SimpleNamespace:
    return prepare({"a": make_values(60, seed=1), "b": make_values(50, seed=2)}, WINDOW)


@pytest.fixture(scope="module")
def forecaster(prepared: SimpleNamespace, make_forecaster: MakeForecaster) -> Forecaster:
    return make_forecaster(prepared, "lstm", "gru")


def tabulate(forecaster: Forecaster, prepared: SimpleNamespace, part: str) -> pd.DataFrame:
    """What the forecaster says about a part of the panel, through its windows."""
    index = prepared.windows.index(part)
    scaled = forecaster.model.forecast(prepared.windows, index.origins(np.arange(len(index))))
    forecasts = {"y_hat": Forecasts(test=scaled, future=scaled)}
    return tabulate_forecasts(
        prepared.windows, prepared.features, prepared.scaler, forecasts, part
    ).table


COLUMNS = ["unique_id", "cutoff", "ds", "horizon_step", "y_hat"]


def test_forecasts_of_the_holdout_are_those_of_the_panel(
    forecaster: Forecaster, prepared: SimpleNamespace
) -> None:
    """Simple methods and both networks, in the series' unit."""
    expected = tabulate(forecaster, prepared, "test")[COLUMNS]
    cutoffs = expected[["unique_id", "cutoff"]].drop_duplicates()
    found = forecast_cutoffs(forecaster, prepared.series, cutoffs)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)


def test_newest_forecasts_are_those_of_the_panel(
    forecaster: Forecaster, prepared: SimpleNamespace
) -> None:
    expected = tabulate(forecaster, prepared, "future")[COLUMNS]
    found = forecast_newest(forecaster, prepared.table, SOURCE)
    pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)


def test_values_after_the_cutoff_change_no_forecast(
    forecaster: Forecaster, prepared: SimpleNamespace
) -> None:
    cutoff = pd.Timestamp("2021-02-05")
    wild = prepared.series.assign(y=prepared.series["y"].mask(prepared.series["ds"] > cutoff, 1e6))
    cutoffs = pd.DataFrame({"unique_id": ["a", "b"], "cutoff": cutoff})
    one, other = (
        forecast_cutoffs(forecaster, series, cutoffs) for series in (prepared.series, wild)
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_bounds_of_the_holdout_are_the_panels(
    prepared: SimpleNamespace, make_forecaster: MakeForecaster
) -> None:
    """Of newer values, as they would be of the windows; the points stay."""
    forecaster = make_forecaster(prepared, "gru", level=(50, 99))
    points = tabulate(forecaster, prepared, "test")
    predictions = Predictions(points[COLUMNS], ("y_hat",))
    panel = prepared.windows
    expected = add_intervals(predictions, forecaster.intervals, panel, prepared.scaler, "test")
    found = forecast_cutoffs(
        forecaster, prepared.series, points[["unique_id", "cutoff"]].drop_duplicates()
    )
    assert list(found) == [*COLUMNS, "lo_50", "hi_50", "lo_99", "hi_99"]
    np.testing.assert_allclose(found["y_hat"], points["y_hat"], rtol=1e-5)
    for level in (50, 99):
        bounds = found[[f"lo_{level}", f"hi_{level}"]]
        np.testing.assert_allclose(bounds, expected.get_bounds("y_hat", level), rtol=1e-5)


def test_longer_series_keep_the_calendar_of_the_training(
    forecaster: Forecaster, make_table: MakeTable
) -> None:
    """A year later the yearly cycle would be chosen; a forecaster that didn't know it goes on without."""
    assert forecaster.settings.calendar == CalendarSpec(yearly=0, weekly=1, daily=0)
    longer = make_table({"a": [5.0, 6.0, 7.0] * 200})
    assert len(forecast_newest(forecaster, longer, SOURCE)) == 2


def test_new_series_are_forecast(forecaster: Forecaster, make_table: MakeTable) -> None:
    table = make_table({"a": [1.0, 2.0, 3.0, 4.0, 5.0], "x": [1.0] * 9, "y": [1.0] * 9})
    found = forecast_newest(forecaster, table, SOURCE)
    assert set(found["unique_id"]) == {"a", "x", "y"}
    assert found["y_hat"].notna().all()


def test_series_shorter_than_a_window_are_forecast(
    forecaster: Forecaster, make_table: MakeTable
) -> None:
    found = forecast_newest(
        forecaster, make_table({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0, 3.0, 4.0]}), SOURCE
    )
    assert set(found["unique_id"]) == {"a", "b"}


def test_cutoffs_of_unknown_series_are_left_out_with_a_warning(
    forecaster: Forecaster, prepared: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    """A champion is compared with a challenger on the series of its training."""
    others = prepared.series.replace({"unique_id": {"b": "x"}})
    cutoffs = others.groupby("unique_id", sort=False)["ds"].max().rename("cutoff").reset_index()
    assert set(forecast_cutoffs(forecaster, others, cutoffs)["unique_id"]) == {"a"}
    assert any("1 series without training (x)" in message for message in caplog.messages)


@pytest.fixture(scope="module")
def young(prepare: Prepare, make_values: MakeValues) -> SimpleNamespace:
    """A panel whose second series is shorter than the lookback and its parts together."""
    return prepare(
        {"a": make_values(60, seed=1), "b": make_values(36, seed=2)},
        WindowSpec(lookback=20, horizon=2),
    )


def test_padded_forecasts_are_those_of_the_panel(
    young: SimpleNamespace, make_forecaster: MakeForecaster
) -> None:
    forecaster = make_forecaster(young)
    for part, cutoffs in (
        ("test", None),
        ("future", young.series.groupby("unique_id")["ds"].max()),
    ):
        expected = tabulate(forecaster, young, part)[COLUMNS]
        times = expected[["unique_id", "cutoff"]].drop_duplicates()
        assert cutoffs is None or times["cutoff"].tolist() == cutoffs.tolist()
        found = forecast_cutoffs(forecaster, young.series, times)
        pd.testing.assert_frame_equal(found, expected, check_dtype=False, rtol=1e-5)


def test_forecaster_of_a_panel_forecasts_series_that_are_shorter_than_its_lookback(
    young: SimpleNamespace, make_forecaster: MakeForecaster, make_table: MakeTable
) -> None:
    found = forecast_newest(
        make_forecaster(young), make_table({"a": list(range(13)), "b": list(range(14))}), SOURCE
    )
    assert set(found["unique_id"]) == {"a", "b"}
    assert np.isfinite(found["y_hat"]).all()


def test_forecaster_of_one_series_needs_its_whole_lookback(
    prepare: Prepare,
    make_forecaster: MakeForecaster,
    make_values: MakeValues,
    make_table: MakeTable,
    caplog: pytest.LogCaptureFixture,
) -> None:
    alone = prepare(make_values(60), WindowSpec(lookback=20, horizon=2))
    assert forecast_newest(make_forecaster(alone), make_table(list(range(19))), SOURCE).empty
    assert any(
        "1 of 1 cut-offs" in message and "20 steps" in message for message in caplog.messages
    )


@pytest.mark.parametrize(("gaps", "names"), [("interpolate", {"a", "b"}), ("split", {"b"})])
def test_gaps_are_treated_as_in_training(
    prepared: SimpleNamespace,
    make_forecaster: MakeForecaster,
    make_table: MakeTable,
    gaps: str,
    names: set[str],
) -> None:
    values = {"a": [1.0, 2.0, 3.0, None, 5.0, 6.0], "b": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]}
    found = forecast_newest(make_forecaster(prepared, gaps=gaps), make_table(values), SOURCE)
    assert set(found["unique_id"]) == names


def test_forecast_of_a_series_does_not_depend_on_the_others(
    forecaster: Forecaster, prepared: SimpleNamespace
) -> None:
    alone = prepared.table[prepared.table["unique_id"] == "b"]
    found = forecast_newest(forecaster, prepared.table, SOURCE)
    expected = found[found["unique_id"] == "b"].reset_index(drop=True)
    pd.testing.assert_frame_equal(forecast_newest(forecaster, alone, SOURCE), expected, rtol=1e-5)


def test_training_ends_before_the_test_part(forecaster: Forecaster) -> None:
    """Series by series: the choice among networks has seen the validation part."""
    until = {name: str(last)[:10] for name, last in forecaster.settings.trained_until.items()}
    assert until == {"a": "2021-02-19", "b": "2021-02-09"}


def test_forecaster_is_not_changed_by_forecasting(
    forecaster: Forecaster, prepared: SimpleNamespace
) -> None:
    before = json.loads(forecaster.settings.model_dump_json()), forecaster.scaler.copy()
    forecast_newest(forecaster, prepared.table, SOURCE)
    assert json.loads(forecaster.settings.model_dump_json()) == before[0]
    pd.testing.assert_frame_equal(forecaster.scaler, before[1])


def test_forecasting_warns_of_nothing(
    forecaster: Forecaster, prepared: SimpleNamespace, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "rnn_pipelines"):
        forecast_newest(dataclasses.replace(forecaster), prepared.table, SOURCE)
    assert [record for record in caplog.records if record.name.startswith("rnn_pipelines")] == []


def test_steps_are_as_days_are(
    prepare: Prepare, make_forecaster: MakeForecaster, make_values: MakeValues
) -> None:
    prepared = prepare(make_values(50), WINDOW, freq=2, start=10)
    forecaster = make_forecaster(prepared)
    found = forecast_newest(forecaster, prepared.table, SourceSpec(name="catalog"))
    assert found["ds"].tolist() == [110, 112]
    expected = tabulate(forecaster, prepared, "future")["y_hat"]
    np.testing.assert_allclose(found["y_hat"], expected, rtol=1e-5)


@pytest.fixture(scope="module", params=["one", "many"])
def case(
    request: pytest.FixtureRequest, prepare: Prepare, make_values: MakeValues
) -> SimpleNamespace:
    """A panel, its base, its test windows and two networks of random weights."""
    values = (
        make_values(90)
        if request.param == "one"
        else {"a": make_values(90, seed=1), "b": make_values(80, seed=2)}
    )
    panel = prepare(values, WINDOW).windows
    linear = fit_linear_models(panel)
    index = panel.index("test")
    networks = {}
    for seed, cell in enumerate(("lstm", "gru")):
        weights = initialize_members(
            seed, 2, size_members(panel, cell, 3, 0 if request.param == "one" else 4, 1, ())
        )
        weights["head_kernel"] += np.float32(0.3)
        unseen = np.zeros((len(linear.validation), panel.horizon), np.float32)
        networks[cell] = Network(weights, cell, 1, np.zeros(0, np.int64), 0.25 + 0.5 * seed, unseen)
    return SimpleNamespace(
        panel=panel, linear=linear, origins=index.origins(np.arange(len(index))), networks=networks
    )


def test_ensemble_is_the_combination_of_its_models(case: SimpleNamespace) -> None:
    weights = {"baseline_ensemble": 0.5, "lstm": 0.2, "gru": 0.3}
    model = combine_model(case.panel, case.linear, case.networks, weights)
    expected = weights["baseline_ensemble"] * forecast_by_matrix(
        case.panel, case.linear, case.linear.combine(), case.origins
    )
    for name, network in case.networks.items():
        expected = expected + weights[name] * forecast_origins(
            network, case.linear, case.panel, case.origins
        )
    np.testing.assert_allclose(
        model.forecast(case.panel, case.origins), expected, rtol=1e-4, atol=1e-4
    )
    weights = {"baseline_ensemble": 0.5, "lstm": 0.0, "gru": 0.5}
    combined: Any = combine_model(case.panel, case.linear, case.networks, weights).model
    assert list(combined.models) == ["baseline_ensemble", "gru"]
    weights = {"baseline_ensemble": 1.0, "lstm": 0.0, "gru": 0.0}
    model = combine_model(case.panel, case.linear, case.networks, weights)
    expected = forecast_simple_methods(FittingData(case.panel, case.linear))[
        "baseline_ensemble"
    ].test
    np.testing.assert_allclose(
        model.forecast(case.panel, case.origins), expected, rtol=1e-5, atol=1e-5
    )
    weights = {"baseline_ensemble": 0.0, "lstm": 0.5, "gru": 0.5}
    packed = combine_model(case.panel, case.linear, case.networks, weights).model.pack()
    assert [packed[f"{name}.out_of_fold"].size for name in ("lstm", "gru")] == [0, 0]


@pytest.mark.parametrize("options", [{}, {"freq": 1, "start": 0}], ids=["days", "steps"])
def test_settings_come_back_from_json(
    prepare: Prepare, make_forecaster: MakeForecaster, make_values: MakeValues, options: dict
) -> None:
    settings = make_forecaster(prepare(make_values(50), WINDOW, **options)).settings
    again = ForecasterSettings.model_validate_json(settings.model_dump_json())
    assert again == settings
    assert type(again.freq) is type(settings.freq)
