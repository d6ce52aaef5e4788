"""Whole runs of `sentiment` and `predict_sentiment` under `--env=test`: what the files hold."""

import csv
import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from sklearn.metrics import accuracy_score, f1_score, log_loss, roc_auc_score

from rnn_pipelines import TextClassifier
from rnn_pipelines.report.notes import NOTE_TITLE
from whole_runs import PROJECT, ROOT, call_command, read_json, run_command, take_checksums

# The slow tests need this run anyway; tests/sentiment/methods/test_registry.py runs the pipeline in memory.
pytestmark = pytest.mark.slow

CLASSIFIERS = ["lstm", "gru", "pointwise", "ensemble", "nb_ngram", "lstm_alone", "gru_alone"]
PRAISE = ["great", "wonderful", "moving", "brilliant", "loved", "superb", "charming", "fine"]
BLAME = ["awful", "boring", "terrible", "stupid", "hated", "dull", "clumsy", "poor"]
PLAIN = [
    "the", "group", "a", "story", "of", "an", "actor", "and", "his", "dog", "in", "the", "city", "it", "was", "on",
    "at", "night",
]  # fmt: skip


def run_kedro(
    pipeline: str, *settings: str, archive: Path | None = None
) -> subprocess.CompletedProcess[str]:
    environment = os.environ | ({"IMDB_ARCHIVE": str(archive)} if archive else {})
    return run_command(
        pipeline, *(f"{pipeline}.{setting}" for setting in settings), environment=environment
    )


def write_reviews(path: Path, num_reviews: int) -> Path:
    """Reviews of ten shops, in which words of praise or of blame stand among plain ones; a few are mixed.

    Each names its shop, so that the words of a shop give away where it was read.
    """
    rng = np.random.default_rng(0)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Review", "Sentiment", "Shop"])
        for number in range(num_reviews):
            positive = number % 2 == 0
            words = [*rng.choice(PLAIN, 12), *rng.choice(PRAISE if positive else BLAME, 3)]
            words += (
                list(rng.choice(BLAME if positive else PRAISE, 2)) if rng.random() < 0.3 else []
            )
            shop = number // 2 % 10
            text = " ".join([*rng.permutation(words), f"shop{shop}"])
            writer.writerow([text, "positive" if positive else "negative", shop])
    return path


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    path = write_reviews(tmp_path_factory.mktemp("own") / "reviews.csv", 400)
    return [
        f"source.path={path}",
        "source.text=Review",
        "source.label=Sentiment",
        "source.group=Shop",
    ]


@pytest.fixture(scope="module")
def run(settings: list[str]) -> subprocess.CompletedProcess[str]:
    # Where there is a champion, it scores.
    shutil.rmtree(ROOT / "06_models/champion/sentiment", ignore_errors=True)
    finished = run_kedro("sentiment", *settings)
    assert finished.returncode == 0, finished.stderr
    return finished


@pytest.fixture(scope="module")
def metrics(run: subprocess.CompletedProcess[str]) -> dict:
    return read_json("08_reporting/sentiment/metrics.json")


@pytest.fixture(scope="module")
def predictions(run: subprocess.CompletedProcess[str]) -> pd.DataFrame:
    return pd.read_parquet(ROOT / "07_model_output/sentiment/predictions.parquet")


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_metrics_are_those_of_the_predictions(
    metrics: dict, predictions: pd.DataFrame, name: str
) -> None:
    labels = predictions["label"] == "positive"
    probability = 1 / (1 + np.exp(-predictions[name]))
    expected = {
        "accuracy": accuracy_score(labels, probability > 0.5),
        "f1": f1_score(labels, probability > 0.5),
        "roc_auc": roc_auc_score(labels, probability),
        "log_loss": log_loss(labels, probability),
    }
    assert {measure: metrics[name][measure] for measure in expected} == pytest.approx(expected)


def test_python_gives_the_numbers_of_the_pipeline(metrics: dict, settings: list[str]) -> None:
    """From the same texts and the same parameters."""
    table = pd.read_csv(settings[0].removeprefix("source.path="))
    parameters = yaml.safe_load((PROJECT / "conf/test/parameters_sentiment.yml").read_text())[
        "sentiment"
    ]
    parameters.pop("pointwise")
    classifier = TextClassifier(**parameters).fit(
        table["Review"], table["Sentiment"], groups=table["Shop"]
    )
    found = classifier.leaderboard().set_index("classifier")
    for name in sorted({*CLASSIFIERS} - {"pointwise"}):
        assert found.loc[name, "log_loss"] == pytest.approx(metrics[name]["log_loss"], rel=1e-4)


def test_networks_state_their_cost(metrics: dict) -> None:
    assert all(metrics[name]["training_seconds"] > 0 for name in CLASSIFIERS)
    assert (
        metrics["ensemble"]["num_parameters"]
        == metrics["lstm"]["num_parameters"] + metrics["gru"]["num_parameters"]
    )


def test_networks_learn_words_of_praise(metrics: dict) -> None:
    assert all(metrics[name]["accuracy"] > 0.8 for name in ("ensemble", "nb_ngram"))


@pytest.mark.usefixtures("run")
def test_shops_lie_on_one_side() -> None:
    reviews = pd.read_parquet(ROOT / "02_intermediate/sentiment/reviews.parquet")
    assert reviews.groupby("group")["part"].nunique().eq(1).all()
    assert set(reviews["part"]) == {"train", "validation", "test"}


@pytest.mark.usefixtures("run")
def test_training_makes_the_vocabulary() -> None:
    reviews = pd.read_parquet(ROOT / "02_intermediate/sentiment/reviews.parquet")
    train = " ".join(reviews.loc[reviews["part"] == "train", "text"]).split()
    words = set(read_json("03_primary/sentiment/vocabulary.json"))
    assert words <= set(train)
    assert {word for word in train if word.startswith("shop")} <= words


def test_the_report_of_reviews_is_whole(run: subprocess.CompletedProcess[str]) -> None:
    page = (ROOT / "08_reporting/sentiment/report.html").read_text()
    assert NOTE_TITLE not in page
    assert "Report: " in run.stderr + run.stdout
    assert 'src="http' not in page
    assert "LSTM" in page


def test_same_seed_gives_the_same_metrics(metrics: dict, settings: list[str]) -> None:
    assert run_kedro("sentiment", *settings).returncode == 0
    again = read_json("08_reporting/sentiment/metrics.json")
    assert {name: again[name]["log_loss"] for name in CLASSIFIERS} == pytest.approx(
        {name: metrics[name]["log_loss"] for name in CLASSIFIERS}, rel=1e-5
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("source.label=Mood", "no column ['Mood']"),
        ("source.path=nowhere.csv", "nowhere.csv: no such file"),
        ("lstm.cell=rnn", "lstm"),
        ("split.validation=2", "validation"),
        ("lsmt.units=3", "Did you mean 'sentiment.lstm'?"),
    ],
)
def test_faulty_run_leaves_the_results_as_they_were(
    run: subprocess.CompletedProcess[str], settings: list[str], change: str, message: str
) -> None:
    before = take_checksums(part="sentiment")
    name = change.partition("=")[0]
    given = [*(s for s in settings if not s.startswith(f"{name}=")), change]
    finished = call_command("sentiment", *(f"sentiment.{setting}" for setting in given))
    assert finished.exit_code != 0
    assert message in finished.stderr
    assert take_checksums(part="sentiment") == before


def test_scores_of_test_reviews_are_those_of_the_evaluation(
    run: subprocess.CompletedProcess[str], predictions: pd.DataFrame, tmp_path: Path
) -> None:
    """Scoring starts from the saved classifier alone, and comes to the same numbers."""
    reviews = pd.read_parquet(ROOT / "02_intermediate/sentiment/reviews.parquet")
    test = reviews[reviews["part"] == "test"].reset_index(drop=True)
    test[["text"]].to_parquet(tmp_path / "test.parquet")
    finished = run_kedro("predict_sentiment", f"path={tmp_path / 'test.parquet'}")
    assert finished.returncode == 0, finished.stderr
    scores = pd.read_csv(ROOT / "07_model_output/predict_sentiment/scores.csv")
    calibrations = read_json("06_models/sentiment/calibrations.json")
    best = min(
        ("lstm", "gru", "ensemble"), key=lambda name: calibrations[name]["validation_log_loss"]
    )
    logits = pd.read_parquet(ROOT / "07_model_output/sentiment/predictions.parquet").set_index(
        "review_id"
    )[best]
    expected = 1 / (1 + np.exp(-logits.loc[test["review_id"]]))
    np.testing.assert_allclose(scores["probability"], expected, atol=1e-6)


def test_every_line_of_a_text_file_gets_an_answer(
    run: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    path = tmp_path / "mine.txt"
    path.write_text(
        "a wonderful and moving film\n\n😀\n很好的电影\nawful boring film\x85of a stupid dog\n"
    )
    finished = run_kedro("predict_sentiment", f"path={path}")
    assert finished.returncode == 0, finished.stderr
    assert "Scores: " in finished.stderr + finished.stdout
    scores = pd.read_csv(ROOT / "07_model_output/predict_sentiment/scores.csv")
    assert scores["row"].tolist() == [1, 2, 3, 4, 5]
    assert scores["label"].tolist() == ["positive", "unknown", "unknown", "unknown", "negative"]
    assert scores["num_words"].tolist() == [5, 0, 1, 1, 7]
    assert set(scores["model_version"]) == {"sentiment_classifier"}


def test_scoring_without_texts_says_how_to_name_them() -> None:
    finished = call_command("predict_sentiment")
    assert finished.exit_code != 0
    assert "predict_sentiment.path" in finished.stderr


@pytest.fixture(scope="module")
def few(settings: list[str]) -> dict:
    """The metrics of a run whose texts are too few for networks; those of earlier runs are there before."""
    shutil.rmtree(ROOT / "06_models/champion/sentiment", ignore_errors=True)
    minimum = [f"{name}.min_texts=4000" for name in ("lstm", "gru", "pointwise")]
    finished = run_kedro("sentiment", *settings, *minimum)
    assert finished.returncode == 0, finished.stderr
    return read_json("08_reporting/sentiment/metrics.json")


def test_run_of_few_texts_has_the_ngrams_alone(few: dict) -> None:
    assert {name for name in CLASSIFIERS if name in few} == {"nb_ngram"}


@pytest.mark.usefixtures("few")
def test_run_of_few_texts_leaves_no_network_of_an_earlier_run() -> None:
    assert list((ROOT / "06_models/sentiment").glob("*.keras")) == []


@pytest.mark.real_data
def test_run_on_the_small_archive() -> None:
    finished = run_kedro(
        "sentiment", archive=Path(os.environ["RNN_DATA"], "imdb/aclImdb_small.tar.gz").resolve()
    )
    assert finished.returncode == 0, finished.stderr
    metrics = read_json("08_reporting/sentiment/metrics.json")
    assert metrics["num_texts"] == 1000
    assert metrics["nb_ngram"]["accuracy"] > 0.7
