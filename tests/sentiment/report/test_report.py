"""The report says what the network adds to the n-gram classifier, and holds all that belongs to it."""

from pathlib import Path
from typing import Any

import plotly.io
import pytest

from golden import has_in_order, is_golden
from rnn_pipelines.report.page import read_plotly
from rnn_pipelines.report.report import Report
from rnn_pipelines.report.terminal import WIDTH
from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.methods.calibration import choose_best_classifier
from rnn_pipelines.sentiment.report.figures import draw_sentiment_figures
from rnn_pipelines.sentiment.report.fitted import report_fitted
from rnn_pipelines.sentiment.report.report import (
    describe_accuracy,
    describe_gain,
    relate_cells,
    report_sentiment,
)
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

EVIL = "<img src='https://evil.example/x.png'>"


@pytest.fixture(scope="module")
def make_report(make_sentiment):
    """Makes a report of handmade results."""

    def make(
        parameters: dict[str, Any] | None = None,
        **options: Any,
    ) -> Report:
        made = make_sentiment(**options)
        figures = draw_sentiment_figures(
            made.metrics, made.calibrations, made.by_group, made.by_confidence, **made.histories
        )
        # As the catalog returns them.
        loaded = {name: plotly.io.from_json(figure.to_json()) for name, figure in figures.items()}
        return report_sentiment(
            made.metrics,
            made.calibrations,
            made.profile,
            made.examples,
            made.class_facts,
            made.parameters | (parameters or {}),
            **{f"{name}_record": record for name, record in made.records.items()},
            **{f"{name}_figure": figure for name, figure in loaded.items()},
        )

    return make


@pytest.fixture(scope="module")
def write_report(make_report):
    """Renders a report of handmade results, without the code of Plotly."""
    return lambda *given, **options: (
        make_report(*given, **options).render().replace(read_plotly(), "")
    )


def make_metrics(better: int, worse: int, p_value: float) -> dict[str, Any]:
    """Metrics of 25,000 texts, of which the network alone gets `better`, the n-gram classifier alone `worse` right."""
    accuracy = 0.918 + (better - worse) / 25000
    counts = {"confusion": [[12500, 0], [500, 12000]]}
    test = {"only_reference_wrong": better, "only_this_wrong": worse, "p_value": p_value}
    return {
        "nb_ngram": {"accuracy": 0.918},
        "lstm": {"accuracy": accuracy, "against_nb_ngram": test, **counts},
    }


@pytest.mark.parametrize(
    ("better", "worse", "p_value", "facts"),
    [
        (1152, 1002, 0.0499, ("150 reviews more", "significant", "p = 0.05", "better")),
        (1012, 1000, 0.05, ("12 reviews more", "p = 0.05", "no difference")),
        (1000, 1012, 0.8, ("12 reviews fewer", "p = 0.8", "no difference")),
        (9, 99, 1e-9, ("90 reviews fewer", "significant", "p < 0.0001", "worse")),
        (5, 5, 1.0, ("equally many", "p > 0.99", "no difference")),
        (6, 5, 1.0, ("1 review more", "p > 0.99", "no difference")),
    ],
)
def test_verdict_is_better_only_by_a_test(
    better: int, worse: int, p_value: float, facts: tuple[str, ...]
) -> None:
    verdict = describe_gain(make_metrics(better, worse, p_value), "lstm")
    assert has_in_order(verdict, "LSTM", "25,000", "NB n-grams", *facts)
    assert ("significant" in verdict) is ("significant" in facts)


@pytest.fixture(scope="module")
def made(make_sentiment) -> Any:
    return make_sentiment()


@pytest.fixture(scope="module")
def summary(make_report) -> list[str]:
    """The verdict and the table that the terminal shows."""
    return make_report().summarize().split("\n\n")


def test_terminal_has_the_verdict(made: Any, summary: list[str]) -> None:
    chosen = choose_best_classifier(made.calibrations)
    sentences = describe_accuracy(made.metrics, chosen), describe_gain(made.metrics, chosen)
    assert " ".join(summary[0].split()) == " ".join(sentences)


def test_terminal_has_the_classes(summary: list[str]) -> None:
    _, *rows = summary[1].splitlines()
    assert [row.split()[0] for row in rows] == ["negative", "positive"]


def test_terminal_has_all_classifiers_by_accuracy(made: Any, summary: list[str]) -> None:
    _, *rows = summary[2].splitlines()
    accuracies = [float(row.split(" %")[0].split()[-1]) for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert len(rows) == len(made.calibrations)


def test_summary_fits_the_width_of_a_terminal(summary: list[str]) -> None:
    assert max(map(len, "\n".join(summary).splitlines())) <= WIDTH


def make_cells(lstm: float, gru: float, **alone: float) -> dict[str, Any]:
    cost = {"training_seconds": 612.34, "num_parameters": 4512}
    return {
        name: {"accuracy": value} | cost
        for name, value in {"lstm": lstm, "gru": gru, **alone}.items()
    }


@pytest.mark.parametrize(
    ("gru", "words"), [(0.919, "0.20 points less"), (0.925, "0.40 points more"), (0.921, "as many")]
)
def test_gru_may_be_worse_better_or_as_good(gru: float, words: str) -> None:
    assert words in relate_cells(make_cells(0.921, gru))


def test_cells_alone_are_not_compared_where_only_one_has_a_path() -> None:
    assert "n-gram path" not in relate_cells(make_cells(0.921, 0.919, lstm_alone=0.90))


@pytest.mark.parametrize(
    "source", [ReviewSourceSpec(path="folder/my.csv"), {"path": "folder/my.csv"}]
)
def test_report_takes_parameters_as_models_or_as_plain_values(write_report, source) -> None:
    report = write_report({"source": source, "padding": {"max_length": 77}})
    assert "<h1>Sentiment of reviews: my.csv</h1>" in report
    assert "at most 77 words" in report


def test_page_is_the_golden_one(write_report) -> None:
    page = write_report(has_weights=True, noise=2.0, text="I have seen it so, a good film.")
    assert is_golden(page, Path(__file__).parent / "golden/report.txt")


def test_page_without_ngrams_has_no_gain_of_them(write_report) -> None:
    assert "n-gram path" not in write_report(has_path=False)


def test_report_has_its_figures(write_report) -> None:
    assert write_report().count('class="plotly-graph-div"') == 6
    assert write_report(has_ratings=False).count('class="plotly-graph-div"') == 5


def test_report_without_mistakes_says_so(write_report) -> None:
    assert "LSTM + GRU + n-grams is right on all" in write_report(noise=0.0)


def test_the_name_of_the_source_is_escaped(write_report) -> None:
    report = write_report({"source": ReviewSourceSpec(path="<img>.csv")})
    assert "<img" not in report
    assert "<h1>Sentiment of reviews: &lt;img&gt;.csv</h1>" in report


@pytest.mark.parametrize("key", ["text", "group"])
def test_text_from_data_is_escaped(write_report, key: str) -> None:
    report = write_report(noise=2.0, **{key: f"a < b {EVIL[:-1]}"})
    assert "<img" not in report
    assert "&lt; b" in report


@pytest.fixture(scope="module")
def page_of_three(three_classes: FittedClassifier) -> str:
    """Of a classifier of three classes without networks."""
    parameters = {"source": ReviewSourceSpec(path="own.csv"), "padding": PaddingSpec()}
    return report_fitted(three_classes, parameters).render().replace(read_plotly(), "")


def test_page_of_other_classes_has_another_title(page_of_three: str) -> None:
    assert "<h1>Classes of texts: own.csv</h1>" in page_of_three


def test_page_without_networks_says_why(page_of_three: str) -> None:
    assert "fewer training texts than lstm.min_texts" in " ".join(page_of_three.split())


def test_page_without_mistakes_names_the_ngrams(page_of_three: str) -> None:
    assert "NB n-grams is right on all test texts" in page_of_three
