"""What an older version of the project has left on disk is still read, and says the same.

`older/` was made at the commit before the rooms were built (6868f6c), with --env=test: forecasters retrained twice on
the synthetic temperature, text classifiers trained on made-up reviews.
"""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.datasets import ChampionDataset
from rnn_pipelines.forecast.datasets import ForecastLogDataset
from rnn_pipelines.forecast.forecaster import forecast_newest
from rnn_pipelines.forecast.series.source import SourceSpec, read_source
from rnn_pipelines.sentiment.classifier import TextClassifier, score_sentiment
from rnn_pipelines.sentiment.datasets import TextClassifierDataset

OLDER = Path(__file__).with_name("older")


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """A copy, because a champion's folder has locks and may get records."""
    return Path(shutil.copytree(OLDER, tmp_path / "older"))


def assert_scores_stay(classifier: TextClassifier, scores: pd.DataFrame) -> None:
    scored = score_sentiment(classifier, scores[["row", "text"]])
    pd.testing.assert_frame_equal(scored, scores.drop(columns="model_version"), check_dtype=False, atol=1e-6)


def test_older_forecaster_forecasts_the_same(older: Path) -> None:
    champion = ChampionDataset(path=str(older / "champion/forecast"), task="forecast").load()
    log = ForecastLogDataset(filepath=str(older / "forecasts.parquet")).load()
    source = SourceSpec(name="temperature")
    forecasts = forecast_newest(champion.artefact, read_source(source), source)
    assert champion.alarms == ()
    assert champion.version == log["model_version"].unique().item()
    np.testing.assert_allclose(forecasts["y_hat"], log["y_hat"], atol=1e-5)


def test_older_champion_keeps_its_record(older: Path) -> None:
    champion = ChampionDataset(path=str(older / "champion/forecast"), task="forecast").load()
    assert champion.record["outcome"] == "promoted"
    assert champion.promoted_at == "2026-11-26T00:30:41+00:00"


def test_older_champion_scores_texts_the_same(older: Path) -> None:
    champion = ChampionDataset(path=str(older / "champion/sentiment"), task="sentiment").load()
    assert champion.alarms == ()
    assert len(champion.artefact.seen) > 0
    assert_scores_stay(champion.artefact, pd.read_csv(older / "champion_scores.csv"))


def test_older_classifier_scores_texts_the_same(older: Path) -> None:
    classifier = TextClassifierDataset(filepath=str(older / "classifier.zip")).load()
    assert_scores_stay(classifier, pd.read_csv(older / "classifier_scores.csv"))


def test_forecasts_are_added_to_an_older_log(older: Path) -> None:
    log = ForecastLogDataset(filepath=str(older / "forecasts.parquet"))
    before = log.load()
    log.save(before.assign(model_version="newer"))
    assert log.load()["model_version"].tolist() == [*before["model_version"], *["newer"] * len(before)]
