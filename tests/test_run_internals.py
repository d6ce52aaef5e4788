"""Whole runs of `internals` with a data root of their own: on a fresh clone, and after other pipelines."""

import csv
import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.datasets import ArraysDataset
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.methods.training.training import train_network
from rnn_pipelines.pipelines.internals.pipeline import FIGURES
from rnn_pipelines.report.notes import NOTE_TITLE
from rnn_pipelines.sentiment.datasets import TextClassifierDataset
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact
from whole_runs import copy_configuration, run_command

pytestmark = pytest.mark.slow

PRETRAINED = ["pretrained_lstm", "pretrained_gru"]
FRESH_LAYERS = [
    *PRETRAINED,
    *(
        f"sentiment_{cell}_{direction}"
        for cell in ("lstm", "gru")
        for direction in ("forward", "backward")
    ),
]


class Clone:
    """The project with its own configuration and data.

    Args:
        folder: of both.
    """

    def __init__(self, folder: Path) -> None:
        self.data = folder / "data"
        self._conf = copy_configuration(folder)

    def run(self, *settings: str) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name != "IMDB_ARCHIVE"}
        # As without a network, on a machine with one too.
        environment["HTTPS_PROXY"] = "http://127.0.0.1:1"
        given = (f"internals.{setting}" for setting in settings)
        return run_command("internals", *given, conf=self._conf, environment=environment)

    def read_summary(self) -> dict:
        return json.loads((self.data / "08_reporting/internals/summary.json").read_text())


@pytest.fixture(scope="module")
def reviews(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """300 reviews whose words tell their label."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("own") / "reviews.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(300):
            telling = ["great", "moving", "fine"] if number % 2 else ["awful", "dull", "poor"]
            words = [
                *rng.choice(["the", "film", "a", "story", "it", "was"], 6),
                *rng.choice(telling, 2),
            ]
            writer.writerow([" ".join([*rng.permutation(words), f"no{number}"]), number % 2])
    return path


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, reviews: Path) -> Clone:
    clone = Clone(tmp_path_factory.mktemp("fresh"))
    finished = clone.run(f"reviews.path={reviews}")
    assert finished.returncode == 0, finished.stderr
    return clone


@pytest.fixture(scope="module")
def offline(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A fresh clone without reviews."""
    clone = Clone(tmp_path_factory.mktemp("offline"))
    finished = clone.run()
    assert finished.returncode == 0, finished.stderr
    assert (finished.stdout + finished.stderr).count("internals.reviews.download=true") == 1
    return clone


@pytest.fixture(scope="module")
def after_others(
    tmp_path_factory: pytest.TempPathFactory,
    text_classifier: ClassifierArtefact,
    prepare: Callable[..., SimpleNamespace],
    make_values: Callable[..., list[float]],
) -> Clone:
    """Other pipelines have left forecasters and a classifier of one network, but no reviews."""
    clone = Clone(tmp_path_factory.mktemp("after"))
    panel = prepare(make_values(60)).windows
    linear = fit_linear_models(panel)
    models = clone.data / "06_models/forecast"
    holds = "rnn_pipelines.forecast.windows.panel.WindowedPanel"
    ArraysDataset(
        filepath=str(clone.data / "05_model_input/forecast/windows.npz"), holds=holds
    ).save(panel)
    holds = "rnn_pipelines.forecast.methods.linear.models.LinearModels"
    ArraysDataset(filepath=str(models / "linear.npz"), holds=holds).save(linear)
    for cell in ("lstm", "gru"):
        network = train_network(
            FittingData(panel, linear),
            NetworkSpec(cell=cell, units=3),
            ForecastTrainingSpec(max_steps=2),
        ).network
        holds = "rnn_pipelines.forecast.methods.networks.network.Network"
        ArraysDataset(filepath=str(models / f"{cell}.npz"), holds=holds).save(network)
    alone = ClassifierArtefact(
        {"gru": text_classifier.networks["gru"]},
        text_classifier.ngrams,
        text_classifier.vocabulary,
        text_classifier.padding,
        {"weights": {"gru": 1.0, "nb_ngram": 1.0}, "intercept": [0.0]},
    )
    path = clone.data / "06_models/sentiment/classifier.zip"
    TextClassifierDataset(filepath=str(path)).save(alone)
    finished = clone.run("reviews.path=nowhere.csv")
    assert finished.returncode == 0, finished.stderr
    return clone


def test_a_fresh_clone_traces_every_layer(fresh: Clone) -> None:
    summary = fresh.read_summary()["layers"]
    assert list(summary) == FRESH_LAYERS


def test_a_fresh_clone_names_the_origin_of_a_layer(fresh: Clone) -> None:
    summary = fresh.read_summary()["layers"]
    assert summary["pretrained_gru"]["origin"].endswith("traced over noisy_sine")
    assert summary["sentiment_gru_forward"]["origin"].startswith(
        "trained here, small, on 300 reviews of"
    )


def test_a_fresh_clone_measures_its_classifier(fresh: Clone) -> None:
    classifier = fresh.read_summary()["classifier"]
    assert not classifier["is_missing"]
    assert set(classifier["accuracy"]) == {"lstm", "gru", "nb_ngram", "ensemble"}
    assert classifier["num_texts"] == 50


def test_a_fresh_clone_counts_the_weights_of_gates(fresh: Clone) -> None:
    for layer in fresh.read_summary()["layers"].values():
        expected = CELLS[layer["cell"]].count_weights_by_gate(layer["num_inputs"], layer["units"])
        assert layer["num_weights_by_gate"] == expected


def test_the_summary_of_a_fresh_clone_is_strict_json(fresh: Clone) -> None:
    # Infinity and NaN are none.
    constants: list[str] = []
    json.loads(
        (fresh.data / "08_reporting/internals/summary.json").read_text(),
        parse_constant=constants.append,
    )
    assert constants == []


def test_a_fresh_clone_has_every_figure(fresh: Clone) -> None:
    written = {path.stem for path in (fresh.data / "08_reporting/internals").glob("*.json")} - {
        "summary"
    }
    assert written == set(FIGURES)


def test_the_report_of_a_fresh_clone_is_whole(fresh: Clone) -> None:
    page = (fresh.data / "08_reporting/internals/report.html").read_text()
    assert NOTE_TITLE not in page
    assert 'src="http' not in page
    assert "traced over noisy_sine" in page


def test_a_run_without_reviews_traces_the_pretrained_networks(offline: Clone) -> None:
    summary = offline.read_summary()
    assert list(summary["layers"]) == PRETRAINED


def test_a_run_without_reviews_has_no_readings(offline: Clone) -> None:
    summary = offline.read_summary()
    assert summary["classifier"]["is_missing"]
    assert pd.read_parquet(offline.data / "07_model_output/internals/readings.parquet").empty


def test_a_run_without_reviews_has_every_figure(offline: Clone) -> None:
    reporting = offline.data / "08_reporting/internals"
    assert {path.stem for path in reporting.glob("*.json")} == {"summary", *FIGURES}


def test_tables_without_reviews_have_the_pretrained_networks(offline: Clone) -> None:
    reporting = offline.data / "08_reporting/internals"
    for table in ("distributions", "half_lives", "gradients"):
        assert set(pd.read_parquet(reporting / f"{table}.parquet")["layer"]) == set(PRETRAINED)


def test_the_report_without_reviews_gives_the_reason(offline: Clone) -> None:
    summary = offline.read_summary()
    reporting = offline.data / "08_reporting/internals"
    assert summary["classifier"]["origin"] in (reporting / "report.html").read_text()


def test_a_failed_download_is_a_warning(offline: Clone) -> None:
    finished = offline.run("reviews.download=true")
    assert finished.returncode == 0, finished.stderr
    assert (finished.stdout + finished.stderr).count("the download failed") == 1
    assert offline.read_summary()["classifier"]["is_missing"]


def test_a_missing_archive_ends_the_run(offline: Clone) -> None:
    # Only a download may fail; the results of the run before stay.
    before = offline.read_summary()
    finished = offline.run("reviews.archive=nowhere.tar.gz")
    assert finished.returncode == 1
    assert "nowhere.tar.gz: no such file" in finished.stderr
    assert offline.read_summary() == before


def test_networks_of_other_pipelines_are_traced(after_others: Clone) -> None:
    summary = after_others.read_summary()["layers"]
    assert {layer["origin"].split(",")[0] for layer in summary.values()} == {
        "trained by forecast",
        "trained before",
        "trained by sentiment",
    }
    assert list(summary) == [
        "forecast_lstm",
        "forecast_gru",
        *PRETRAINED,
        "sentiment_gru_forward",
        "sentiment_gru_backward",
    ]


def test_texts_of_another_pipeline_are_read(after_others: Clone) -> None:
    readings = pd.read_parquet(after_others.data / "07_model_output/internals/readings.parquet")
    assert set(readings["cell"]) == {"gru"}
    assert readings["text"].nunique() == 3


def test_equations_give_the_states_of_the_networks(fresh: Clone, after_others: Clone) -> None:
    layers = [
        *fresh.read_summary()["layers"].values(),
        *after_others.read_summary()["layers"].values(),
    ]
    assert max(layer["max_difference"] for layer in layers) < 1e-5
    assert {path.name for path in (fresh.data / "runs").iterdir()} == {"internals"}
    assert len(list((after_others.data / "06_models/forecast").glob("*.npz"))) == 3
