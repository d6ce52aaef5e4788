"""The parts of a forecast sum up to it, and are those that are known where they are known."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.methods.ensemble import fit_all_methods
from rnn_pipelines.forecast.methods.forecasts import forecast_methods
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.model.explanation import explain_ensemble, explain_windows
from rnn_pipelines.forecast.recipe import Panel
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec

MakeValues = Callable[..., list]

Prepare = Callable[..., SimpleNamespace]
KEY = ["unique_id", "ds"]


def sum_up(explained: pd.DataFrame) -> np.ndarray:
    return explained.groupby(KEY, sort=False)["contribution"].sum().to_numpy()


@pytest.fixture(scope="module")
def daily(make_table: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    """A week's cycle with noise, two and a half years long."""
    random = np.random.default_rng(0)
    days = np.arange(900)
    values = (
        20
        + 3 * np.sin(2 * np.pi * days / 7)
        + 8 * np.sin(2 * np.pi * days / 365)
        + random.normal(size=900)
    )
    return make_table({"a": values.tolist()}).reset_index(drop=True)


@pytest.fixture(scope="module")
def fitted(daily: pd.DataFrame) -> Forecaster:
    small = {
        "lstm": {"units": [4, 3], "dropout": 0.2},
        "gru": {"units": 4},
        "training": {"max_steps": 100},
    }
    return Forecaster(h=4, level=None, lookback=14, **small).fit(daily)


@pytest.mark.parametrize(
    "name",
    [
        "ensemble",
        "lstm",
        "gru",
        "ridge",
        "baseline_ensemble",
        "last_value",
        "seasonal_naive",
        "climatology",
        "theta",
    ],
)
def test_parts_sum_up_to_the_forecast(fitted: Forecaster, name: str) -> None:
    np.testing.assert_allclose(
        sum_up(fitted.explain(forecaster=name)), fitted.predict(methods=[name])[name], rtol=1e-5
    )


@pytest.mark.parametrize("kind", ["series", "window", "log"])
@pytest.mark.parametrize("lookback", [4, 7])
def test_parts_of_strong_networks_sum_up_too(
    prepare: Prepare, make_values: MakeValues, make_forecaster: Callable, kind: str, lookback: int
) -> None:
    """Of two series, whose networks have an embedding, and of one, in every frame, with networks of random weights."""
    for values in (
        {"a": make_values(80, seed=1), "b": make_values(60, seed=2)},
        {"a": make_values(80, seed=3)},
    ):
        window = WindowSpec(lookback=lookback, horizon=3)
        prepared = prepare(values, window, calendar=CalendarSpec(weekly=1))
        model = make_forecaster(prepared, "lstm", "gru", window=window).model
        model = replace(model, normalizer=replace(model.normalizer, kind=kind))
        panel = Panel(**{name: getattr(prepared, name) for name in Panel.__dataclass_fields__})
        index = panel.windows.index("future")
        origins = index.origins(np.arange(len(index)))
        scaled = model.forecast(panel.windows, origins)
        scaler = panel.scaler[["mean", "deviation"]].to_numpy()
        expected = scaled * scaler[:, 1:] + scaler[:, :1]
        explained = explain_windows(model, panel.windows, panel.features, panel.scaler, origins)
        np.testing.assert_allclose(sum_up(explained), expected.ravel(), rtol=1e-4)


def test_last_value_reads_the_last_value(fitted: Forecaster) -> None:
    found = fitted.explain(forecaster="last_value")
    moved = found[(found["contribution"].abs() > 1e-9) & (found["input"] != "baseline")]
    assert set(zip(moved["input"], moved["lag"], strict=True)) == {("y", 1)}


def test_seasonal_naive_reads_one_season_before(fitted: Forecaster) -> None:
    found = fitted.explain(forecaster="seasonal_naive")
    moved = found[(found["contribution"].abs() > 1e-9) & (found["input"] == "y")]
    assert (moved["lag"] + moved["horizon_step"] - 1 == 7).all()
    assert moved["horizon_step"].tolist() == [4, 3, 2, 1]


def test_climatology_reads_the_calendar_alone(fitted: Forecaster) -> None:
    found = (
        fitted.explain(forecaster="climatology")
        .groupby("input")["contribution"]
        .apply(lambda parts: parts.abs().max())
    )
    assert found["y"] == 0
    assert found["calendar"] > 1


def test_theta_reads_all_values_at_once(fitted: Forecaster) -> None:
    found = fitted.explain(forecaster="theta")
    assert set(found.loc[found["contribution"].abs() > 1e-9, "input"]) <= {"baseline", "theta"}


def test_ensemble_has_a_part_for_each_value_of_its_window(fitted: Forecaster) -> None:
    found = fitted.explain()
    assert not found.duplicated([*KEY, "input", "lag"]).any()
    lags = found.loc[found["input"] == "y", "lag"]
    assert set(range(1, 15)) <= set(lags)
    assert (found.loc[found["input"] != "y", "lag"] == 0).all()


def test_unknown_method_is_refused(fitted: Forecaster) -> None:
    with pytest.raises(ParameterError, match=r"expected one of .* received 'rnn'"):
        fitted.explain(forecaster="rnn")


def test_loaded_forecaster_explains_new_values_alone(
    fitted: Forecaster, daily: pd.DataFrame, tmp_path: Path
) -> None:
    newer = daily.assign(ds=daily["ds"] + pd.Timedelta(days=3), y=daily["y"] + 1)
    fitted.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.explain(newer), fitted.explain(newer))
    np.testing.assert_allclose(
        sum_up(fitted.explain(newer)), fitted.predict(newer)["ensemble"], rtol=1e-5
    )
    with pytest.raises(ParameterError, match="holds no series"):
        Forecaster.load(tmp_path / "model").explain()


@pytest.fixture(scope="module")
def explained_run(
    prepare: Prepare, make_values: MakeValues
) -> tuple[SimpleNamespace, pd.DataFrame, np.ndarray]:
    """A panel, what a run explains of it, and the next values of its ensemble, scaled."""
    prepared = prepare(
        {"a": make_values(80, seed=1), "b": make_values(70, seed=2)},
        WindowSpec(lookback=4, horizon=3),
    )
    panel = prepared.windows
    linear = fit_linear_models(panel)
    fitted = fit_all_methods(FittingData(panel, linear), {})[0]
    explained = explain_ensemble(
        panel, prepared.features, prepared.scaler, linear, fitted, {"used": "ensemble"}
    )
    return prepared, explained, forecast_methods(panel, linear, fitted)["ensemble"].future


def test_a_run_explains_windows_of_both_parts(
    explained_run: tuple[SimpleNamespace, pd.DataFrame, np.ndarray],
) -> None:
    prepared, explained, _ = explained_run
    counts = explained.drop_duplicates(["part", "unique_id", "cutoff"])["part"].value_counts()
    assert counts["future"] == 2
    assert counts["test"] == min(6, len(prepared.windows.index("test")))


def test_parts_of_a_run_sum_to_its_next_values(
    explained_run: tuple[SimpleNamespace, pd.DataFrame, np.ndarray],
) -> None:
    prepared, explained, scaled = explained_run
    scaler = prepared.scaler
    expected = scaled * scaler[["deviation"]].to_numpy() + scaler[["mean"]].to_numpy()
    sums = sum_up(explained[explained["part"] == "future"])
    np.testing.assert_allclose(sums, expected.ravel(), rtol=1e-4)
