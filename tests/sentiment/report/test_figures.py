"""The figures show what was measured, and the classifiers that matter first."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plotly.graph_objects import Figure

from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.report.figures import draw_confusion, draw_sentiment_figures
from rnn_pipelines.sentiment.report.styles import get_styles

NAMES = [
    "NB n-grams",
    "no recurrence + n-grams",
    "LSTM, words alone",
    "GRU, words alone",
    "LSTM + n-grams",
    "GRU + n-grams",
    "LSTM + GRU + n-grams",
]

NAMES_OF_FIGURES = ("accuracy", "confusion", "calibration", "by_length", "by_rating", "losses")


def draw(results: SimpleNamespace) -> dict[str, Figure]:
    return draw_sentiment_figures(
        results.metrics,
        results.calibrations,
        results.by_group,
        results.by_confidence,
        **results.histories,
    )


@pytest.fixture(scope="module")
def results(make_sentiment) -> SimpleNamespace:
    return make_sentiment()


@pytest.fixture(scope="module")
def figures(results) -> dict[str, Figure]:
    return draw(results)


def find_trace(figure: Figure, name: str):
    """The first trace with this name."""
    return next(trace for trace in figure.data if trace.name == name)


def test_figures_are_those_of_the_catalog(figures) -> None:
    assert tuple(figures) == NAMES_OF_FIGURES


def test_figures_have_titles(figures) -> None:
    assert all(figure.layout.title.text for figure in figures.values())


def test_accuracy_of_ngrams_is_a_line(figures, results) -> None:
    assert figures["accuracy"].layout.shapes[0].x0 == 100 * results.metrics["nb_ngram"]["accuracy"]


def test_accuracy_has_its_interval(figures, results) -> None:
    trace = find_trace(figures["accuracy"], "GRU + n-grams")
    measured = results.metrics["gru"]
    assert trace.x[0] == 100 * measured["accuracy"]
    assert trace.x[0] + trace.error_x.array[0] == pytest.approx(100 * measured["accuracy_high"])
    assert trace.x[0] - trace.error_x.arrayminus[0] == pytest.approx(100 * measured["accuracy_low"])


def test_confusion_is_that_of_two_classifiers(figures) -> None:
    assert [trace.name for trace in figures["confusion"].data] == [NAMES[-1], "NB n-grams"]


def test_confusion_counts_texts(figures, results) -> None:
    cells = find_trace(figures["confusion"], NAMES[-1])
    rows = [[int(text.split("<br>")[0]) for text in row] for row in cells.text]
    assert rows == results.metrics["ensemble"]["confusion"]


def test_confusion_names_the_classes(figures) -> None:
    assert list(find_trace(figures["confusion"], NAMES[-1]).y) == ["negative", "positive"]


def draw_fitted(fitted: FittedClassifier) -> dict[str, Figure]:
    return draw_sentiment_figures(
        fitted.metrics,
        fitted.parts.calibrations,
        fitted.by_group,
        fitted.by_confidence,
        **fitted.parts.histories,
    )


def test_confusion_of_three_classes_is_that_of_the_chosen_classifier(
    three_classes: FittedClassifier,
) -> None:
    figure = draw_fitted(three_classes)["confusion"]
    assert [list(trace.x) for trace in figure.data] == [["bad", "good", "loud"]]


@pytest.fixture
def many_classes() -> Figure:
    classes = [str(number) for number in range(13)]
    metrics: Any = {"nb_ngram": {"confusion": np.eye(13, dtype=int).tolist()}}
    return draw_confusion(metrics, classes, "nb_ngram")


def test_confusion_of_many_classes_has_no_numbers(many_classes: Figure) -> None:
    [trace] = many_classes.data
    assert trace.texttemplate is None


def test_confusion_of_many_classes_has_room_for_each_name(many_classes: Figure) -> None:
    layout = many_classes.layout
    assert (layout.xaxis.dtick, layout.yaxis.dtick) == (1, 1)
    assert layout.height >= 13 * 20


def test_losses_without_a_trained_network_say_so(three_classes: FittedClassifier) -> None:
    figure = draw_fitted(three_classes)["losses"]
    assert "no network was trained" in figure.layout.title.subtitle.text


def test_colours_of_confusion_are_shares(figures) -> None:
    assert [sum(row) for row in find_trace(figures["confusion"], "NB n-grams").z] == pytest.approx(
        [1, 1]
    )


def test_drawing_does_not_change_the_results(make_sentiment) -> None:
    results = make_sentiment()
    before = make_sentiment()
    draw(results)
    assert (results.metrics, results.calibrations) == (before.metrics, before.calibrations)
    for name in ("by_group", "by_confidence"):
        pd.testing.assert_frame_equal(getattr(results, name), getattr(before, name))


def test_a_source_without_ratings_has_an_empty_figure(make_sentiment) -> None:
    figure = draw(make_sentiment(has_ratings=False))["by_rating"]
    assert not figure.data
    assert figure.layout.title.subtitle.text
    assert figure.layout.xaxis.visible is False


@pytest.mark.parametrize("figure", ["accuracy", "calibration", "by_length", "by_rating"])
def test_classifiers_come_from_the_linear_one_to_both_networks(figures, figure: str) -> None:
    names = [trace.name for trace in figures[figure].data if trace.name in NAMES]
    assert list(dict.fromkeys(names)) == NAMES


@pytest.mark.parametrize("figure", ["accuracy", "calibration", "by_length", "by_rating"])
def test_ablations_that_were_not_made_are_not_drawn(make_sentiment, figure: str) -> None:
    names = {trace.name for trace in draw(make_sentiment(has_path=False))[figure].data}
    of_networks = {name for name in names if name and name.startswith(("LSTM", "GRU"))}
    assert of_networks == {"LSTM, words alone", "GRU, words alone", "LSTM + GRU, words alone"}


@pytest.mark.parametrize("figure", ["calibration", "by_length", "by_rating"])
def test_ablations_wait_in_the_legend(figures, figure: str) -> None:
    waiting = {trace.name for trace in figures[figure].data if trace.visible == "legendonly"}
    assert waiting == {"no recurrence + n-grams", "LSTM, words alone", "GRU, words alone"}


def test_calibration_is_drawn_with_bars_in_the_middle_of_their_bin(results, figures) -> None:
    table = results.by_confidence.query("classifier == 'lstm'")
    trace = find_trace(figures["calibration"], "LSTM + n-grams")
    np.testing.assert_allclose(trace.x, 100 * table["confidence"])
    np.testing.assert_allclose(trace.y, 100 * table["accuracy"])
    bars = [trace for trace in figures["calibration"].data if trace.type == "bar"]
    assert [sum(trace.y) for trace in bars] == [400] * 7
    own = next(trace for trace in bars if trace.name == "LSTM + n-grams")
    confidence = 100 * results.by_confidence.query("classifier == 'lstm'")["confidence"]
    assert np.all(np.abs(own.x - confidence) <= 2.5)
    np.testing.assert_allclose(own.x % 5, 2.5)
    groups = [
        {
            trace.legendgroup
            for trace in figures["calibration"].data
            if trace.name == "LSTM, words alone"
        }
    ]
    assert groups == [{"lstm_alone"}]


@pytest.mark.parametrize("by", ["length", "rating"])
def test_accuracy_of_each_group_is_drawn(results, figures, by: str) -> None:
    table = results.by_group.query("classifier == 'gru' and by == @by")
    np.testing.assert_allclose(
        find_trace(figures[f"by_{by}"], "GRU + n-grams").y, 100 * table["accuracy"]
    )


def test_groups_of_length_have_their_size(figures, results) -> None:
    sizes = results.by_group.query("classifier == 'gru' and by == 'length'")["num_texts"]
    names = ["≤ 100", "101–200", "201–400", "401–800", "> 800"]
    expected = [f"{name}<br>{size}" for name, size in zip(names, sizes, strict=True)]
    assert list(find_trace(figures["by_length"], "GRU + n-grams").x) == expected


def test_losses_are_those_of_every_network(figures) -> None:
    drawn = {trace.name.split(",")[0] for trace in figures["losses"].data}
    assert drawn == {"LSTM", "GRU", "no recurrence"}


@pytest.mark.parametrize("classifier", ["lstm", "ensemble", "nb_ngram"])
def test_classifier_has_one_color_in_all_figures(figures, results, classifier: str) -> None:
    style = get_styles(results.metrics)[classifier]
    colors = {
        trace.line.color or trace.marker.color
        for name in ("accuracy", "calibration", "by_length", "by_rating")
        for trace in figures[name].data
        if trace.name == style.name and trace.type == "scatter"
    }
    assert colors == {style.color}
