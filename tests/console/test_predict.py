"""The command `predict` on files of another shape than that of the columns `ds` and `y`."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from rnn_pipelines.champion.folders import save_folder
from rnn_pipelines.console import predict
from rnn_pipelines.console.main import commands
from rnn_pipelines.errors import MissingColumnsError, ParameterError
from rnn_pipelines.forecast.model.packing import pack
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
    run(model / "model", model / "long.csv", "-i", "unique_id")
    of_long = capsys.readouterr().out
    run(model / "model", model / "wide.csv")
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
    monkeypatch.setattr(predict, "load_model", lambda *_: object())
    with pytest.raises(ParameterError, match=f"{option}: the model classifies texts"):
        run("model", "reviews.csv", option, "3")
