"""Networks come back with their predictions, one version for each run, and nothing in their files can run."""

import io
import subprocess
import sys
import textwrap
import zipfile
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from kedro.io import DatasetError

from rnn_pipelines.datasets import KerasModelDataset

INPUTS = {
    "history": np.random.default_rng(0).normal(size=(5, 6, 3)).astype("float32"),
    "known": np.random.default_rng(1).normal(size=(5, 2, 2)).astype("float32"),
}


def predict(model) -> np.ndarray:
    return model(INPUTS).numpy()


def build(*layers: str, num_members: int = 1):
    """A network that reads a history and what is known: recurrent layers, a head, and the mean of its members."""
    import keras

    history = keras.Input((6, 3), name="history")
    known = keras.Input((2, 2), name="known")
    outputs = []
    for member in range(num_members):
        hidden = history
        for number, kind in enumerate(layers):
            is_last = number == len(layers) - 1
            layer = getattr(keras.layers, kind)(
                4 - number, return_sequences=not is_last, name=f"{kind}_{member + number}"
            )
            hidden = layer(hidden)
        joined = keras.layers.Concatenate()(
            [keras.layers.Dropout(0.1)(hidden), keras.layers.Flatten()(known)]
        )
        outputs.append(keras.layers.Dense(2, name=f"head_{member}")(joined))
    output = keras.layers.Average()(outputs) if num_members > 1 else outputs[0]
    return keras.Model({"history": history, "known": known}, output)


@pytest.fixture(scope="module")
def models() -> dict:
    """Networks with other weights under every name."""
    built = {"lstm": build("LSTM", "LSTM"), "two grus": build("GRU", num_members=2)}
    return built | {name: build("GRU") for name in ("gru", "compiled gru")}


@pytest.fixture
def filepath(tmp_path: Path) -> str:
    return str(tmp_path / "deep" / "my.keras")


@pytest.mark.parametrize("name", ["lstm", "gru", "two grus"])
def test_loaded_network_predicts_the_same(models: dict, filepath: str, name: str) -> None:
    dataset = KerasModelDataset(filepath=filepath)
    dataset.save(models[name])
    np.testing.assert_array_equal(predict(dataset.load()), predict(models[name]))


@pytest.fixture(scope="module")
def compiled(models: dict) -> Any:
    # A network in the state in which training leaves it.
    compiled = models["compiled gru"]
    compiled.compile("adam", "mse")
    compiled.optimizer.build(compiled.trainable_variables)
    return compiled


def test_file_holds_no_optimizer(filepath: str, compiled: Any) -> None:
    """Its state is twice the size of the weights, and no forecast needs it."""
    KerasModelDataset(filepath=filepath).save(compiled)
    with (
        zipfile.ZipFile(filepath) as archive,
        h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as weights,
    ):
        assert "optimizer" not in weights


def test_the_saved_network_keeps_its_optimizer(filepath: str, compiled: Any) -> None:
    KerasModelDataset(filepath=filepath).save(compiled)
    assert compiled.optimizer is not None


def test_the_loaded_network_has_no_optimizer(filepath: str, compiled: Any) -> None:
    dataset = KerasModelDataset(filepath=filepath)
    dataset.save(compiled)
    assert getattr(dataset.load(), "optimizer", None) is None


def test_network_with_code_in_it_is_refused(filepath: str) -> None:
    # A network whose Lambda layer holds code, which loading would run.
    import keras

    unsafe = keras.Sequential([keras.Input((2,)), keras.layers.Lambda(lambda x: x + 1)])
    Path(filepath).parent.mkdir()
    unsafe.save(filepath)
    with pytest.raises(DatasetError, match="safe_mode"):
        KerasModelDataset(filepath=filepath).load()
    with pytest.raises(DatasetError, match="Lambda"):
        KerasModelDataset(filepath=filepath).save(unsafe)


def test_failed_save_leaves_the_old_network(models: dict, filepath: str) -> None:
    dataset = KerasModelDataset(filepath=filepath)
    dataset.save(models["gru"])
    with pytest.raises(DatasetError):
        dataset.save("no network")
    np.testing.assert_array_equal(predict(dataset.load()), predict(models["gru"]))


def test_no_network_is_loaded_as_an_empty_mapping(filepath: str) -> None:
    KerasModelDataset(filepath=filepath).save({})
    assert KerasModelDataset(filepath=filepath).load() == {}


def test_no_network_takes_the_place_of_an_earlier_one(models: dict, filepath: str) -> None:
    dataset = KerasModelDataset(filepath=filepath)
    dataset.save(models["gru"])
    dataset.save({})
    assert not Path(filepath).exists()


def test_preview_shows_the_layers_without_keras(models: dict, filepath: str) -> None:
    dataset = KerasModelDataset(filepath=filepath)
    dataset.save(models["lstm"])
    preview = dataset.preview()
    assert preview["columns"] == ["layer", "kind", "units"]
    assert [row for row in preview["data"] if row[1] in {"LSTM", "Dense"}] == [
        ["LSTM_0", "LSTM", 4],
        ["LSTM_1", "LSTM", 3],
        ["head_0", "Dense", 2],
    ]
    KerasModelDataset(filepath=filepath).save(models["lstm"])
    code = f"""
        import sys
        from rnn_pipelines.datasets import KerasModelDataset
        assert len(KerasModelDataset(filepath={filepath!r}).preview()["data"]) > 3
        print(sorted({{"keras", "tensorflow", "sklearn"}} & set(sys.modules)))
    """
    command = [sys.executable, "-c", textwrap.dedent(code)]
    assert (
        subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip() == "[]"
    )
