"""A text classifier in MLflow can be loaded and served, with the results of the project."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import mlflow
import mlflow.pyfunc
import pandas as pd
import pytest
from mlflow.exceptions import MlflowException

from rnn_pipelines import TextClassifier
from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.connectors.mlflow.publication import publish
from rnn_pipelines.connectors.mlflow.sentiment_model import save_mlflow_model
from rnn_pipelines.connectors.mlflow.specs import TrackingSpec
from rnn_pipelines.hooks.paths import find_saver
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact as Artefact
from rnn_pipelines.sentiment.model.packing import pack

TEXTS = ["a great fine film", "the dull awful film", "xyzzy", "", "素晴らしい"]
SINCE = "2026-01-31T02:00:00+00:00"


@pytest.fixture(scope="module")
def files(text_classifier: Artefact) -> dict[str, bytes]:
    return pack(text_classifier)


@pytest.fixture(scope="module")
def ngram_files(text_classifier: Artefact) -> dict[str, bytes]:
    """Of a classifier without networks."""
    calibration: Any = {"weights": {"nb_ngram": 1.0}, "intercept": [0.0]}
    return pack(replace(text_classifier, networks={}, calibration=calibration))


def list_requirements(folder: Path) -> list[str]:
    return [
        line.partition("==")[0] for line in (folder / "requirements.txt").read_text().splitlines()
    ]


@pytest.mark.slow
def test_the_champion_has_the_results_of_the_project(
    files: dict[str, bytes], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = ChampionStore(tmp_path / "sentiment")
    spec = TrackingSpec(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    version = store.add_version(files)
    store.promote(version, ["it is better"], SINCE)
    record = {
        "kind": "retrain",
        "task": "sentiment",
        "at": SINCE,
        "outcome": "promoted",
        "version": version,
    }
    add_record(store.folder, {**record, "reasons": ["it is better"]})
    assert publish(store, "sentiment", spec, save_model=find_saver("sentiment")).champion == version
    monkeypatch.setenv("MLFLOW_TRACKING_URI", spec.tracking_uri)
    model = mlflow.pyfunc.load_model("models:/rnn-pipelines-sentiment@champion")
    expected = TextClassifier.unpack(files).predict(TEXTS)
    pd.testing.assert_frame_equal(model.predict(pd.DataFrame({"text": TEXTS})), expected)
    # Other columns are not read.
    pd.testing.assert_frame_equal(model.predict(pd.DataFrame({"row": 1, "text": TEXTS})), expected)
    for wrong in ({"text": ["fine", None]}, {"review": ["fine"]}):
        with pytest.raises(MlflowException):
            model.predict(pd.DataFrame(wrong))


def test_a_model_with_networks_needs_keras(files: dict[str, bytes], tmp_path: Path) -> None:
    save_mlflow_model(files, tmp_path / "model")
    assert list_requirements(tmp_path / "model") == ["mlflow", "rnn-pipelines[keras]"]


def test_a_model_without_networks_needs_no_keras(
    ngram_files: dict[str, bytes], tmp_path: Path
) -> None:
    save_mlflow_model(ngram_files, tmp_path / "model")
    assert list_requirements(tmp_path / "model") == ["mlflow", "rnn-pipelines"]


def test_a_model_has_no_pickle(ngram_files: dict[str, bytes], tmp_path: Path) -> None:
    save_mlflow_model(ngram_files, tmp_path / "model")
    assert list(tmp_path.rglob("*.pkl")) == []


def test_saving_a_model_shows_no_advice_for_authors(
    ngram_files: dict[str, bytes], tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    save_mlflow_model(ngram_files, tmp_path / "model")
    advice = [str(warning.message) for warning in recwarn if warning.category is UserWarning]
    assert advice == []


@pytest.mark.slow
def test_n_grams_alone_are_scored_without_tensorflow(
    ngram_files: dict[str, bytes], tmp_path: Path
) -> None:
    save_mlflow_model(ngram_files, tmp_path / "model")
    code = (
        "import sys, pandas, mlflow.pyfunc\n"
        f"model = mlflow.pyfunc.load_model({str(tmp_path / 'model')!r})\n"
        f"found = model.predict(pandas.DataFrame({{'text': {TEXTS[:2]}}}))\n"
        "print(found['label'].tolist(), {'keras', 'tensorflow'} & set(sys.modules))"
    )
    finished = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, text=True, cwd=tmp_path
    )
    labels = TextClassifier.unpack(ngram_files).predict(TEXTS[:2])["label"].tolist()
    assert finished.stdout.split("\n")[0] == f"{labels} set()"


def test_a_version_of_another_kind_is_not_served(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = ChampionStore(tmp_path / "sentiment")
    spec = TrackingSpec(tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")
    version = store.add_version({"scaler.json": b"{}"})
    add_record(
        store.folder, {"kind": "retrain", "task": "sentiment", "at": SINCE, "version": version}
    )
    publish(store, "sentiment", spec, save_model=find_saver("sentiment"))
    assert list(tmp_path.rglob("MLmodel")) == []
    assert [one.levelname for one in caplog.records if one.name.startswith("rnn_pipelines")] == [
        "ERROR"
    ]
