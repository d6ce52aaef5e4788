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
from rnn_pipelines.printing import print_text
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


@pytest.mark.usefixtures("started")
def test_forecasts_are_those_of_python(folder: Path) -> None:
    frame = pd.read_csv(folder / "my.csv", parse_dates=["Date"]).rename(
        columns={"Date": "ds", "sales": "y"}
    )
    small = {"training": {"max_steps": 25}, "lstm": {"members": 1}, "gru": {"members": 1}}
    expected = Forecaster(h=3, **small).fit(frame[["ds", "y"]]).predict()
    table = pd.read_csv(folder / "out/next_values.csv")
    np.testing.assert_allclose(table["forecast"], expected["ensemble"], atol=1e-4)
    np.testing.assert_allclose(table["lo-95"], expected["ensemble-lo-95"], atol=1e-4)


@pytest.mark.usefixtures("started")
def test_next_values_have_both_default_levels(folder: Path) -> None:
    table = pd.read_csv(folder / "out/next_values.csv")
    assert list(table) == ["Date", "forecast", "lo-80", "hi-80", "lo-95", "hi-95"]


def test_results_have_the_next_values(results: Any) -> None:
    assert results["horizon"] == 3
    days = [row["ds"] for row in results["next_values"]]
    assert days == ["2024-02-10", "2024-02-11", "2024-02-12"]


@pytest.mark.usefixtures("started")
def test_output_is_complete(folder: Path) -> None:
    assert {path.name for path in (folder / "out").iterdir()} == {
        "report.html",
        "next_values.csv",
        "all_methods.csv",
        "metrics.json",
        "model",
    }


def test_results_name_the_report(folder: Path, results: Any) -> None:
    assert results["files"]["report"] == "out/report.html"
    assert "<html" in (folder / "out/report.html").read_text()


@pytest.mark.usefixtures("started")
def test_no_hidden_file_is_left(folder: Path) -> None:
    assert [path.name for path in folder.iterdir() if path.name.startswith(".")] == []


def test_results_name_the_columns(results: Any) -> None:
    assert results["columns"] == {
        "time": "Date",
        "id": None,
        "series": [],
        "unread": ["price"],
        "target": "sales",
    }


COLUMNS = "times from 'Date' (days), values from 'sales', not read: 'price'"


def test_summary_of_python_names_the_columns(folder: Path) -> None:
    frame = pd.read_csv(folder / "my.csv")
    forecaster = Forecaster(h=3, training={"max_steps": 1}, time="Date", target="sales").fit(frame)
    assert COLUMNS in forecaster.summary()


@pytest.mark.usefixtures("started")
def test_report_has_the_columns(folder: Path) -> None:
    assert COLUMNS in (folder / "out/report.html").read_text().replace("&#39;", "'")


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


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a model, and prices for two scenarios; the series has a name that scenarios have not."""
    folder = tmp_path_factory.mktemp("shop")
    days = pd.date_range("2024-01-01", periods=160)
    random = np.random.default_rng(0)
    price = 10 + random.integers(-2, 3, 160) / 2
    sales = pd.DataFrame(
        {"Date": days, "sales": 50 - 4 * (price - 10) + random.normal(0, 0.5, 160), "price": price}
    )
    past = sales.assign(sales=sales["sales"].where(sales.index < 157))
    past.to_csv(folder / "shop.csv", index=False)
    (folder / "other").mkdir()
    for name, price_ahead in (("now", 10.0), ("dear", 11.0), ("other/now", 10.0)):
        future = sales[["Date"]][157:].assign(price=price_ahead)
        future.to_csv(folder / f"{name}.csv", index=False)
    fit = ("forecast", "shop.csv", "--fast", "-H", "3", "--future", "price", "-o", "out")
    done = call(folder, *fit, "--time", "Date", "--target", "sales")
    assert done.returncode == 0, done.stderr
    return folder


def predict_scenarios(folder: Path, first: str, second: str) -> subprocess.CompletedProcess[str]:
    columns = ("--time", "Date", "--target", "sales")
    predict = ("predict", "out/model", "shop.csv", *columns, "--json")
    return call(folder, *predict, "--future", first, "--future", second)


@pytest.fixture(scope="module")
def scenarios(shop: Path) -> pd.DataFrame:
    done = predict_scenarios(shop, "now.csv", "dear.csv")
    assert done.returncode == 0, done.stderr
    return pd.DataFrame(json.loads(done.stdout))


@pytest.mark.slow
def test_scenarios_are_those_of_python(shop: Path, scenarios: pd.DataFrame) -> None:
    frames = {
        name: pd.read_csv(shop / f"{name}.csv").rename(columns={"Date": "ds"})
        for name in ("now", "dear")
    }
    past = pd.read_csv(shop / "shop.csv").rename(columns={"Date": "ds", "sales": "y"})
    expected = Forecaster.load(shop / "out/model").scenarios(frames, past)
    numbers = expected.columns[2:]
    np.testing.assert_allclose(scenarios[numbers].astype(float), expected[numbers])


@pytest.mark.slow
def test_scenarios_have_the_name_of_the_series(scenarios: pd.DataFrame) -> None:
    assert scenarios["unique_id"].eq("sales").all()


@pytest.mark.slow
def test_scenario_of_a_higher_price_sells_less(scenarios: pd.DataFrame) -> None:
    assert (scenarios["dear-difference"] < -3).all()


@pytest.mark.slow
def test_scenarios_of_one_name_are_refused(shop: Path) -> None:
    refused = predict_scenarios(shop, "now.csv", "other/now.csv")
    assert refused.returncode == 2
    assert "files of different names" in refused.stderr


def test_a_quiet_call_prints_the_folder_alone(folder: Path) -> None:
    done = call(folder, "forecast", "my.csv", "--target", "sales", "--fast", "-q", "-o", "quiet")
    assert done.stdout == "quiet\n"
    assert "times from" not in done.stderr


def test_the_standard_input_is_named_in_the_report(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = (folder / "my.csv").read_bytes()
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
    done = call(folder, "forecast", "-", "--target", "sales", "--fast")
    assert done.stderr.startswith("standard input: times from 'Date'")
    page = (folder / "stdin-forecast/report.html").read_text()
    assert "standard input" in page
    assert "stdin.csv" not in page


def test_the_page_is_opened(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda page: opened.append(page) or True)
    call(
        folder, "forecast", "my.csv", "--target", "sales", "--fast", "-q", "--open", "-o", "opened"
    )
    assert opened == [(folder / "opened/report.html").as_uri()]


def test_a_title_is_not_bold_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    print_text("title\nrest", is_titled=True)
    assert capsys.readouterr().out == "title\nrest\n"


def test_stages_are_shown_on_a_terminal(
    folder: Path, results: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    predict = ["predict", "out/model", "my.csv", "-t", "Date", "-y", "sales"]
    for command, last in (
        (predict, "predict: "),
        (["export", "out/model", "shown"], "write the export: "),
    ):
        commands.main(command, standalone_mode=False)
        shown = capsys.readouterr().err
        assert "load the model: " in shown
        assert last in shown


@pytest.fixture(scope="module")
def zoned(folder: Path) -> subprocess.CompletedProcess[str]:
    """A model that learnt times with offsets; `local.csv` has the same times without."""
    times = pd.date_range("2024-03-25", periods=200, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"time": times.astype(str), "y": 50 + np.sin(np.arange(200) * np.pi / 12)})
    frame.to_csv(folder / "zoned.csv", index=False)
    frame.assign(time=times.tz_localize(None).astype(str)).to_csv(folder / "local.csv", index=False)
    return call(folder, "forecast", "zoned.csv", "-H", "3", "-o", "offsets", *SMALL)


PREDICT_LOCAL = ("predict", "offsets/model", "local.csv", "-t", "time", "--json")


def test_a_fit_on_offsets_asks_for_their_zone(zoned: subprocess.CompletedProcess[str]) -> None:
    assert "Name their zone in --tz" in zoned.stderr


@pytest.mark.usefixtures("zoned")
def test_local_times_without_zone_are_refused(folder: Path) -> None:
    refused = call(folder, *PREDICT_LOCAL)
    assert refused.returncode == 2
    assert "name it as --tz" in refused.stderr


@pytest.mark.usefixtures("zoned")
def test_local_times_are_predicted_in_their_zone(folder: Path) -> None:
    done = call(folder, *PREDICT_LOCAL, "--tz", "Europe/Berlin")
    assert done.returncode == 0, done.stderr
    expected = [f"2024-04-02 {hour:02}:00:00+02:00" for hour in (9, 10, 11)]
    assert [row["ds"] for row in json.loads(done.stdout)] == expected


def test_exported_model_predicts(folder: Path, results: Any) -> None:
    done = call(folder, "export", "out/model", "exported")
    assert (done.returncode, done.stdout) == (0, "exported\n"), done.stderr
    done = subprocess.run(
        [sys.executable, "exported/forecaster.py", "my.csv"],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    found = pd.read_csv(io.StringIO(done.stdout))
    np.testing.assert_allclose(
        found["forecast"], [row["forecast"] for row in results["next_values"]], atol=1e-4
    )
    assert call(folder, "export", "out/model", "exported").returncode == 2


USER_ERRORS = [
    ["forecast", "my.csv"],
    ["forecast", "my.csv", "--target", "no"],
    ["forecast", "no.csv"],
    ["forecast", "my.csv", "--target", "sales", "--output", "out"],
    ["forecast", "my.csv", "--target", "sales", "--set", "training.sed=1"],
    ["forecast", "my.csv", "--target", "sales", "--horizon", "7", "--future", "price"],
    ["forecast", "my.csv", "--nothing"],
    ["predict", "out", "my.csv"],
]


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("words", USER_ERRORS)
def test_errors_of_users_exit_with_2(folder: Path, words: list[str]) -> None:
    done = call(folder, *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) <= 4


@pytest.mark.usefixtures("started")
@pytest.mark.parametrize("words", USER_ERRORS)
def test_errors_of_users_leave_no_file(folder: Path, words: list[str]) -> None:
    before = sorted(path.name for path in folder.iterdir())
    call(folder, *words)
    assert sorted(path.name for path in folder.iterdir()) == before


def test_errors_of_the_shell_exit_with_2(folder: Path) -> None:
    words = ["forecast", "my.csv", "--target", "no"]
    started = start(folder, *words)
    called = call(folder, *words)
    assert (started.returncode, started.stdout) == (2, "")
    assert started.stderr.endswith(called.stderr)


def test_a_lookback_that_is_too_long_leaves_no_folder(folder: Path) -> None:
    call(folder, "forecast", "my.csv", "-y", "sales", "--lookback", "5000", "--horizon", "3")
    assert not (folder / "my-forecast").exists()


def test_the_lookback_that_an_error_proposes_fits(folder: Path) -> None:
    done = call(folder, "forecast", "my.csv", "-y", "sales", "--lookback", "5000", "--horizon", "3")
    given = re.search(r"--lookback=5000 does not fit .* Give (--lookback=\d+) or less", done.stderr)
    assert given, done.stderr
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


def test_a_classifier_cannot_be_exported(folder: Path) -> None:
    save_folder(folder / "classifier", {"vocabulary.json": b"[]"})
    done = call(folder, "export", "classifier", "exported_classifier")
    assert done.returncode == 2
    assert "rnn-pipelines serve" in done.stderr
    assert not (folder / "exported_classifier").exists()


def test_neither_kedro_nor_tensorflow_is_loaded(started: subprocess.CompletedProcess[str]) -> None:
    loaded = re.findall(r"\| +(\S+)$", started.stderr, re.MULTILINE)
    assert "rnn_pipelines.forecast.methods.training.training" in loaded
    assert {"kedro", "tensorflow", "keras"}.isdisjoint(loaded)


def test_a_folder_is_named_after_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert choose_folder("data/my.csv", "forecast", None) == Path("my-forecast")


def test_a_folder_that_is_taken_gets_a_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("my-forecast").symlink_to("nowhere")
    assert choose_folder("data/my.csv", "forecast", None) == Path("my-forecast-2")


def test_a_folder_that_is_named_must_be_new(tmp_path: Path) -> None:
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


def test_settings_are_read_as_yaml() -> None:
    found = parse_settings(("training.seed=1", "lstm.units=[64, 32]", "level=[50]"))
    assert found == {"training": {"seed": 1}, "lstm": {"units": [64, 32]}, "level": [50]}


def test_settings_may_have_the_names_of_kedro() -> None:
    assert parse_settings(("forecast.source.tz=UTC", "source.freq=D")) == {
        "source": {"tz": "UTC", "freq": "D"}
    }


def test_parameters_are_named_as_options() -> None:
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


@pytest.mark.parametrize("block", ["window", "source", "covariates"])
def test_a_block_that_is_no_dictionary_is_refused(folder: Path, block: str) -> None:
    done = call(folder, "forecast", "my.csv", "-y", "sales", "--set", f"{block}=3")
    assert done.returncode == 2
    assert done.stderr == f"Error: {block}: expected a dictionary, received 3.\n"
