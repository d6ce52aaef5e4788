"""The program `rnn-pipelines`: its output, files and exit codes."""

import contextlib
import io
import json
import logging
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.champion.folders import save_folder
from rnn_pipelines.console.main import commands, main
from rnn_pipelines.console.predict import predict
from rnn_pipelines.console.results import choose_folder, write_folder
from rnn_pipelines.console.sentiment import sentiment
from rnn_pipelines.console.settings import NO_OPTION, name_options, parse_settings
from rnn_pipelines.errors import ParameterError, ReviewError, RunError
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, read_reviews

SMALL = ["--set", "training.max_steps=25", "--set", "lstm.members=1", "--set", "gru.members=1"]


def start(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The program as a user starts it."""
    command = [sys.executable, "-X", "importtime", "-m", "rnn_pipelines.console.main", *words]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def call(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """The program in this process, which takes a second less."""
    shown = io.StringIO()
    errors = io.StringIO()
    code = 0
    with contextlib.ExitStack() as stack:
        stack.enter_context(contextlib.chdir(folder))
        stack.enter_context(contextlib.redirect_stdout(shown))
        stack.enter_context(contextlib.redirect_stderr(errors))
        stack.enter_context(patch.object(sys, "argv", ["rnn-pipelines", *words]))
        stack.enter_context(patch.object(logging.getLogger(), "handlers", []))
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(words, code, shown.getvalue(), errors.getvalue())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 40 days, which is too short for networks, so that a call takes seconds."""
    folder = tmp_path_factory.mktemp("console")
    days = pd.date_range("2024-01-01", periods=40)
    values = 50 + 10 * np.sin(np.arange(40) * 2 * np.pi / 7)
    pd.DataFrame({"Date": days, "sales": values, "price": 1.0}).to_csv(
        folder / "my.csv", index=False
    )
    return folder


@pytest.fixture(scope="module")
def started(folder: Path) -> subprocess.CompletedProcess[str]:
    """A call that writes the modules that it loads to the standard error."""
    done = start(
        folder,
        "forecast",
        "my.csv",
        "--target",
        "sales",
        "--horizon",
        "3",
        "--json",
        "-o",
        "out",
        *SMALL,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def results(started: subprocess.CompletedProcess[str]) -> Any:
    found: Any = json.loads(started.stdout)
    return found


def test_results_are_those_of_python_and_complete(folder: Path, results: Any) -> None:
    frame = pd.read_csv(folder / "my.csv", parse_dates=["Date"]).rename(
        columns={"Date": "ds", "sales": "y"}
    )
    small = {"training": {"max_steps": 25}, "lstm": {"members": 1}, "gru": {"members": 1}}
    expected = Forecaster(h=3, **small).fit(frame[["ds", "y"]]).predict()
    table = pd.read_csv(folder / "out/next_values.csv")
    assert list(table) == ["unique_id", "ds", "forecast", "lo-80", "hi-80", "lo-95", "hi-95"]
    np.testing.assert_allclose(table["forecast"], expected["ensemble"], atol=1e-4)
    np.testing.assert_allclose(table["lo-95"], expected["ensemble-lo-95"], atol=1e-4)
    assert results["horizon"] == 3
    assert [row["ds"] for row in results["next_values"]] == [
        "2024-02-10",
        "2024-02-11",
        "2024-02-12",
    ]
    assert {path.name for path in (folder / "out").iterdir()} == {
        "report.html",
        "next_values.csv",
        "all_methods.csv",
        "metrics.json",
        "model",
    }
    assert results["files"]["report"] == "out/report.html"
    assert "<html" in (folder / "out/report.html").read_text()
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []
    assert results["columns"] == {
        "time": "Date",
        "id": None,
        "series": [],
        "unread": ["price"],
        "target": "sales",
    }
    frame = pd.read_csv(folder / "my.csv")
    made = Forecaster(h=3, training={"max_steps": 1}, time="Date", target="sales").fit(frame)
    line = "times from 'Date' (days), values from 'sales', not read: 'price'"
    assert made.summary().startswith(f"{line}\n")
    assert line in (folder / "out/report.html").read_text().replace("&#39;", "'")


def test_saved_model_predicts(folder: Path, results: Any) -> None:
    done = call(folder, "predict", "out/model", "my.csv", "-t", "Date", "-y", "sales", "--json")
    assert done.returncode == 0, done.stderr
    forecasts = [row["ensemble"] for row in json.loads(done.stdout)]
    np.testing.assert_allclose(
        forecasts, [row["forecast"] for row in results["next_values"]], atol=1e-4
    )
    missing = call(
        folder,
        "predict",
        "out/model",
        "my.csv",
        "-t",
        "Date",
        "-y",
        "sales",
        "-o",
        "nowhere/next.csv",
    )
    assert missing.returncode == 2
    assert "Error: nowhere/next.csv: it can't be written" in missing.stderr


@pytest.mark.slow
def test_scenarios_are_those_of_python(tmp_path: Path) -> None:
    """A series with a name of its own, whose scenarios have none."""
    days = pd.date_range("2024-01-01", periods=160)
    random = np.random.default_rng(0)
    price = 10 + random.integers(-2, 3, 160) / 2
    sales = pd.DataFrame(
        {"Date": days, "sales": 50 - 4 * (price - 10) + random.normal(0, 0.5, 160), "price": price}
    )
    sales.assign(sales=sales["sales"].where(sales.index < 157)).to_csv(
        tmp_path / "shop.csv", index=False
    )
    ahead = sales[["Date"]][157:]
    for name, price_ahead in (("now", 10.0), ("dear", 11.0), ("other/now", 10.0)):
        (tmp_path / "other").mkdir(exist_ok=True)
        ahead.assign(price=price_ahead).to_csv(tmp_path / f"{name}.csv", index=False)
    columns = ("--time", "Date", "--target", "sales")
    fit = ("forecast", "shop.csv", "--fast", "-H", "3", "--future", "price", "-o", "out", *columns)
    done = call(tmp_path, *fit)
    assert done.returncode == 0, done.stderr
    predict = (
        "predict",
        "out/model",
        "shop.csv",
        *columns,
        "--json",
        "--future",
        "now.csv",
        "--future",
    )
    done = call(tmp_path, *predict, "dear.csv")
    assert done.returncode == 0, done.stderr
    found = pd.DataFrame(json.loads(done.stdout))
    assert found["unique_id"].eq("sales").all()
    frames = {
        name: pd.read_csv(tmp_path / f"{name}.csv").rename(columns={"Date": "ds"})
        for name in ("now", "dear")
    }
    past = pd.read_csv(tmp_path / "shop.csv").rename(columns={"Date": "ds", "sales": "y"})
    expected = Forecaster.load(tmp_path / "out/model").scenarios(frames, past)
    numbers = expected.columns[2:]
    np.testing.assert_allclose(found[numbers].astype(float), expected[numbers])
    assert (found["dear-difference"] < -3).all()
    refused = call(tmp_path, *predict, "other/now.csv")
    assert refused.returncode == 2
    assert "files of different names" in refused.stderr


def test_stages_are_shown_on_a_terminal(
    folder: Path, results: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    predict = ["predict", "out/model", "my.csv", "-t", "Date", "-y", "sales"]
    for command, last in (
        (predict, "predict: 67 %"),
        (["export", "out/model", "shown"], "write the export: 50 %"),
    ):
        commands.main(command, standalone_mode=False)
        shown = capsys.readouterr().err
        assert "load the model: 0 %" in shown
        assert last in shown


def test_local_times_are_predicted_in_their_zone(folder: Path) -> None:
    """The model has learnt times with offsets; newer local times need `--tz`, which the error names."""
    times = pd.date_range("2024-03-25", periods=200, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"time": times.astype(str), "y": 50 + np.sin(np.arange(200) * np.pi / 12)})
    frame.to_csv(folder / "zoned.csv", index=False)
    frame.assign(time=times.tz_localize(None).astype(str)).to_csv(folder / "local.csv", index=False)
    done = call(folder, "forecast", "zoned.csv", "-H", "3", "-o", "offsets", *SMALL)
    assert "Name their zone in --tz" in done.stderr
    predict = ("predict", "offsets/model", "local.csv", "-t", "time", "--json")
    refused = call(folder, *predict)
    zoned = call(folder, *predict, "--tz", "Europe/Berlin")
    assert (refused.returncode, zoned.returncode) == (2, 0), zoned.stderr
    assert "name it as --tz" in refused.stderr
    expected = [f"2024-04-02 {hour:02}:00:00+02:00" for hour in (9, 10, 11)]
    assert [row["ds"] for row in json.loads(zoned.stdout)] == expected


def test_exported_model_predicts(folder: Path, results: Any) -> None:
    done = call(folder, "export", "out/model", "exported")
    assert (done.returncode, done.stdout) == (0, "exported\n"), done.stderr
    pd.read_csv(folder / "my.csv").rename(columns={"Date": "ds", "sales": "y"}).to_csv(
        folder / "ds_y.csv"
    )
    done = subprocess.run(
        [sys.executable, "exported/forecaster.py", "ds_y.csv"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    found = pd.read_csv(io.StringIO(done.stdout))
    np.testing.assert_allclose(
        found["ensemble"], [row["forecast"] for row in results["next_values"]], atol=1e-4
    )
    assert call(folder, "export", "out/model", "exported").returncode == 2


@pytest.mark.parametrize(
    "words",
    [
        ["forecast", "my.csv"],
        ["forecast", "my.csv", "--target", "no"],
        ["forecast", "no.csv"],
        ["forecast", "my.csv", "--target", "sales", "--output", "out"],
        ["forecast", "my.csv", "--target", "sales", "--set", "training.sed=1"],
        ["forecast", "my.csv", "--target", "sales", "--horizon", "7", "--future", "price"],
        ["forecast", "my.csv", "--nothing"],
        ["predict", "out", "my.csv"],
    ],
)
def test_errors_of_users_exit_with_2(folder: Path, results: Any, words: list[str]) -> None:
    before = sorted(path.name for path in folder.iterdir())
    done = call(folder, *words)
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) <= 4
    assert sorted(path.name for path in folder.iterdir()) == before


def test_errors_of_the_shell_exit_with_2_and_say_what_fits(folder: Path) -> None:
    words = ["forecast", "my.csv", "--target", "no"]
    started = start(folder, *words)
    called = call(folder, *words)
    assert (started.returncode, started.stdout) == (2, "")
    assert started.stderr.endswith(called.stderr)
    done = call(folder, "forecast", "my.csv", "-y", "sales", "--lookback", "5000", "--horizon", "3")
    given = re.search(r"--lookback=5000 does not fit .* Give (--lookback=\d+) or less", done.stderr)
    assert given, done.stderr
    assert not (folder / "my-forecast").exists()
    done = call(
        folder,
        "forecast",
        "my.csv",
        "-y",
        "sales",
        given[1],
        "--horizon",
        "3",
        "-o",
        "fits",
        *SMALL,
    )
    assert done.returncode == 0, done.stderr
    save_folder(folder / "classifier", {"vocabulary.json": b"[]"})
    done = call(folder, "export", "classifier", "exported_classifier")
    assert done.returncode == 2
    assert "rnn-pipelines serve" in done.stderr
    assert not (folder / "exported_classifier").exists()


def test_neither_kedro_nor_tensorflow_is_loaded(started: subprocess.CompletedProcess[str]) -> None:
    loaded = re.findall(r"\| +(\S+)$", started.stderr, re.MULTILINE)
    assert "rnn_pipelines.forecast.methods.training.training" in loaded
    assert {"kedro", "tensorflow", "keras"}.isdisjoint(loaded)


def test_new_folder_gets_a_number_and_an_old_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert choose_folder("data/my.csv", "forecast", None) == Path("my-forecast")
    Path("my-forecast").symlink_to("nowhere")
    assert choose_folder("data/my.csv", "forecast", None) == Path("my-forecast-2")
    with pytest.raises(RunError):
        choose_folder("my.csv", "forecast", str(tmp_path))


@pytest.mark.parametrize(
    ("file", "given"),
    [(".", None), (".", "out"), ("../data", None), ("../data", "../data/sub/out")],
)
def test_results_are_not_written_into_the_folder_that_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, given: str | None
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path / "data")
    with pytest.raises(RunError, match="--output"):
        choose_folder(file, "forecast", given)
    assert choose_folder(file, "forecast", "../out") == Path("../out")


def test_a_failed_write_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RunError):
        write_folder(tmp_path / "new", {"missing/a": b""}, {})
    assert list(tmp_path.iterdir()) == []


def test_settings_names_and_columns_are_read_and_told_as_options() -> None:
    found = parse_settings(("training.seed=1", "lstm.units=[64, 32]", "level=[50]"))
    assert found == {"training": {"seed": 1}, "lstm": {"units": [64, 32]}, "level": [50]}
    assert parse_settings(("forecast.source.tz=UTC", "source.freq=D")) == {
        "source": {"tz": "UTC", "freq": "D"}
    }
    assert name_options("source.id, source.time_format, forecast.source.target.") == (
        "--id, --set source.time_format=…, --target."
    )


def test_a_first_column_that_is_taken_for_the_times_is_named(tmp_path: Path) -> None:
    """Often, it is that of the names of series."""
    days = pd.date_range("2024-01-01", periods=40)
    pd.DataFrame({"shop": 1, "date": days, "sales": 1.0}).to_csv(
        tmp_path / "shops.csv", index=False
    )
    done = call(tmp_path, "forecast", "shops.csv")
    assert done.returncode == 2
    for part in ("shop", "date", "sales", "--target", "--time", "--id"):
        assert part in done.stderr.removeprefix("Error: shops.csv")


@pytest.mark.parametrize("setting", ["training", "=1", "training.=1", "a.b=1"])
def test_wrong_settings_are_refused(setting: str) -> None:
    with pytest.raises(ParameterError):
        parse_settings(("a=1", setting))


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            "give its zone as source.tz, such as Europe/Berlin",
            "give its zone as --tz, such as Europe/Berlin",
        ),
        ("or set source.wide=true if each", "or set --wide if each"),
        (
            "Give source.time_format='%Y%m' for months",
            "Give --set source.time_format='%Y%m' for months",
        ),
        ("shorten window.lookback or window.horizon.", "shorten --lookback or --horizon."),
        ("name it with covariates.path.", "name it with --set covariates.path=…."),
        ("give gaps=split", "give --set gaps=split"),
        ("name it with sheet", "name it with sheet"),
        ("a/source.tz", "a/source.tz"),
    ],
)
def test_parameters_in_messages_are_options(message: str, expected: str) -> None:
    assert name_options(message) == expected


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("Name source.id.", "Name --id."),
        ("Name it with predict_sentiment.text.", "Name it with --text."),
        ("name a table with covariates.path.", "name a table with --future."),
        ("give gaps=zero.", f"give gaps=zero.{NO_OPTION}"),
        ("give gaps=zero", f"give gaps=zero.{NO_OPTION}"),
        ("give source.decimal=comma or shorten window.lookback.",) * 2,
    ],
)
def test_parameters_without_an_option_of_the_command_are_named_without_set(
    message: str, expected: str
) -> None:
    found = name_options(
        message, {option for parameter in predict.params for option in parameter.opts}
    )
    assert found.removesuffix(NO_OPTION) == expected.removesuffix(NO_OPTION)
    assert found.endswith(NO_OPTION) == ("=" in message)


def test_a_review_file_without_a_column_names_the_options_of_sentiment(tmp_path: Path) -> None:
    path = tmp_path / "reviews.csv"
    path.write_text("body,label\ngood,positive\nbad,negative\n")
    with pytest.raises(ReviewError) as refused:
        read_reviews(ReviewSourceSpec(path=str(path)))
    found = name_options(
        str(refused.value), {option for parameter in sentiment.params for option in parameter.opts}
    )
    assert found.endswith("Name them with --text, --label and --group.")
