"""Whole retrainings of text classifiers under `--env=test`, and scores by the champion."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, log_loss

from rnn_pipelines.datasets import ChampionDataset
from rnn_pipelines.errors import ReviewError
from rnn_pipelines.sentiment.methods.logits import read_logits, to_probabilities
from whole_runs import MANIFEST, ROOT, find_newest, load_champion, run_here

FOLDER = ROOT / "06_models/champion/sentiment"
HOLDOUT = ROOT / "06_models/retrain_sentiment/holdout.parquet"
SCORES = ROOT / "07_model_output/predict_sentiment/scores.csv"
VERDICT = ROOT / "08_reporting/monitor_sentiment/verdict.json"
DAY = "2024-02-14"
# Of the days up to then.
NUM_REVIEWS = 6 * 45
SMALL = {"bidirectional": False, "units": 2, "min_texts": 0}
PRAISE = ["great", "wonderful", "moving", "brilliant", "loved", "superb"]
BLAME = ["awful", "boring", "terrible", "stupid", "hated", "dull"]
PLAIN = [
    "the",
    "film",
    "a",
    "story",
    "of",
    "an",
    "actor",
    "and",
    "his",
    "dog",
    "in",
    "city",
    "it",
    "was",
    "on",
]

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def make_reviews(last: str = "2024-12-31") -> pd.DataFrame:
    """Six reviews a day, up to a day, whose words tell their label, in a fifth of them not surely."""
    random = np.random.default_rng(0)
    rows = []
    for number, day in enumerate(pd.date_range("2024-01-01", periods=60).repeat(6)):
        telling = (PRAISE, BLAME) if number % 2 else (BLAME, PRAISE)
        words = [*random.choice(PLAIN, 8), *random.choice(telling[0], 2)]
        words += list(random.choice(telling[1], 2)) if random.random() < 0.2 else []
        rows.append((day, " ".join(random.permutation(words)), "pos" if number % 2 else "neg"))
    table = pd.DataFrame(rows, columns=["Day", "Review", "Sentiment"])
    return table[table["Day"] <= last]


def make_wild_reviews() -> pd.DataFrame:
    """The same, and above them rows of later days that turn everything round."""
    table = make_reviews()
    late = table[table["Day"] > DAY].assign(Review="xyzzy great", Sentiment="neg")
    return pd.concat([late, make_reviews(DAY)])


def write_reviews(path: Path, table: pd.DataFrame) -> str:
    table.to_csv(path, index=False)
    return str(path)


Run = Callable[..., None]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Runs a pipeline in this process; others find no champion after these tests."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    folder = tmp_path_factory.mktemp("reviews")
    paths = {
        "wild": write_reviews(folder / "wild.csv", make_wild_reviews()),
        "none": write_reviews(folder / "none.csv", make_reviews(DAY)),
    }

    def run_pipeline(name: str, path: str, **settings: Any) -> None:
        path = paths.get(path, path)
        source = {"path": path, "text": "Review", "label": "Sentiment"}
        parameters = {
            "sentiment": {"source": source, "lstm": SMALL, "gru": SMALL},
            "retrain_sentiment": {"time": "Day", "as_of": DAY, **settings},
        }
        if name == "predict_sentiment":
            parameters = {name: {"path": path, "text": "Review"}}
        if name == "monitor_sentiment":
            parameters = {}
        run_here(name, parameters)

    yield run_pipeline
    shutil.rmtree(FOLDER, ignore_errors=True)


@pytest.fixture(scope="module")
def first(run: Run) -> dict[str, Any]:
    """The record of the first retraining as of a day after which there are wild rows, with its holdout."""
    run("retrain_sentiment", "wild")
    return find_newest("sentiment") | {"holdout": pd.read_parquet(HOLDOUT)}


@pytest.fixture(scope="module")
def second(run: Run, first: dict[str, Any]) -> dict[str, Any]:
    """That of a second one on the same data, without the rows after that day."""
    run("retrain_sentiment", "none")
    return find_newest("sentiment") | {"holdout": pd.read_parquet(HOLDOUT)}


def test_first_challenger_becomes_the_champion(first: dict[str, Any]) -> None:
    assert (first["outcome"], first["reasons"][0]) == ("promoted", "there is no champion yet")
    assert json.loads((FOLDER / "champion.json").read_text())["version"] == first["version"]


def test_reasons_name_a_simple_method_that_is_better(first: dict[str, Any]) -> None:
    loss = first["metrics"]["challenger"]["loss"]
    simple = first["metrics"]["baselines"]
    best = min(simple, key=simple.__getitem__)
    assert [f"that of {best}" in reason for reason in first["reasons"][1:]] == [True] * (
        simple[best] < loss
    )


def test_the_record_of_a_retraining_is_complete(first: dict[str, Any]) -> None:
    assert set(first) >= MANIFEST
    assert set(first["fingerprints"]) == {"data", "parameters", "code"}


def test_the_record_of_a_retraining_describes_its_data(first: dict[str, Any]) -> None:
    assert first["data"] == {
        "source": first["parameters"]["sentiment"]["source"]["path"],
        "num_reviews": NUM_REVIEWS,
        "num_groups": NUM_REVIEWS,
        "first": "2024-01-01 00:00:00",
        "last": "2024-02-14 00:00:00",
    }


def test_the_record_of_a_retraining_has_metrics_of_all(first: dict[str, Any]) -> None:
    assert set(first["metrics"]) == {"challenger", "champion", "baselines"}
    assert set(first["metrics"]["baselines"]) == {"majority", "nb_ngram"}


def test_the_holdout_is_the_newest_fifth(first: dict[str, Any]) -> None:
    numbers = first["holdout"]["review_id"].astype(int)
    assert numbers.tolist() == list(range(NUM_REVIEWS * 4 // 5 + 1, NUM_REVIEWS + 1))


def test_measures_are_those_of_the_holdout(first: dict[str, Any]) -> None:
    labels = first["holdout"]["label"] == "positive"
    probability = to_probabilities(read_logits(first["holdout"], "challenger"))[:, 1]
    metrics = first["metrics"]["challenger"]
    assert metrics["loss"] == pytest.approx(log_loss(labels, probability))
    assert metrics["accuracy"] == pytest.approx(accuracy_score(labels, probability > 0.5))


def test_the_challenger_is_better_than_the_majority(first: dict[str, Any]) -> None:
    metrics = first["metrics"]["challenger"]
    assert metrics["loss"] < first["metrics"]["baselines"]["majority"]


@pytest.mark.usefixtures("first")
def test_checkpoints_are_removed() -> None:
    assert list((HOLDOUT.parent / "checkpoints").glob("*")) == []


def test_promoted_artefact_is_the_one_that_was_evaluated(first: dict[str, Any]) -> None:
    """After loading it gives the scores on which it was judged."""
    from rnn_pipelines.sentiment.model.classifier import score_sentiment
    from rnn_pipelines.sentiment.model.packing import unpack

    files = ChampionDataset(path=str(FOLDER), task="sentiment").store.read_version(first["version"])
    holdout = first["holdout"]
    texts = make_reviews(DAY)["Review"].iloc[holdout["review_id"].astype(int) - 1]
    scores = score_sentiment(unpack(files), pd.DataFrame({"row": range(len(texts)), "text": texts}))
    np.testing.assert_allclose(
        scores["probability"],
        to_probabilities(read_logits(holdout, "challenger"))[:, 1],
        atol=1e-6,
    )


def test_equal_challenger_is_kept_back(first: dict[str, Any], second: dict[str, Any]) -> None:
    assert (second["outcome"], second["champion"]) == ("kept", first["version"])
    assert "not significant" in second["reasons"][0]
    assert load_champion("sentiment").version == first["version"]


def test_the_champion_has_the_loss_of_its_retraining(
    first: dict[str, Any], second: dict[str, Any]
) -> None:
    assert second["metrics"]["champion"]["loss"] == pytest.approx(
        first["metrics"]["challenger"]["loss"], rel=1e-5
    )


def test_later_reviews_change_no_measure(first: dict[str, Any], second: dict[str, Any]) -> None:
    # Not a digit differs.
    assert first["metrics"]["challenger"] == second["metrics"]["challenger"]
    assert first["fingerprints"]["data"] == second["fingerprints"]["data"]


def test_later_reviews_change_no_score(first: dict[str, Any], second: dict[str, Any]) -> None:
    common = [name for name in first["holdout"] if name != "is_seen"]
    pd.testing.assert_frame_equal(
        first["holdout"][common], second["holdout"][common], check_exact=True
    )


def test_worse_challenger_is_never_promoted(
    run: Run, second: dict[str, Any], tmp_path: Path
) -> None:
    """However old the champion is; it learns from labels that say nothing, and is asked for right ones."""
    before = load_champion("sentiment").version
    table = make_reviews(DAY)
    num_learnt = NUM_REVIEWS * 4 // 5
    noise = np.random.default_rng(1).permutation(table["Sentiment"].iloc[:num_learnt])
    table["Sentiment"] = [*noise, *table["Sentiment"].iloc[num_learnt:]]
    policy = {"must_beat": [], "max_age_days": 1e-9}
    run("retrain_sentiment", write_reviews(tmp_path / "noise.csv", table), policy=policy)
    assert find_newest("sentiment")["outcome"] == "kept"
    assert "it is worse" in find_newest("sentiment")["reasons"][0]
    assert load_champion("sentiment").version == before


def test_day_without_times_is_a_failure_on_record(run: Run, second: dict[str, Any]) -> None:
    before = load_champion("sentiment").version
    with pytest.raises(ReviewError, match=r"retrain_sentiment\.time"):
        run("retrain_sentiment", "none", time=None)
    record = find_newest("sentiment")
    assert (record["outcome"], record["as_of"]) == ("failed", DAY)
    assert load_champion("sentiment").version == before


def test_texts_are_scored_by_the_champion(run: Run, second: dict[str, Any], tmp_path: Path) -> None:
    path = write_reviews(tmp_path / "new.csv", make_reviews())
    run("predict_sentiment", path=path)
    scores = pd.read_csv(SCORES)
    champion = load_champion("sentiment")
    assert set(scores["model_version"]) == {champion.version}
    right = (scores["label"] == "positive") == (make_reviews()["Sentiment"] == "pos")
    assert right.mean() > 0.8


def test_scores_are_held_against_the_holdout_of_the_champion(
    run: Run, first: dict[str, Any], second: dict[str, Any], tmp_path: Path
) -> None:
    run("predict_sentiment", path=write_reviews(tmp_path / "new.csv", make_reviews()))
    run("monitor_sentiment", path="")
    found = json.loads(VERDICT.read_text())
    assert (found["num_texts"], found["num_reference"]) == (
        len(make_reviews()),
        len(first["holdout"]),
    )
    positive = next(row for row in found["measures"] if row["measure"] == "share of positive")
    assert positive["reference"] == pytest.approx((first["holdout"]["challenger"] > 0).mean())
