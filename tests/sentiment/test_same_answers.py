"""Python, the pipelines, the console and the server give the same answers, also with texts without a label."""

import json
from collections.abc import Callable, Iterator, Sequence
from http.client import HTTPConnection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from kedro.io import DataCatalog, MemoryDataset
from kedro.runner import SequentialRunner

from rnn_pipelines import TextClassifier
from rnn_pipelines.champion.folders import load_folder, save_folder
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.console.main import commands
from rnn_pipelines.pipelines.sentiment import create_pipeline
from rnn_pipelines.sentiment.interface import describe_parameters, read_sentiment_spec
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec
from rnn_pipelines.sentiment.model.answers import write_words
from rnn_pipelines.sentiment.operations.reference import PredictSentimentSpec, score_newest
from rnn_pipelines.sentiment.text.files import read_texts
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec
from served_champions import serve

BLOCKS = {"vocabulary": {"min_count": 1}, "ngrams": {"folds": 3}}
PRETRAINED = BLOCKS | {"gru": {"units": 2, "pretraining_epochs": 1}}
# The classes, the parameters, and whether a third of the texts has no label.
CASES = {
    "two classes": (("negative", "positive"), BLOCKS, False),
    "three classes": (("bad", "good", "loud"), BLOCKS, False),
    "texts without a label": (("bad", "good", "loud"), PRETRAINED, True),
}
TEXTS = ["a great film", "so dull and bad, it was loud", "xyzzy", "le film est très bon"]


class KeptDataset(MemoryDataset):
    """Stays after its last reader."""

    def _release(self) -> None:
        pass


def run_pipeline(path: Path, settings: dict[str, Any], unlabelled: bool) -> DataCatalog:
    """Runs the whole pipeline in memory on the reviews of a file."""
    source = ReviewSourceSpec(path=str(path), group="group", unlabelled=unlabelled)
    blocks = describe_parameters(read_sentiment_spec(settings), source)
    blocks["pointwise"] = ClassifierSpec(cell="pointwise")
    inputs = {f"params:sentiment.{name}": block for name, block in blocks.items()}
    pipeline = create_pipeline()
    datasets = {
        name: MemoryDataset(block) for name, block in {**inputs, "params:sentiment": blocks}.items()
    }
    outputs = {name: KeptDataset(copy_mode="assign") for name in pipeline.all_outputs()}
    catalog = DataCatalog({**datasets, **outputs})
    SequentialRunner().run(pipeline, catalog)
    return catalog


@pytest.fixture(scope="module", params=CASES)
def made(
    request: pytest.FixtureRequest,
    make_reviews: Callable[..., pd.DataFrame],
    tmp_path_factory: pytest.TempPathFactory,
) -> SimpleNamespace:
    """The results of the pipeline and the classifier of Python, on the same file, and a folder with both files."""
    folder = tmp_path_factory.mktemp("reviews")
    classes, settings, unlabelled = CASES[request.param]
    reviews = make_reviews(240, classes=classes)[["text", "label", "group"]]
    if unlabelled:
        reviews["label"] = reviews["label"].mask(np.arange(240) % 3 == 0)
    reviews.to_csv(folder / "reviews.csv", index=False)
    classifier = TextClassifier(**settings)
    classifier.fit(
        reviews["text"],
        reviews["label"],
        groups=reviews["group"],
        verbose=False,
        unlabelled=unlabelled,
    )
    save_folder(folder / "model", pack_interface(classifier, folder))
    pd.DataFrame({"text": TEXTS}).to_csv(folder / "texts.csv", index=False)
    load = run_pipeline(folder / "reviews.csv", settings, unlabelled).load
    return SimpleNamespace(load=load, classifier=classifier, folder=folder, unlabelled=unlabelled)


def pack_interface(classifier: TextClassifier, folder: Path) -> dict[str, bytes]:
    classifier.save(folder / "saved")
    return load_folder(folder / "saved")


def test_metrics_of_python_are_those_of_the_pipeline(made: SimpleNamespace) -> None:
    metrics = made.load("sentiment_metrics")
    table = made.classifier.leaderboard().set_index("classifier")
    assert {*table.index} == {name for name in metrics if isinstance(metrics[name], dict)}
    for name in table.index:
        for measure in ("accuracy", "macro_f1", "log_loss", "calibration_error"):
            assert table.loc[name, measure] == metrics[name][measure]


def test_network_learns_few_labels_only_beside_texts_without_one(made: SimpleNamespace) -> None:
    assert ("gru" in made.load("sentiment_metrics")) == made.unlabelled


@pytest.mark.parametrize("options", [{}, {"abstain_below": 0.9}, {"explain": True}])
def test_answers_of_python_are_those_of_the_pipeline(
    made: SimpleNamespace, options: dict[str, Any]
) -> None:
    spec = PredictSentimentSpec.model_validate({"path": str(made.folder / "texts.csv"), **options})
    scores = score_newest(None, made.load("sentiment_classifier"), read_texts(spec), spec)
    answers = made.classifier.predict(TEXTS, **options)
    pd.testing.assert_frame_equal(scores[list(answers)], write_words(answers))


def test_report_of_python_has_the_tables_of_the_pipeline(made: SimpleNamespace) -> None:
    made.classifier.report(made.folder / "report.html")
    pages = [(made.folder / "report.html").read_text(), made.load("sentiment_report")]
    first, second = (page.partition(">Classes</h2>")[2].partition("</table>")[0] for page in pages)
    assert made.classifier.predict(TEXTS)["label"][0] in first
    assert first == second


def test_answers_of_the_console_are_those_of_python(made: SimpleNamespace) -> None:
    words = ["predict", str(made.folder / "model"), str(made.folder / "texts.csv"), "--json"]
    done = CliRunner().invoke(commands, [*words, "--abstain-below", "0.9"])
    expected = made.classifier.predict(TEXTS, abstain_below=0.9)
    assert_same_rows(json.loads(done.stdout), expected)


def assert_same_rows(rows: Sequence[dict[str, Any]], expected: pd.DataFrame) -> None:
    table = pd.DataFrame(rows)
    assert list(table) == list(expected)
    numbers = list(expected.select_dtypes("number"))
    np.testing.assert_allclose(table[numbers], expected[numbers], atol=5e-5)
    others = [name for name in expected if name not in numbers]
    assert table[others].to_numpy().tolist() == expected[others].to_numpy().tolist()


@pytest.fixture(scope="module")
def port(made: SimpleNamespace) -> Iterator[int]:
    """A server with the classifier as champion."""
    store = ChampionStore(made.folder / "champions" / "sentiment")
    version = store.add_version(load_folder(made.folder / "model"))
    store.promote(version, ["first"], "2026-01-01T00:00:00+00:00")
    with serve(made.folder / "champions", workers=1) as port:
        yield port


def ask(port: int, path: str, body: bytes, **headers: str) -> bytes:
    connection = HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", path, body, headers)
    answer = connection.getresponse().read()
    connection.close()
    return answer


@pytest.mark.parametrize("options", [{}, {"abstain_below": 0.9}, {"explain": True}])
def test_served_answers_are_those_of_python(
    made: SimpleNamespace, port: int, options: dict[str, Any]
) -> None:
    body = json.dumps({"texts": TEXTS, **options}).encode()
    answer = json.loads(ask(port, "/sentiment", body))
    assert_same_rows(answer["rows"], write_words(made.classifier.predict(TEXTS, **options)))


def test_served_table_has_words_as_json(made: SimpleNamespace, port: int) -> None:
    body = json.dumps({"texts": TEXTS, "explain": True}).encode()
    answer = ask(port, "/sentiment", body, Accept="text/csv")
    (made.folder / "answer.csv").write_bytes(answer)
    words = pd.read_csv(made.folder / "answer.csv")["words_for"].map(json.loads)
    expected = made.classifier.predict(TEXTS, explain=True)["words_for"]
    assert [list(effects) for effects in words] == [list(effects) for effects in expected]
