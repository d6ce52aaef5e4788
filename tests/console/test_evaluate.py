"""The command `evaluate`: forecasts of a saved model beside the values that came since."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from rnn_pipelines import Forecaster
from rnn_pipelines.champion.folders import save_folder
from rnn_pipelines.console.evaluate import describe_actuals, evaluate
from rnn_pipelines.errors import ParameterError, SeriesError

HORIZON, NUM_NEW = 5, 12


def draw_sales(num_days: int = 120) -> pd.DataFrame:
    noise = np.random.default_rng(2).normal(size=num_days)
    values = 50 + 10 * np.sin(np.arange(num_days) * 2 * np.pi / 7) + noise
    return pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=num_days), "y": values})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of the sales without the newest ones, and files with and without these."""
    folder = tmp_path_factory.mktemp("evaluate")
    sales = draw_sales()
    fitted = Forecaster(h=HORIZON, networks="pretrained").fit(sales[:-NUM_NEW])
    fitted.save(folder / "model")
    sales.to_csv(folder / "all.csv", index=False)
    sales[:-NUM_NEW].to_csv(folder / "old.csv", index=False)
    sales[-NUM_NEW:].to_csv(folder / "new.csv", index=False)
    return folder


def call(folder: Path, file: str, *words: str) -> str:
    command = [str(folder / "model"), str(folder / file), *words]
    return CliRunner().invoke(evaluate, command, catch_exceptions=False).stdout


@pytest.fixture(scope="module")
def measured(folder: Path) -> Any:
    return json.loads(call(folder, "all.csv", "--json"))


def test_each_newer_value_counts_once(measured: Any) -> None:
    sales = draw_sales()
    assert measured["num_values"] == NUM_NEW
    assert [row["actual"] for row in measured["by_time"]] == pytest.approx(sales["y"][-NUM_NEW:])


def test_the_first_forecasts_are_those_after_the_fit(folder: Path, measured: Any) -> None:
    """Those of the model in use, which was refitted up to the last value."""
    expected = Forecaster.load(folder / "model").predict(draw_sales()[:-NUM_NEW])["ensemble"]
    forecasts = [row["forecast"] for row in measured["by_time"][:HORIZON]]
    assert forecasts == pytest.approx(expected.tolist())


def test_seasonal_naive_repeats_the_week_before_each_forecast(measured: Any) -> None:
    y = draw_sales()["y"].to_numpy()
    first = len(y) - NUM_NEW
    places = np.arange(first, len(y))
    # Every forecast begins after a horizon, and repeats its last week.
    begins = first + (places - first) // HORIZON * HORIZON
    sources = places - 7 * np.ceil((places - begins + 1) / 7).astype(int)
    expected = np.abs(y[places] - y[sources]).mean()
    assert measured["mae"]["seasonal_naive"] == pytest.approx(expected)


def test_the_error_is_the_mean_of_those_by_time(measured: Any) -> None:
    mean = np.mean([row["error"] for row in measured["by_time"]])
    assert measured["mae"]["ensemble"] == pytest.approx(mean)


def test_intervals_have_their_limits_by_chance(measured: Any) -> None:
    interval = measured["intervals"][0]
    inside = sum(row["inside_80"] for row in measured["by_time"])
    assert (interval["level"], interval["num_inside"]) == (80, inside)
    assert 0 <= interval["low"] <= inside / NUM_NEW <= interval["high"] <= 1


def test_a_panel_is_averaged_over_its_series(tmp_path: Path) -> None:
    sales = pd.concat([draw_sales().assign(unique_id=name) for name in "ab"])
    until = sales["ds"].max() - pd.Timedelta(days=NUM_NEW)
    fitted = Forecaster(h=HORIZON, networks="pretrained").fit(sales[sales["ds"] <= until])
    fitted.save(tmp_path / "model")
    sales.to_csv(tmp_path / "all.csv", index=False)
    found = json.loads(call(tmp_path, "all.csv", "--json", "--id", "unique_id"))
    assert (found["num_series"], found["num_values"]) == (2, 2 * NUM_NEW)
    assert len(found["by_time"]) == NUM_NEW


def test_the_first_line_is_the_error(folder: Path) -> None:
    assert call(folder, "all.csv").startswith("The forecast was off by ")


def test_a_file_without_newer_values_is_refused(folder: Path) -> None:
    with pytest.raises(
        SeriesError, match=r"old\.csv: expected rows after the training, which ends at 2024-04-17"
    ):
        call(folder, "old.csv")


def test_a_file_of_newer_values_alone_is_refused(folder: Path) -> None:
    with pytest.raises(SeriesError, match=r"new\.csv: expected values over a lookback"):
        call(folder, "new.csv")


def test_a_classifier_has_no_forecasts(folder: Path) -> None:
    save_folder(folder / "classifier", {"vocabulary.json": b"[]"})
    with pytest.raises(ParameterError, match="classifies texts"):
        CliRunner().invoke(
            evaluate,
            [str(folder / "classifier"), str(folder / "all.csv")],
            catch_exceptions=False,
        )


@pytest.mark.parametrize(
    ("low", "high", "verdict"), [(0.5, 0.9, "it held"), (0.3, 0.7, "it did not hold")]
)
def test_an_interval_holds_if_its_level_is_within_the_limits(
    low: float, high: float, verdict: str
) -> None:
    interval = {"level": 80, "num_inside": 6, "num_values": 10, "low": low, "high": high}
    results = {
        "use": "theta",
        "num_values": 10,
        "num_series": 1,
        "first": "2024-01-01",
        "last": "2024-01-10",
        "mae": {"theta": 2.0, "seasonal_naive": 4.0},
        "intervals": [interval],
    }
    error, intervals = describe_actuals(results)
    assert "off by 2.00 on average, 50 % below seasonal naive (4.00)" in error
    assert verdict in intervals
