"""The report says what the network adds to the n-gram classifier, and holds all that belongs to it."""

import re
from typing import Any

import plotly.io
import pytest
from plotly.offline import get_plotlyjs

from rnn_pipelines.sentiment.report.figures import draw_figures
from rnn_pipelines.sentiment.report.report import (
    SentimentResults,
    compare_cells,
    describe_confusion,
    render_sentiment_report,
    write_verdict,
)
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

EVIL = "<img src='https://evil.example/x.png'>"


@pytest.fixture(scope="module")
def write_report(make_sentiment):
    """Renders a report of handmade results, without the code of Plotly."""

    def write(parameters: dict[str, Any] | None = None, records: dict[str, Any] | None = None, **options: Any) -> str:
        made = make_sentiment(**options)
        figures = draw_figures(made.metrics, made.calibrations, made.by_group, made.by_confidence, made.histories)
        # As the catalog returns them.
        loaded = {name: plotly.io.from_json(figure.to_json()) for name, figure in figures.items()}
        results = SentimentResults(
            metrics=made.metrics,
            calibrations=made.calibrations,
            profile=made.profile,
            examples=made.examples,
            parameters=made.parameters | (parameters or {}),
            records=records or made.records,
            figures=loaded,
        )
        return render_sentiment_report(results).replace(get_plotlyjs(), "")

    return write


def make_metrics(better: int, worse: int, p_value: float) -> dict[str, Any]:
    """Metrics of 25,000 texts, of which the network alone gets `better`, the n-gram classifier alone `worse` right."""
    accuracy = 0.918 + (better - worse) / 25000
    test = {"only_reference_wrong": better, "only_this_wrong": worse, "p_value": p_value}
    return {
        "num_texts": 25000,
        "nb_ngram": {"accuracy": 0.918},
        "lstm": {"accuracy": accuracy, "against_nb_ngram": test},
        "ensemble": {"accuracy": accuracy, "against_nb_ngram": test},
    }


# The verdict


def test_verdict_says_so_when_the_network_is_better() -> None:
    assert write_verdict(make_metrics(1152, 1002, 0.0013), "ensemble") == (
        "LSTM + GRU, the best on validation, is right on 92.40% of 25,000 test reviews, the classical NB n-grams on "
        "91.80%: 150 reviews more, a significant difference (McNemar p = 0.0013), so it is better."
    )


def test_verdict_says_so_when_the_gain_can_be_chance() -> None:
    verdict = write_verdict(make_metrics(1012, 1000, 0.8), "lstm")
    assert verdict.startswith("LSTM, the best on validation,")
    assert verdict.endswith("12 reviews more (McNemar p = 0.8), so it adds nothing that this test set can show.")


def test_verdict_says_so_when_the_loss_can_be_chance() -> None:
    verdict = write_verdict(make_metrics(1000, 1012, 0.8), "lstm")
    assert verdict.endswith("12 reviews fewer (McNemar p = 0.8), so it adds nothing that this test set can show.")


def test_verdict_says_so_when_the_network_is_worse() -> None:
    verdict = write_verdict(make_metrics(100, 1000, 1e-9), "lstm")
    assert verdict.endswith(
        "900 reviews fewer, a significant difference (McNemar p < 0.0001), so it adds nothing and is worse."
    )


def test_verdict_is_defined_when_both_are_equally_good() -> None:
    verdict = write_verdict(make_metrics(5, 5, 1.0), "lstm")
    assert verdict.endswith("equally many reviews (McNemar p = 1), so it adds nothing that this test set can show.")


def test_verdict_counts_one_review() -> None:
    assert ": 1 review more (" in write_verdict(make_metrics(6, 5, 1.0), "lstm")


@pytest.mark.parametrize(("p_value", "is_better"), [(0.0499, True), (0.05, False)])
def test_difference_counts_below_5_percent(p_value: float, is_better: bool) -> None:
    assert write_verdict(make_metrics(1100, 1000, p_value), "lstm").endswith("so it is better.") == is_better


@pytest.mark.parametrize("counts", [(1152, 1002, 0.001), (5, 5, 1.0), (100, 1000, 1e-9)])
def test_verdict_is_one_sentence(counts: tuple[int, int, float]) -> None:
    assert len(re.findall(r"\.(?!\d)", write_verdict(make_metrics(*counts), "lstm"))) == 1


# What else is said


def make_cells(lstm: float, gru: float, **alone: float) -> dict[str, Any]:
    cost = {"training_seconds": 612.34, "num_parameters": 4512}
    accuracies = {"lstm": lstm, "gru": gru} | alone
    metrics: dict[str, Any] = {name: {"accuracy": value} | cost for name, value in accuracies.items()}
    metrics["gru"] |= {"training_seconds": 480.0, "num_parameters": 3400}
    return metrics


def test_cells_are_compared_in_accuracy_time_and_size() -> None:
    assert compare_cells(make_cells(0.921, 0.919)) == (
        "LSTM is right on 92.10% of the test reviews, GRU on 91.90%, 0.20 points less. The LSTM's training took 612.3 "
        "s, the GRU's 480.0 s, without compiling; they have 4,512 and 3,400 parameters."
    )


@pytest.mark.parametrize(("gru", "words"), [(0.925, "0.40 points more"), (0.921, "as many")])
def test_gru_may_be_better_or_as_good(gru: float, words: str) -> None:
    assert words in compare_cells(make_cells(0.921, gru))


def test_cells_alone_are_compared_where_they_were_measured() -> None:
    words = compare_cells(make_cells(0.921, 0.919, lstm_alone=0.90, gru_alone=0.91))
    assert (
        "Without the n-gram path, LSTM is right on 90.00% of the test reviews, GRU on 91.00%, 1.00 points more."
        in words
    )


def test_cells_alone_are_not_compared_where_only_one_has_a_path() -> None:
    assert "n-gram path" not in compare_cells(make_cells(0.921, 0.919, lstm_alone=0.90))


def test_both_kinds_of_errors_are_told() -> None:
    metrics = {name: {"false_positive": 1002, "false_negative": 31} for name in ("gru", "nb_ngram")}
    assert describe_confusion(metrics, "gru").startswith(
        "GRU takes 1,002 negative reviews for positive and 31 positive ones for negative. NB n-grams takes"
    )


# The whole report


def test_report_holds_no_outside_address(write_report) -> None:
    assert not re.search(r"//|\bsrc=|url\(|@import", write_report())


def test_report_links_only_to_its_own_sections(write_report) -> None:
    assert all(link.startswith("#section-") for link in re.findall(r'href="([^"]*)"', write_report()))


def test_report_is_named_after_its_source(write_report) -> None:
    assert "<h1>Sentiment of reviews: Large Movie Review Dataset</h1>" in write_report()
    source = {"source": ReviewSourceSpec(path="folder/my.csv")}
    assert "<h1>Sentiment of reviews: my.csv</h1>" in write_report(source)


def test_report_takes_parameters_as_plain_values(write_report) -> None:
    plain = {"source": {"path": "folder/my.csv"}, "padding": {"max_length": 77}}
    report = write_report(plain)
    assert "<h1>Sentiment of reviews: my.csv</h1>" in report
    assert "at most 77 words" in report


def test_report_begins_with_the_verdict(write_report, make_sentiment) -> None:
    report = write_report()
    assert report.index(write_verdict(make_sentiment().metrics, "ensemble")) < report.index("<section>")


def test_report_has_all_sections(write_report) -> None:
    assert re.findall(r"<h2.*?>(.*?)</h2>", write_report()) == [
        "Classifiers",
        "Where the accuracy comes from",
        "LSTM against GRU",
        "Confusion",
        "Calibration",
        "By length and rating",
        "A sample",
        "Largest errors",
        "Loss curves",
        "Networks",
        "Data",
        "Parameters",
    ]


def test_report_has_all_figures(write_report) -> None:
    report = write_report()
    assert report.count('class="plotly-graph-div"') == 6
    for title in ("Accuracy", "Confusion matrix", "Calibration", "Accuracy by length", "Accuracy by rating"):
        assert f'"text":"{title}"' in report


def test_report_of_reviews_without_ratings_says_so(write_report) -> None:
    report = write_report(has_ratings=False)
    assert "The reviews have no ratings." in report
    assert report.count('class="plotly-graph-div"') == 5


def test_report_without_n_gram_path_says_nothing_of_it(write_report) -> None:
    report = write_report(has_path=False)
    assert "n-gram path" not in report
    assert "LSTM alone" not in report


def test_report_says_so_where_networks_read_n_grams(write_report, make_sentiment) -> None:
    record = make_sentiment().records["lstm"]
    layer = {"layer": "ngrams", "kind": "InputLayer", "output_shape": [None, 3], "num_parameters": 0}
    records = {"lstm": record | {"layers": [*record["layers"], layer]}, "gru": record}
    words = "the n-gram classifier&#39;s weights of the n-grams that begin there: LSTM. So does LSTM alone; only"
    assert words in write_report(records=records)
    assert "that begin there" not in write_report()


def test_report_without_n_gram_path_says_nothing_of_networks_alone(write_report, make_sentiment) -> None:
    record = make_sentiment().records["lstm"]
    layer = {"layer": "ngrams", "kind": "InputLayer", "output_shape": [None, 3], "num_parameters": 0}
    report = write_report(records={"lstm": record | {"layers": [*record["layers"], layer]}}, has_path=False)
    assert "that begin there: LSTM.</p>" in report


def test_report_says_how_much_of_a_review_the_networks_read(write_report) -> None:
    assert "at most 55 words and signs" in write_report({"padding": PaddingSpec(max_length=55)})


def test_report_without_mistakes_says_so(write_report) -> None:
    assert "LSTM + GRU is right on all test reviews." in write_report(noise=0.0)


def test_report_quotes_the_largest_errors(write_report) -> None:
    report = write_report(noise=2.0, text="I have seen it.")
    assert report.count("<p>I have seen it.</p>") == 1 + 10


@pytest.mark.parametrize("key", ["text", "film"])
def test_text_from_data_is_escaped(write_report, key: str) -> None:
    report = write_report(noise=2.0, **{key: f"a < b {EVIL[:-1]}"})
    assert "<img" not in report
    assert "&lt; b" in report


def test_name_of_the_source_is_escaped(write_report) -> None:
    report = write_report({"source": ReviewSourceSpec(path="<img>.csv")})
    assert "<img" not in report
    assert "<h1>Sentiment of reviews: &lt;img&gt;.csv</h1>" in report


def test_report_shows_the_parameters(write_report) -> None:
    assert re.search(r"<td>sentiment.padding.max_length</td>\s*<td>321</td>", write_report())
