"""The method in use: what is saved, exported, explained and written, with the numbers of its own column."""

import importlib.util
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from golden import has_in_order
from rnn_pipelines import Forecaster
from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel
from rnn_pipelines.forecast.methods.in_use import UseSpec, choose_used
from rnn_pipelines.forecast.methods.method import FittedMethod
from rnn_pipelines.forecast.report.advice import advise
from rnn_pipelines.forecast.report.verdict import write_verdict

TRAINING = {"max_steps": 25}


def draw_days(num_series: int = 1, num_days: int = 150) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    days = np.arange(num_days)
    frames = [
        pd.DataFrame(
            {
                "unique_id": f"s{number}",
                "ds": pd.date_range("2024-01-01", periods=num_days, freq="D"),
                "y": 50 + 5 * np.sin(days * 2 * np.pi / 7) + rng.normal(0, 2, num_days),
            }
        )
        for number in range(num_series)
    ]
    # A young series, of which the ensemble would make half a level.
    frames[1:2] = [frame[-4:] for frame in frames[1:2]]
    return pd.concat(frames, ignore_index=True)


def load_module(folder: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        f"exported_{folder.name}", folder / "forecaster.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module", params=[1, 4], ids=["alone", "panel"])
def used_frame(request: pytest.FixtureRequest) -> pd.DataFrame:
    return draw_days(request.param)


@pytest.fixture(scope="module", params=["ridge", "theta", "lstm", "ensemble"])
def used(request: pytest.FixtureRequest, used_frame: pd.DataFrame) -> tuple[str, Forecaster]:
    """A method, and a forecaster that uses it."""
    forecaster = Forecaster(h=7, level=(80,), use=request.param, training=TRAINING)
    return request.param, forecaster.fit(used_frame)


def list_columns(name: str) -> list[str]:
    return [name, f"{name}-lo-80", f"{name}-hi-80"]


def test_loaded_forecasts_are_those_of_the_column(
    used: tuple[str, Forecaster], used_frame: pd.DataFrame, tmp_path: Path
) -> None:
    name, forecaster = used
    forecaster.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model").predict(used_frame)
    columns = list_columns(name)
    assert [column for column in loaded if column not in ("unique_id", "ds")] == columns
    np.testing.assert_allclose(loaded[columns], forecaster.predict()[columns], rtol=1e-4)


def test_exported_forecasts_are_those_of_the_column(
    used: tuple[str, Forecaster], used_frame: pd.DataFrame, tmp_path: Path
) -> None:
    name, forecaster = used
    forecaster.export(tmp_path / "export")
    exported = load_module(tmp_path / "export").load(tmp_path / "export").predict(used_frame)
    columns = list_columns(name)
    np.testing.assert_allclose(exported[columns], forecaster.predict()[columns], rtol=1e-4)


@pytest.fixture(scope="module")
def theta() -> Forecaster:
    return Forecaster(h=7, level=(80,), use="theta", networks="pretrained").fit(draw_days())


def test_method_in_use_is_explained(theta: Forecaster) -> None:
    explained = theta.explain().groupby("ds")["contribution"].sum()
    np.testing.assert_allclose(explained, theta.predict()["theta"], rtol=1e-4)


def test_method_in_use_has_paths(theta: Forecaster) -> None:
    paths = theta.predict(paths=400).groupby("ds")["y"].median()
    assert abs(paths - theta.predict()["theta"].to_numpy()).max() < 2


def test_method_in_use_forecasts_all_series(theta: Forecaster) -> None:
    assert theta.series_methods()["forecast_by"].tolist() == ["theta"]


def test_method_of_other_series_is_refused() -> None:
    with pytest.raises(ParameterError, match=r"'croston' does not exist .*'ridge'"):
        Forecaster(h=7, use="croston", networks="pretrained").fit(draw_days())


def test_network_of_few_values_is_refused() -> None:
    with pytest.raises(ParameterError, match="'lstm' does not exist"):
        Forecaster(h=3, use="lstm").fit(draw_days(num_days=20))


LOSSES = {"ensemble": 0.5, "ridge": 0.4, "theta": 0.6, "gone": 0.1}


@pytest.mark.parametrize(
    ("losses", "expected"), [(LOSSES, "ridge"), (dict.fromkeys(LOSSES), "ensemble")]
)
def test_best_method_has_the_least_known_loss(
    losses: dict[str, float | None], expected: str
) -> None:
    method = FittedMethod(EnsembleModel({}, {}), np.zeros((0, 1)))
    fitted = dict.fromkeys(["ensemble", "ridge", "theta"], method)
    data = SimpleNamespace(validation=np.zeros(0, np.int64))
    assert choose_used(UseSpec("best"), data, fitted, losses) == expected


def test_verdict_names_the_method_in_use() -> None:
    metrics = make_metrics(1.6, use="ridge")
    assert has_in_order(
        write_verdict(metrics), "network, LSTM", "in use is the best baseline, ridge"
    )


def test_advice_does_not_name_the_method_in_use() -> None:
    metrics = make_metrics(1.6, use="ridge")
    assert "--use" not in " ".join(advise(metrics, (), "console"))


@pytest.mark.parametrize(
    ("wrong", "closest"), [("rigde", "ridge"), ("ensembl", "ensemble"), ("beste", "best")]
)
def test_unknown_method_is_refused_with_the_closest_one(wrong: str, closest: str) -> None:
    with pytest.raises(ParameterError, match=rf"use: .*'{wrong}'. Did you mean '{closest}'\?$"):
        Forecaster(use=wrong)


def test_best_does_not_read_the_test_part() -> None:
    frame = draw_days()
    changed = frame.assign(y=frame["y"].where(frame.index < 110, 1000 - frame["y"]))
    found = []
    for one in (frame, changed):
        forecaster = Forecaster(h=7, use="best", split={"test": 40}, training=TRAINING).fit(one)
        assert forecaster._fitted is not None
        found.append(forecaster._fitted.weights["used"])
    assert found[0] == found[1]


def test_console_writes_the_values_of_the_method_in_use(tmp_path: Path) -> None:
    draw_days().drop(columns="unique_id").to_csv(tmp_path / "days.csv", index=False)
    command = [
        sys.executable,
        "-m",
        "rnn_pipelines.console.main",
        "forecast",
        "days.csv",
        "-H",
        "7",
        "--use",
        "theta",
    ]
    command += ["--set", "training.max_steps=25", "--json", "-o", "found"]
    done = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True, text=True)
    assert json.loads(done.stdout)["use"] == "theta"
    values, methods = (
        pd.read_csv(tmp_path / "found" / name) for name in ("next_values.csv", "all_methods.csv")
    )
    np.testing.assert_allclose(values["forecast"], methods["theta"], rtol=1e-3)
    model = Forecaster.load(tmp_path / "found/model").predict(draw_days().drop(columns="unique_id"))
    np.testing.assert_allclose(model["theta"], methods["theta"], rtol=1e-5)


def make_metrics(
    ensemble: float, interval: tuple[float, float] | None = None, use: str = "ensemble"
) -> ForecastMetrics:
    errors = {"ridge": 1.0, "last_value": 2.0, "lstm": 1.1, "ensemble": ensemble}
    low, high = interval or (None, None)
    blocks = {
        name: {
            **dict.fromkeys(("mse", "rmse", "mae", "mase"), error),
            "difference": error - 1,
            "difference_low": low if name == "ensemble" else None,
            "difference_high": high if name == "ensemble" else None,
        }
        for name, error in errors.items()
    }
    return replace(ForecastMetrics(blocks, None), num_windows=40, mean_size=10.0, use=use)


def choose_with_errors(use: str, errors: dict[str, tuple[float, float]]) -> str:
    """Choose among methods with these errors, on the first 60 and on the newest 20 validation windows of a series."""
    origins = np.arange(100, 180)
    panel = SimpleNamespace(
        series_starts=np.zeros(1), find_series=lambda found: np.zeros(len(found), np.int64)
    )
    data = SimpleNamespace(validation=origins, panel=panel, actual=np.zeros((80, 1)))
    fitted = {
        name: FittedMethod(EnsembleModel({}, {}), np.repeat(early_and_late, [60, 20])[:, None])
        for name, early_and_late in errors.items()
    }
    return choose_used(
        UseSpec(use), data, fitted, {name: early for name, (early, _) in errors.items()}
    )


@pytest.mark.parametrize("use", ["ensemble", "best"])
def test_a_method_that_fails_on_the_newest_windows_is_replaced(use: str) -> None:
    errors = {
        "ensemble": (0.5, 5.0),
        "theta": (0.6, 1.1),
        "last_value": (1.0, 1.0),
        "seasonal_naive": (0.9, 4.0),
    }
    assert choose_with_errors(use, errors) == "last_value"


def test_the_best_simple_method_takes_its_place() -> None:
    errors = {
        "ensemble": (0.5, 5.0),
        "theta": (0.6, 0.7),
        "last_value": (1.0, 1.0),
        "seasonal_naive": (0.9, 4.0),
    }
    assert choose_with_errors("ensemble", errors) == "theta"


def test_a_method_with_less_than_twice_the_naive_error_stays() -> None:
    errors = {"ensemble": (0.5, 1.9), "last_value": (1.0, 1.0), "seasonal_naive": (0.9, 4.0)}
    assert choose_with_errors("ensemble", errors) == "ensemble"


def test_a_tiny_error_beside_none_is_no_failure() -> None:
    errors = {"ensemble": (0.01, 0.01), "last_value": (1.0, 1.0), "seasonal_naive": (0.0, 0.0)}
    assert choose_with_errors("ensemble", errors) == "ensemble"


def test_a_named_method_stays() -> None:
    errors = {
        "ensemble": (0.5, 5.0),
        "theta": (0.6, 9.0),
        "last_value": (1.0, 1.0),
        "seasonal_naive": (0.9, 4.0),
    }
    assert choose_with_errors("theta", errors) == "theta"
