"""A forecaster comes back from its files to the last digit, without Keras, and nothing in them is pickled."""

import dataclasses
import io
import json
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fitted import forecast_newest
from rnn_pipelines.errors import ChampionError, FormatError
from rnn_pipelines.forecast.methods.ensemble import EnsembleModel
from rnn_pipelines.forecast.methods.method import PanelModel
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.model.packing import FORMAT, pack, unpack
from rnn_pipelines.forecast.preparation.reference import measure_reference
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.sentiment.model import packing as text_classifiers

SOURCE = SourceSpec(name="catalog", freq="D")


@pytest.fixture(scope="module", params=["one", "many"])
def prepared(
    request: pytest.FixtureRequest,
    prepare: Callable[..., SimpleNamespace],
    make_values: Callable[..., list[float | None]],
) -> SimpleNamespace:
    """One series, and two; each has another kind of frame and of networks."""
    return prepare(
        make_values(80)
        if request.param == "one"
        else {"a": make_values(80), "é": make_values(70, seed=1)}
    )


@pytest.fixture(scope="module")
def forecaster(prepared: SimpleNamespace, make_forecaster: Callable[..., Forecaster]) -> Forecaster:
    return make_forecaster(prepared, "lstm", "gru")


def test_forecasts_come_back_to_the_last_digit(
    forecaster: Forecaster, prepared: SimpleNamespace
) -> None:
    packed, unpacked = (
        forecast_newest(model, prepared.table, SOURCE)
        for model in (forecaster, unpack(pack(forecaster)))
    )
    pd.testing.assert_frame_equal(packed, unpacked, check_exact=True)


def test_normalizer_comes_back_to_the_last_digit(forecaster: Forecaster) -> None:
    model: Any = forecaster.model
    again: Any = unpack(pack(forecaster)).model
    for name, value in vars(model.normalizer).items():
        np.testing.assert_array_equal(getattr(again.normalizer, name), value)


def test_models_come_back_to_the_last_digit(forecaster: Forecaster) -> None:
    model: Any = forecaster.model
    again: Any = unpack(pack(forecaster)).model
    assert list(again.model.models) == list(model.model.models)
    one = model.model.pack()
    other = again.model.pack()
    assert one.keys() == other.keys()
    for name, value in one.items():
        np.testing.assert_array_equal(other[name], value)


def test_settings_come_back_to_the_last_digit(forecaster: Forecaster) -> None:
    again = unpack(pack(forecaster))
    pd.testing.assert_frame_equal(
        again.scaler, forecaster.scaler, check_exact=True, check_dtype=False
    )
    assert again.settings == forecaster.settings


def test_theta_moves_the_forecasts_that_come_back(
    forecaster: Forecaster, prepared: SimpleNamespace
) -> None:
    """It is fitted when forecasts are made."""
    moved = dataclasses.replace(forecaster, model=add_theta(forecaster.model))
    one, other, without = (
        forecast_newest(found, prepared.table, SOURCE)
        for found in (moved, unpack(pack(moved)), forecaster)
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)
    assert (one["y_hat"] != without["y_hat"]).all()


def test_baseline_ensemble_alone_comes_back(
    forecaster: Forecaster, prepared: SimpleNamespace
) -> None:
    whole: Any = forecaster.model
    models = {"baseline_ensemble": whole.model.models["baseline_ensemble"]}
    model = dataclasses.replace(whole, model=EnsembleModel({"baseline_ensemble": 1.0}, models))
    alone = dataclasses.replace(forecaster, model=model)
    one, other = (
        forecast_newest(found, prepared.table, SOURCE) for found in (alone, unpack(pack(alone)))
    )
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def add_theta(model: Any) -> PanelModel:
    """With a quarter of Theta in the place of as much of the baseline ensemble."""
    weights = {**model.model.weights, "baseline_ensemble": 0.25, "theta": 0.25}
    models = {**model.model.models, "theta": METHODS["theta"].unpack({})}
    return dataclasses.replace(model, model=EnsembleModel(weights, models))


@pytest.mark.parametrize("is_dated", [True, False])
def test_reference_comes_back(forecaster: Forecaster, is_dated: bool) -> None:
    """Without one, there is none."""
    values = np.random.default_rng(0).normal(size=130)
    ds = pd.date_range("2024-01-01", periods=130) if is_dated else np.arange(130)
    long = pd.DataFrame({"unique_id": "a", "ds": ds, "y": values, "observed": True})
    series = pd.concat([long, long[:20].assign(unique_id="b")], ignore_index=True)
    reference = measure_reference(series, {"a": ds[125], "b": ds[10]}, "D" if is_dated else 1)
    again = unpack(pack(dataclasses.replace(forecaster, reference=reference))).reference
    pd.testing.assert_frame_equal(again, reference, check_exact=True, check_dtype=False)
    assert reference["lowest_level"].isna().tolist() == [False, True]
    assert unpack(pack(forecaster)).reference is None


def test_intervals_come_back(
    prepared: SimpleNamespace, make_forecaster: Callable[..., Forecaster]
) -> None:
    forecaster = make_forecaster(prepared, level=(50, 99))
    files = pack(forecaster)
    again = unpack(files)
    assert "intervals.npz" in files
    assert forecaster.intervals is not None
    assert again.intervals is not None
    saved = again.intervals.to_arrays()
    for part, value in forecaster.intervals.to_arrays().items():
        np.testing.assert_array_equal(saved[part], value)
    one, other = (forecast_newest(found, prepared.table, SOURCE) for found in (forecaster, again))
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def test_files_are_json_beside_arrays(forecaster: Forecaster) -> None:
    files = pack(forecaster)
    assert sorted(files) == ["coding.json", "model.npz", "scaler.json", "settings.json"]
    with np.load(io.BytesIO(files["model.npz"]), allow_pickle=False) as arrays:
        assert all(array.dtype != object for array in arrays.values())
    assert json.loads(files["scaler.json"])["unique_id"] == forecaster.scaler["unique_id"].tolist()


def test_format_is_saved(forecaster: Forecaster) -> None:
    assert json.loads(pack(forecaster)["settings.json"])["format"] == FORMAT


def test_newer_format_is_refused(forecaster: Forecaster) -> None:
    files = pack(forecaster)
    settings = json.loads(files["settings.json"]) | {"format": FORMAT + 1}
    with pytest.raises(FormatError, match=f"format {FORMAT + 1}"):
        unpack({**files, "settings.json": json.dumps(settings).encode()})


def test_text_classifier_does_not_read_a_forecaster(forecaster: Forecaster) -> None:
    """The formats of the two kinds are counted apart."""
    files = pack(forecaster)
    with pytest.raises(ChampionError, match=r"scaler\.json") as refusal:
        text_classifiers.unpack(files)
    assert not isinstance(refusal.value, FormatError)


def test_forecaster_does_not_read_a_text_classifier() -> None:
    texts = {"settings.json": b"{}", "vocabulary.json": b"{}", "ngrams.npz": b""}
    with pytest.raises(ChampionError, match=r"vocabulary\.json"):
        unpack(texts)


@pytest.mark.parametrize("name", ["settings.json", "coding.json", "scaler.json", "model.npz"])
def test_missing_file_is_named_when_the_forecaster_is_read(
    forecaster: Forecaster, name: str
) -> None:
    files = {other: content for other, content in pack(forecaster).items() if other != name}
    with pytest.raises(ChampionError, match=name):
        unpack(files)


def test_forecasting_needs_no_tensorflow(
    prepare: Callable[..., SimpleNamespace],
    make_values: Callable[..., list[float | None]],
    make_forecaster: Callable[..., Forecaster],
    tmp_path: Path,
) -> None:
    """From packed files to forecasts, in a process of its own."""
    prepared = prepare({"a": make_values(80), "é": make_values(70, seed=1)})
    forecaster = make_forecaster(prepared, "lstm", "gru")
    for name, content in pack(forecaster).items():
        (tmp_path / name).write_bytes(content)
    prepared.table.to_parquet(tmp_path / "table.parquet")
    code = f"""
        import sys
        from pathlib import Path
        import pandas as pd
        from rnn_pipelines.forecast.model.artefact import forecast_panel
        from rnn_pipelines.forecast.model.newest import lay_out_newest
        from rnn_pipelines.forecast.model.packing import unpack
        from rnn_pipelines.forecast.source.specs import SourceSpec

        folder = Path({str(tmp_path)!r})
        files = {{path.name: path.read_bytes() for path in folder.iterdir()}}
        table = pd.read_parquet(folder / "table.parquet")
        source = SourceSpec(name="catalog", freq="D")
        found = forecast_panel(*lay_out_newest(unpack(files), table, source))
        found.to_parquet(folder / "found.parquet")
        print(sorted({{"keras", "tensorflow"}} & set(sys.modules)))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    assert (
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "[]"
    )
    found = pd.read_parquet(tmp_path / "found.parquet")
    pd.testing.assert_frame_equal(
        found, forecast_newest(forecaster, prepared.table, SOURCE), check_dtype=False
    )
