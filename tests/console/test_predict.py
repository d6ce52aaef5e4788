"""The command `predict` on files of another shape than that of the columns `ds` and `y`."""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest

from rnn_pipelines import Forecaster, TextClassifier
from rnn_pipelines.champion.folders import load_folder, save_folder
from rnn_pipelines.console import predict
from rnn_pipelines.console.main import commands
from rnn_pipelines.errors import MissingColumnsError, ParameterError, RunError, SeriesError
from rnn_pipelines.forecast.model.packing import pack, unpack
from rnn_pipelines.forecast.windows.panel import WindowSpec


def run(*words: object) -> None:
    commands.main(["predict", *map(str, words)], standalone_mode=False)


@pytest.fixture
def model(
    prepare: Callable[..., SimpleNamespace],
    make_values: Callable[..., list[float]],
    make_forecaster: Callable[..., Any],
    tmp_path: Path,
) -> Path:
    values = {name: make_values(60, seed) for seed, name in enumerate(("a", "b"))}
    prepared = prepare(values, window=WindowSpec(lookback=6, horizon=2))
    save_folder(tmp_path / "model", pack(make_forecaster(prepared, "gru")))
    prepared.series[["unique_id", "ds", "y"]].to_csv(tmp_path / "long.csv", index=False)
    wide = prepared.series.pivot(index="ds", columns="unique_id", values="y").reset_index()
    wide.assign(other=1.0).to_csv(tmp_path / "wide.csv", index=False)
    return tmp_path


def test_wide_file_gives_the_forecasts_of_a_long_one(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(model / "model", model / "long.csv", "-i", "unique_id", "--columns", "ds")
    of_long = capsys.readouterr().out
    run(model / "model", model / "wide.csv", "--columns", "ds")
    assert capsys.readouterr().out == of_long
    assert of_long.count("\n") == 5


def test_explorer_reads_a_wide_file(model: Path) -> None:
    page = model / "gates.html"
    commands.main(
        ["explorer", *map(str, (model / "model", model / "wide.csv", "--series", "b", "-o", page))],
        standalone_mode=False,
    )
    assert '"series":"b"' in page.read_text()


def test_file_without_a_series_of_the_model_lacks_the_column(model: Path) -> None:
    (model / "other.csv").write_text("ds,sold\n2024-01-01,1\n2024-01-02,2\n")
    with pytest.raises(MissingColumnsError, match=r"no column \['y'\]"):
        run(model / "model", model / "other.csv")


@pytest.mark.parametrize("option", ["--future", "--horizon"])
def test_options_of_series_are_refused_for_a_classifier(
    option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(predict, "load_model", lambda *_: object.__new__(TextClassifier))
    with pytest.raises(ParameterError, match=f"{option}: the model classifies texts"):
        run("model", "reviews.csv", option, "3")


@pytest.fixture(scope="module")
def german(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a German file and the results of its forecast."""
    folder = tmp_path_factory.mktemp("german")
    days = pd.date_range("2025-06-01", "2025-12-30")
    rows = [f"{day:%d.%m.%Y};{100 + day.day_of_week},5;x\n" for day in days]
    (folder / "umsatz.csv").write_text("Datum;Umsatz;Notiz\n" + "".join(rows))
    words = [
        "forecast",
        folder / "umsatz.csv",
        "-o",
        folder / "out",
        "-H",
        "3",
        "--fast",
        "--excel",
    ]
    commands.main([*map(str, words)], standalone_mode=False)
    return folder


def test_next_values_are_written_like_the_file(german: Path) -> None:
    header, first, *_ = (german / "out/next_values.csv").read_text().splitlines()
    assert header == '"Datum";"forecast";"lo-80";"hi-80";"lo-95";"hi-95"'
    assert re.match(r'"31\.12\.2025";"10\d,\d+";', first)


def test_model_reads_the_columns_of_its_file_again(
    german: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(german / "out/model", german / "umsatz.csv")
    assert capsys.readouterr().out == (german / "out/next_values.csv").read_text()


def test_named_columns_come_before_those_of_the_model(
    german: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (german / "umsatz.csv").read_text().replace("Datum;Umsatz", "Tag;Euro")
    (german / "other.csv").write_text(text)
    run(german / "out/model", german / "other.csv", "-t", "Tag", "-y", "Euro")
    assert capsys.readouterr().out.startswith('"Tag";"forecast"')


def test_results_have_standard_names_on_request(
    german: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(german / "out/model", german / "umsatz.csv", "--columns", "ds")
    assert capsys.readouterr().out.startswith('"unique_id","ds","ensemble"')


def test_excel_file_of_a_prediction_has_history_and_forecasts(german: Path) -> None:
    run(german / "out/model", german / "umsatz.csv", "-o", german / "next.xlsx")
    table = pd.read_excel(german / "next.xlsx", sheet_name="values")
    assert table["Umsatz"].notna().sum() == 213
    assert table["forecast"].notna().sum() == 3


def test_scenarios_are_no_excel_file(german: Path) -> None:
    words = (german / "out/model", german / "umsatz.csv", "--future", "a.csv")
    with pytest.raises(ParameterError, match=r"\.csv"):
        run(*words, "-o", german / "scenarios.xlsx")


def test_excel_file_in_a_missing_folder_is_an_error_of_the_user(german: Path) -> None:
    with pytest.raises(RunError, match="can't be written"):
        run(german / "out/model", german / "umsatz.csv", "-o", german / "missing/next.xlsx")


def test_rows_of_a_new_file_are_printed_as_json_too(
    german: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(german / "out/model", german / "umsatz.csv", "--json", "-o", german / "with_json.csv")
    assert len(json.loads(capsys.readouterr().out)) == len(pd.read_csv(german / "with_json.csv"))


def test_excel_file_of_a_forecast_has_its_next_values(german: Path) -> None:
    table = pd.read_excel(german / "out/next_values.xlsx", sheet_name="values").tail(3)
    text = pd.read_csv(german / "out/next_values.csv", sep=";", decimal=",")
    assert table["lo-80"].tolist() == text["lo-80"].tolist()


def test_loaded_model_reads_standard_names_too(german: Path) -> None:
    loaded = Forecaster.load(german / "out/model")
    text = pd.read_csv(german / "umsatz.csv", sep=";", decimal=",")
    frame = text.set_axis(["ds", "y", "note"], axis=1)[["ds", "y"]]
    frame.to_csv(german / "ds_y.csv")
    expected = loaded.predict(german / "umsatz.csv")
    for table in (frame, german / "ds_y.csv"):
        pd.testing.assert_frame_equal(loaded.predict(table), expected)


def test_given_names_that_a_file_lacks_are_not_replaced(german: Path) -> None:
    (german / "standard.csv").write_text("ds,y\n2025-12-31,1\n")
    with pytest.raises(MissingColumnsError, match=r"no column \['Tag', 'Umsatz'\]"):
        run(german / "out/model", german / "standard.csv", "-t", "Tag")


def test_model_without_a_record_of_its_file_reads_named_columns(
    german: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    artefact = unpack(load_folder(german / "out/model"))
    old = replace(artefact, settings=artefact.settings.model_copy(update={"table": None}))
    save_folder(german / "old", pack(old))
    run(german / "old", german / "umsatz.csv", "-t", "Datum", "-y", "Umsatz")
    assert capsys.readouterr().out.startswith('"Datum","forecast"')


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A forecast of two shops, of which b ends 60 days before a."""
    folder = tmp_path_factory.mktemp("ended")
    days = pd.date_range("2024-01-01", periods=120)
    shops = [("a", days), ("b", days[:60])]
    tables = [
        pd.DataFrame({"shop": shop, "day": ds, "y": ds.day_of_week + 1.0}) for shop, ds in shops
    ]
    pd.concat(tables).to_csv(folder / "shops.csv", index=False)
    words = ["forecast", str(folder / "shops.csv"), "-i", "shop", "--fast", "-q", "-H", "3"]
    commands.main([*words, "-o", str(folder / "out")], standalone_mode=False)
    return folder


def test_series_that_ended_are_marked_as_by_forecast(
    ended: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(ended / "out/model", ended / "shops.csv")
    text = capsys.readouterr().out
    assert text == (ended / "out/next_values.csv").read_text()
    assert text.count("True") == 3


def test_a_message_about_newer_values_names_their_file(ended: Path) -> None:
    table = pd.read_csv(ended / "shops.csv").assign(y="many")
    table.to_csv(ended / "texts.csv", index=False)
    with pytest.raises(
        SeriesError, match=r"texts\.csv: column 'y': none of its 180 cells is a number"
    ):
        run(ended / "out/model", ended / "texts.csv")
