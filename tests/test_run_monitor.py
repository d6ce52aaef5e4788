"""Whole runs of both monitors with a data root of their own: on a fresh clone, and after other pipelines."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.datasets import ArraysDataset
from rnn_pipelines.forecast.datasets import ForecastLogDataset
from rnn_pipelines.report.notes import NOTE_TITLE
from rnn_pipelines.sentiment.operations.reference import UNVERSIONED, pack_reference
from rnn_pipelines.sentiment.text.encoding import encode_texts
from whole_runs import copy_configuration, run_here

DAYS = 240

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A configuration whose data lie in `data`; `run` runs a pipeline with it and returns the verdict."""
    folder = tmp_path_factory.mktemp("clone")
    conf = copy_configuration(folder)

    def run(pipeline: str, **parameters: Any) -> dict[str, Any]:
        run_here(pipeline, parameters, conf)
        reporting = folder / "data/08_reporting" / pipeline
        page = (reporting / "report.html").read_text()
        assert page.endswith("</html>")
        assert NOTE_TITLE not in page
        return json.loads((reporting / "verdict.json").read_text())

    return SimpleNamespace(data=folder / "data", run=run)


# In their order: the fresh clone first.


def test_fresh_clone_has_nothing_to_judge(clone: SimpleNamespace) -> None:
    verdict = clone.run("monitor_forecast")
    assert (verdict["verdict"], verdict["version"]) == ("ok", None)
    verdict = clone.run("monitor_sentiment")
    assert (verdict["verdict"], verdict["num_texts"], verdict["num_reference"]) == ("ok", 0, 0)


@pytest.fixture(scope="module")
def sales(clone: SimpleNamespace) -> dict[str, Any]:
    """A series, a champion without networks, and its forecasts of one step, off by 1 where 1 was promised."""
    series = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=DAYS)})
    series["sales"] = np.random.default_rng(0).normal(50, 5, DAYS)
    series.to_csv(clone.data / "sales.csv", index=False)
    folder = clone.data / "06_models/champion/forecast"
    store = ChampionStore(folder)
    learnt = {"sales": "2024-06-18T00:00:00"}
    version = store.add_version(
        {
            "settings.json": json.dumps(
                {"format": 1, "trained_until": learnt, "season_length": 7}
            ).encode()
        }
    )
    store.promote(version, ["first"], "2024-07-01T00:00:00+00:00")
    expected = {"loss": 1.0, "by_step": [1.0]}
    record = {
        "kind": "retrain",
        "at": "2024-07-01T00:00:00+00:00",
        "is_promoted": True,
        "version": version,
    }
    add_record(
        folder, record | {"data": {"last": "2024-06-30"}, "metrics": {"challenger": expected}}
    )
    log = pd.DataFrame(
        {
            "unique_id": "sales",
            "cutoff": series["day"],
            "ds": series["day"] + pd.Timedelta(days=1),
            "horizon_step": 1,
            "y_hat": series["sales"].shift(-1, fill_value=50.0) + np.resize([1.0, -1.0], DAYS),
            "model_version": version,
            "recorded_at": pd.Timestamp.now("UTC"),
        }
    )
    path = clone.data / "07_model_output/predict_forecast/forecasts.parquet"
    path.parent.mkdir(parents=True)
    ForecastLogDataset(filepath=str(path)).save(log)
    source = {"path": str(clone.data / "sales.csv"), "time": "day", "target": "sales"}
    return {"version": version, "forecast": {"source": source}}


@pytest.fixture(scope="module")
def promised(clone: SimpleNamespace, sales: dict[str, Any]) -> dict[str, Any]:
    return clone.run("monitor_forecast", forecast=sales["forecast"])


def test_forecasts_as_good_as_promised_are_ok(
    sales: dict[str, Any], promised: dict[str, Any]
) -> None:
    assert (promised["verdict"], promised["version"]) == ("ok", sales["version"])


def test_errors_as_promised_have_a_ratio_of_1(promised: dict[str, Any]) -> None:
    assert promised["error"]["mse"] == pytest.approx(1.0)
    assert promised["error"]["ratio"] == pytest.approx(1.0)
    assert promised["error"]["num_cutoffs"] == 30


def test_forecasts_from_the_last_learnt_day_are_judged(promised: dict[str, Any]) -> None:
    # From the last day that was learnt, June 18, to the last but one of the series.
    assert promised["by_version"][0]["num_forecasts"] == DAYS - 170


def test_no_step_is_missed(promised: dict[str, Any]) -> None:
    assert promised["coverage"]["missed_steps"] == {"sales": 0}


def test_earlier_day_can_be_judged(clone: SimpleNamespace, sales: dict[str, Any]) -> None:
    verdict = clone.run(
        "monitor_forecast", forecast=sales["forecast"], monitor_forecast={"as_of": "2024-07-31"}
    )
    assert verdict["error"]["last_cutoff"] == "2024-07-30"
    assert verdict["verdict"] == "ok"


def test_damaged_champion_is_an_alarm(clone: SimpleNamespace, sales: dict[str, Any]) -> None:
    settings = (
        clone.data / "06_models/champion/forecast/versions" / sales["version"] / "settings.json"
    )
    before = settings.read_bytes()
    settings.write_bytes(b"damaged")
    verdict = clone.run("monitor_forecast", forecast=sales["forecast"])
    settings.write_bytes(before)
    assert verdict["verdict"] == "alarm"


def leave_sentiment(data: Path, make_reviews: Callable[..., pd.DataFrame], num_words: int) -> None:
    """What `sentiment` and `predict_sentiment` leave, with scores of texts of so many words."""
    reviews = make_reviews(num_reviews=600)
    is_test = (reviews["part"] == "test").to_numpy()
    encoded = encode_texts(
        reviews["text"], sorted({word for text in reviews["text"] for word in text.split()})
    )
    random = np.random.default_rng(0)
    predictions = reviews.loc[is_test, ["review_id", "label", "rating"]].assign(
        num_words=encoded.lengths[is_test]
    )
    for name in ("lstm", "gru", "ensemble"):
        predictions[name] = random.normal(size=len(predictions))
    scores = pd.DataFrame(
        {"row": range(1, 201), "probability": 1 / (1 + np.exp(-random.normal(size=200)))}
    )
    scores["label"] = np.where(scores["probability"] > 0.5, "positive", "negative")
    scores["confidence"] = np.maximum(scores["probability"], 1 - scores["probability"])
    lengths = (
        random.choice(encoded.lengths[is_test], 200) if num_words == 0 else np.full(200, num_words)
    )
    scores = scores.assign(
        num_words=lengths, num_known_words=lengths, text="NA", model_version=UNVERSIONED
    )
    calibrations = {name: {"validation_log_loss": 0.1} for name in ("lstm", "gru", "ensemble")}
    for folder in ("02_intermediate/sentiment", "06_models/sentiment", "07_model_output/sentiment"):
        (data / folder).mkdir(parents=True, exist_ok=True)
    reviews.to_parquet(data / "02_intermediate/sentiment/reviews.parquet")
    ArraysDataset(
        filepath=str(data / "03_primary/sentiment/encoded.npz"),
        holds="rnn_pipelines.sentiment.text.encoding.EncodedTexts",
    ).save(encoded)
    (data / "06_models/sentiment/calibrations.json").write_text(json.dumps(calibrations))
    predictions.to_parquet(data / "07_model_output/sentiment/predictions.parquet")
    (data / "07_model_output/predict_sentiment").mkdir(parents=True, exist_ok=True)
    scores.to_csv(data / "07_model_output/predict_sentiment/scores.csv", index=False)


@pytest.mark.parametrize(("num_words", "verdict"), [(0, "ok"), (300, "alarm")])
def test_scores_of_the_classifier_are_held_against_its_test_part(
    clone: SimpleNamespace, make_reviews: Callable[..., pd.DataFrame], num_words: int, verdict: str
) -> None:
    leave_sentiment(clone.data, make_reviews, num_words)
    found = clone.run("monitor_sentiment")
    assert (found["verdict"], found["num_texts"], found["num_reference"]) == (verdict, 200, 100)


def test_scores_are_held_against_holdouts(
    clone: SimpleNamespace, make_reviews: Callable[..., pd.DataFrame]
) -> None:
    """Also after another version took its place."""
    leave_sentiment(clone.data, make_reviews, num_words=300)
    holdout = pd.DataFrame(
        {
            "label": pd.Categorical(["negative"] * 150, ["negative", "positive"]),
            "challenger": np.random.default_rng(0).normal(size=150),
            "num_words": 300,
        }
    )
    store = ChampionStore(clone.data / "06_models/champion/sentiment")
    files = {"settings.json": b'{"format": 1}'}
    version = store.add_version(files | pack_reference(holdout.assign(num_known_words=300)))
    store.promote(store.add_version(files), ["later"], "2024-07-01T00:00:00+00:00")
    path = clone.data / "07_model_output/predict_sentiment/scores.csv"
    pd.read_csv(path).assign(model_version=version).to_csv(path, index=False)
    found = clone.run("monitor_sentiment")
    assert (found["verdict"], found["num_texts"], found["num_reference"]) == ("ok", 200, 150)
