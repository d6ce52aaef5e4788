"""Whole runs under `--env=test`: what the files hold, not only that they are there."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from fitted import forecast_network
from rnn_pipelines import Forecaster
from rnn_pipelines.datasets import ArraysDataset
from rnn_pipelines.report.notes import NOTE_TITLE
from whole_runs import BASELINES, PROJECT, ROOT, call_command, copy_configuration, take_checksums

FORECASTERS = ["lstm", "gru", "ensemble", *BASELINES]
FRAMEWORKS = re.compile(r"\| +(tensorflow|keras)\b")


def run_kedro(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-X", "importtime", "-m", "kedro", *arguments]
    return subprocess.run(command, check=False, cwd=PROJECT, capture_output=True, text=True)


def run_forecast(*settings: str) -> subprocess.CompletedProcess[str]:
    parameters = (
        ["--params", ",".join(f"forecast.{setting}" for setting in settings)] if settings else []
    )
    return run_kedro("run", "--pipelines=forecast", "--env=test", *parameters)


class Results:
    """Reads what a run under `--env=test` wrote."""

    root = ROOT

    def table(self, path: str) -> pd.DataFrame:
        return pd.read_parquet(self.root / path)

    def json(self, path: str) -> dict:
        return json.loads((self.root / path).read_text())


@pytest.fixture(scope="module")
def finished() -> subprocess.CompletedProcess[str]:
    """A run that tells what it imports."""
    run = run_forecast()
    assert run.returncode == 0, run.stderr
    return run


@pytest.fixture(scope="module")
def results(finished: subprocess.CompletedProcess[str]) -> Results:
    return Results()


@pytest.fixture(scope="module")
def predictions(results: Results) -> pd.DataFrame:
    return results.table("07_model_output/forecast/predictions.parquet")


@pytest.fixture(scope="module")
def metrics(results: Results) -> dict:
    return results.json("08_reporting/forecast/metrics.json")


@pytest.mark.parametrize("name", FORECASTERS)
def test_metrics_are_those_of_the_predictions(
    predictions: pd.DataFrame, metrics: dict, name: str
) -> None:
    errors = predictions[name] - predictions["y"]
    assert metrics[name]["mse"] == pytest.approx(np.mean(errors**2))
    assert metrics[name]["mae"] == pytest.approx(np.mean(np.abs(errors)))
    assert metrics[name]["bias"] == pytest.approx(errors.sum() / predictions["y"].abs().sum())


def test_skill_is_that_against_the_last_value(metrics: dict) -> None:
    expected = 1 - metrics["lstm"]["mse"] / metrics["last_value"]["mse"]
    assert metrics["lstm"]["skill_vs_last_value"] == pytest.approx(expected)


def test_the_noise_floor_is_the_error_of_the_formula(
    predictions: pd.DataFrame, metrics: dict
) -> None:
    days = (predictions["ds"] - pd.Timestamp("2021-01-01")).dt.days
    formula = 20 + 10 * np.sin(2 * np.pi * days / 365)
    assert metrics["noise_floor_mse"] == pytest.approx(np.mean((predictions["y"] - formula) ** 2))


def test_the_report_has_the_metrics(results: Results, metrics: dict) -> None:
    report = (results.root / "08_reporting/forecast/report.html").read_text()
    assert NOTE_TITLE not in report
    assert f"{metrics['gru']['rmse']:.3g}"[:4] in report
    assert "temperature" in report


def test_every_step_of_the_test_part_is_an_origin(
    results: Results, predictions: pd.DataFrame
) -> None:
    cut = results.table("03_primary/forecast/cutoffs.parquet").iloc[0]
    horizon = int(predictions["horizon_step"].max())
    assert (
        predictions["cutoff"].nunique() == cut["num_steps"] - cut["validation_stop"] - horizon + 1
    )
    assert predictions["ds"].min() == cut["test_from"]
    observed = results.table("01_raw/forecast/source.parquet").set_index("ds")["y"]
    expected = predictions["cutoff"].map(observed)
    np.testing.assert_allclose(predictions["last_value"], expected, rtol=1e-5)


def test_next_values_follow_the_last_observation(results: Results) -> None:
    last = results.table("01_raw/forecast/source.parquet")["ds"].max()
    following = results.table("07_model_output/forecast/next_values.parquet")
    assert list(following["ds"]) == list(pd.date_range(last, periods=8, freq="D")[1:])
    assert (following["cutoff"] == last).all()
    assert np.isfinite(following[FORECASTERS]).all().all()
    expected = results.table("07_model_output/forecast/next_values.parquet")
    plain = pd.read_csv(
        results.root / "07_model_output/forecast/all_methods.csv", parse_dates=["cutoff", "ds"]
    )
    pd.testing.assert_frame_equal(plain, expected, check_dtype=False, check_freq=False)


def test_a_run_prints_its_summary(
    finished: subprocess.CompletedProcess[str], results: Results
) -> None:
    summary = (results.root / "08_reporting/forecast/summary.txt").read_text()
    assert finished.stdout == f"\n{summary}\n\n"


def test_a_run_ends_with_its_files(finished: subprocess.CompletedProcess[str]) -> None:
    log = [line for line in finished.stderr.splitlines() if not line.startswith("import time:")]
    paths = [line.rpartition("/")[2] for line in log[-3:]]
    assert paths == ["next_values.csv", "predictions.parquet", "report.html"]


def test_the_summary_of_a_run_fits_a_screen(results: Results) -> None:
    summary = (results.root / "08_reporting/forecast/summary.txt").read_text()
    assert len(summary.splitlines()) <= 40
    assert max(map(len, summary.splitlines())) <= 100


def test_saved_networks_give_the_saved_forecasts(results: Results) -> None:
    panel, linear = (
        load_arrays(results, path, holds)
        for path, holds in (
            ("05_model_input/forecast/windows.npz", "windows.panel.WindowedPanel"),
            ("06_models/forecast/linear.npz", "methods.linear.models.LinearModels"),
        )
    )
    (scale,) = pd.read_parquet(results.root / "04_feature/forecast/scaler.parquet")[
        ["mean", "deviation"]
    ].to_numpy()
    saved = pd.read_parquet(results.root / "07_model_output/forecast/predictions.parquet")
    for cell in ("lstm", "gru"):
        network = load_arrays(
            results, f"06_models/forecast/{cell}.npz", "methods.networks.network.Network"
        )
        found = forecast_network(network, linear, panel).test.ravel() * scale[1] + scale[0]
        np.testing.assert_allclose(found, saved[cell], rtol=1e-5)


def test_weights_are_those_of_all_methods(results: Results) -> None:
    # A single series is forecast as it is scaled, so that weights mean the same in its unit.
    weights = results.json("06_models/forecast/ensemble.json")["weights"]
    assert set(weights) == {
        "baseline_ensemble",
        "theta",
        "damped_trend",
        "holt_winters",
        "trees",
        "lstm",
        "gru",
        "pretrained",
    }


def test_saved_weights_give_the_saved_ensemble(results: Results, predictions: pd.DataFrame) -> None:
    # A single series is forecast as it is scaled, so that weights mean the same in its unit.
    weights = results.json("06_models/forecast/ensemble.json")["weights"]
    expected = sum(weight * predictions[name] for name, weight in weights.items())
    np.testing.assert_allclose(predictions["ensemble"], expected, rtol=1e-4)


def load_arrays(results: Results, path: str, holds: str) -> Any:
    return ArraysDataset(
        filepath=str(results.root / path), holds=f"rnn_pipelines.forecast.{holds}"
    ).load()


def test_run_needs_neither_tensorflow_nor_keras(finished: subprocess.CompletedProcess[str]) -> None:
    assert "rnn_pipelines.forecast.methods.training.training" in finished.stderr
    assert FRAMEWORKS.findall(finished.stderr) == []


@pytest.mark.slow
def test_a_second_run_gives_the_same_numbers(results: Results, metrics: dict) -> None:
    assert run_forecast().returncode == 0
    again = results.json("08_reporting/forecast/metrics.json")
    for name in ("lstm", "gru"):
        measured = ("mse", "mae", "mase", "num_steps", "shrinkage", "num_parameters")
        assert [again[name][key] for key in measured] == [metrics[name][key] for key in measured]


def test_old_spelling_still_runs(tmp_path: Path) -> None:
    """In a data root of its own: a partial run does not start from results of other parameters."""
    arguments = [
        "--to-nodes=preparation.make_windows",
        f"--conf-source={copy_configuration(tmp_path)}",
    ]
    finished = call_command("forecast", option="--pipeline", arguments=arguments)
    assert finished.exit_code == 0, finished.stderr


@pytest.mark.parametrize(
    ("content", "settings", "message"),
    [
        ("Date,Temp\n2020-01-01,1\n", ["source.time=Day"], "no column"),
        ("Date,Temp\n2020-01-01,1\n2020-01-01,2\n", [], "a second time"),
        ("Date,Temp\n2020-01-01,1\n2020-01-02,inf\n", [], "a finite number"),
    ],
)
def test_a_faulty_file_leaves_all_results_as_they_were(
    results: Results, tmp_path: Path, content: str, settings: list[str], message: str
) -> None:
    before = take_checksums()
    source = tmp_path / "my.csv"
    source.write_text(content)
    given = [f"source.path={source}", "source.time=Date", "source.target=Temp", *settings]
    finished = call_command("forecast", *(f"forecast.{setting}" for setting in given))
    assert finished.exit_code != 0
    assert message in finished.stderr
    assert take_checksums() == before


def test_a_misspelt_parameter_ends_the_run_before_its_first_node(results: Results) -> None:
    before = take_checksums()
    finished = call_command("forecast", "forecast.window.lookbak=3")
    assert finished.exit_code != 0
    assert "lookbak" in finished.stderr
    assert take_checksums() == before


@pytest.mark.slow
def test_a_panel_runs_by_parameters_alone(results: Results, tmp_path: Path) -> None:
    days = pd.date_range("2020-01-01", periods=120, freq="D")
    rng = np.random.default_rng(0)
    rows = [
        pd.DataFrame({"shop": shop, "day": days, "sales": rng.normal(size=120)})
        for shop in ("a", "b")
    ]
    pd.concat(rows).to_parquet(tmp_path / "sales.parquet")
    finished = run_forecast(
        f"source.path={tmp_path / 'sales.parquet'}", "source.time=day", "source.target=sales", "source.id=shop",
        "window.lookback=14", "split.test=14", "split.validation=14", "evaluation.origins=last",
    )  # fmt: skip
    assert finished.returncode == 0, finished.stderr
    predictions = results.table("07_model_output/forecast/predictions.parquet")
    assert predictions.groupby("unique_id")["cutoff"].nunique().to_dict() == {"a": 1, "b": 1}


def test_python_gives_the_numbers_of_the_pipeline(
    results: Results, predictions: pd.DataFrame
) -> None:
    """From the same table and the same parameters."""
    blocks = [
        yaml.safe_load((PROJECT / f"conf/{env}/parameters_forecast.yml").read_text())["forecast"]
        for env in ("base", "test")
    ]
    # A frame is none of the series that come along, whose windows are their own where they are left open.
    profile = results.json("02_intermediate/forecast/profile.json")
    window = {name: profile[name] for name in ("lookback", "horizon")}
    merged = merge(*blocks, {"window": window})
    parameters = {
        name: block
        for name, block in merged.items()
        if name not in ("source", "paths", "partitions", "totals", "reconcile")
    }
    table = results.table("01_raw/forecast/source.parquet")
    forecaster = Forecaster(**parameters).fit(table[["unique_id", "ds", "y"]])
    pd.testing.assert_frame_equal(
        forecaster.holdout(), predictions.drop(columns="signal"), rtol=1e-9
    )
    following = results.table("07_model_output/forecast/next_values.parquet")
    pd.testing.assert_frame_equal(
        forecaster.predict(methods="all"),
        following.drop(columns=["cutoff", "horizon_step"]),
        rtol=1e-9,
        check_dtype=False,
    )


def merge(linear: dict, *more: dict) -> dict:
    """Parameters of environments over those of the base."""
    for others in more:
        linear = {
            name: {**block, **others.get(name, {})}
            if isinstance(block, dict)
            else others.get(name, block)
            for name, block in linear.items()
        }
    return linear
