"""The tables say what was measured, mark the best, and leave out what was not made."""

from types import SimpleNamespace

import pandas as pd
import pytest

from rnn_pipelines.report.page import Table
from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.report.tables import (
    MISTAKE_LENGTH,
    format_confidence,
    quote_mistakes,
    quote_sample,
    shorten,
    shorten_classes,
    tabulate_abstention,
    tabulate_calibrations,
    tabulate_classes,
    tabulate_classifiers,
    tabulate_gains,
    tabulate_review_parts,
    tabulate_sources,
)

ENSEMBLE = "LSTM + GRU + n-grams"


@pytest.fixture(scope="module")
def results(make_sentiment) -> SimpleNamespace:
    return make_sentiment()


def find_row(table: Table, name: str) -> dict[str, str]:
    """The first row with this name, by column."""
    return dict(zip(table.header, next(row for row in table.rows if row[0] == name), strict=True))


def test_classifiers_that_were_not_made_have_no_row(make_sentiment) -> None:
    names = [row[0] for row in tabulate_classifiers(make_sentiment(has_path=False).metrics).rows]
    expected = [
        "NB n-grams",
        *(f"{name}, words alone" for name in ("no recurrence", "LSTM", "GRU")),
    ]
    assert names == [*expected, "LSTM + GRU, words alone"]


def test_networks_are_named_by_what_they_read(make_sentiment) -> None:
    metrics = make_sentiment(has_path=False, has_weights=True).metrics
    names = [row[0] for row in tabulate_classifiers(metrics).rows]
    assert names[2:4] == ["LSTM, words and n-gram weights", "GRU, words alone"]


def test_gains_that_were_not_made_have_no_row(make_sentiment) -> None:
    rows = tabulate_gains(make_sentiment(has_path=False).metrics).rows
    assert [row[0] for row in rows] == ["recurrent layer", "other cell"]


def test_metrics_stand_below_their_names(results) -> None:
    measured = {
        "accuracy": 0.92456,
        "accuracy_low": 0.9212,
        "accuracy_high": 0.9277,
        "f1": 0.9251,
        "roc_auc": 0.9777,
        "log_loss": 0.2,
        "calibration_error": 0.00456,
        "num_parameters": 4512,
        "training_seconds": 612.34,
    }
    metrics = results.metrics | {"gru": {**measured, "reads": "n-grams"}}
    assert find_row(tabulate_classifiers(metrics), "GRU + n-grams") == {
        "classifier": "GRU + n-grams",
        "accuracy": "92.46 %",
        "95 % interval": "92.12–92.77",
        "F1": "0.9251",
        "ROC-AUC": "0.9777",
        "log loss": "0.2000",
        "calibration error": "0.0046",
        "parameters": "4,512",
        "training, s": "612.3",
    }


def test_the_best_metrics_are_marked(results) -> None:
    best = {"accuracy": 1.0, "f1": 1.0, "roc_auc": 1.0, "log_loss": 0.0, "calibration_error": 0.0}
    table = tabulate_classifiers(results.metrics | {"lstm": results.metrics["lstm"] | best})
    assert {(4, column) for column in (1, 3, 4, 5, 6)} <= table.best
    assert table.header[1] == "accuracy"
    assert table.header[5] == "log loss"


def test_equal_metrics_are_all_marked(results) -> None:
    metrics = dict.fromkeys(("lstm", "gru", "nb_ngram"), results.metrics["gru"])
    assert {row for row, _ in tabulate_classifiers(metrics).best} == {0, 1, 2}


def test_differences_are_in_points_against_the_n_gram_classifier(results) -> None:
    test = {"only_reference_wrong": 1152, "only_this_wrong": 1002, "p_value": 0.00132}
    metrics = results.metrics | {
        "nb_ngram": results.metrics["nb_ngram"] | {"accuracy": 0.918},
        "ensemble": results.metrics["ensemble"] | {"accuracy": 0.924, "against_nb_ngram": test},
    }
    assert find_row(tabulate_sources(metrics, results.calibrations), ENSEMBLE) == {
        "classifier": ENSEMBLE,
        "parts": "LSTM, NB n-grams, GRU",
        "accuracy": "92.40 %",
        "points": "+0.60",
        "gained": "1,152",
        "lost": "1,002",
        "McNemar p": "0.0013",
    }


def test_gains_are_differences_of_accuracy() -> None:
    accuracy = {
        "pointwise": 0.91,
        "lstm_alone": 0.90,
        "gru_alone": 0.905,
        "lstm": 0.92,
        "gru": 0.909,
        "ensemble": 0.924,
    }
    table = tabulate_gains({name: {"accuracy": value} for name, value in accuracy.items()})
    assert {row[0]: list(row[2:]) for row in table.rows} == {
        "recurrent layer": ["+1.00", "−0.10"],
        "n-gram path": ["+2.00", "+0.40"],
        "other cell": ["+0.40", "+1.50"],
    }


def test_the_chosen_classifier_is_marked(results) -> None:
    table = tabulate_calibrations(results.metrics, results.calibrations)
    ((row, column),) = table.best
    assert (table.rows[row][0], table.header[column]) == (ENSEMBLE, "validation log loss")


def test_only_a_candidate_is_marked_as_chosen(results) -> None:
    better = results.calibrations["pointwise"] | {"validation_log_loss": 0.1}
    calibrations = results.calibrations | {"pointwise": better}
    table = tabulate_calibrations(results.metrics, calibrations)
    assert [table.rows[row][0] for row, _ in table.best] == [ENSEMBLE]


def test_unlabelled_reviews_are_a_part(results) -> None:
    profile = results.profile | {
        key: {**results.profile[key], "unlabelled": 50000} for key in ("num_reviews", "num_groups")
    }
    assert tabulate_review_parts(profile).rows[-1] == ["unlabelled", "50,000", "50,000"]


@pytest.fixture(scope="module")
def by_class(results) -> Table:
    measured = results.metrics["ensemble"] | {"confusion": [[150, 50], [30, 170]]}
    return tabulate_classes(measured, results.class_facts, results.profile)


def test_a_class_has_its_texts_and_its_words(by_class: Table) -> None:
    assert find_row(by_class, "negative") == {
        "class": "negative",
        "test texts": "200",
        "precision": "83.33 %",
        "recall": "75.00 %",
        "F1": "0.7895",
        "training texts": "900",
        "words": "worst, boring, waste of, dull, awful, the … worst",
    }


def test_a_terminal_shows_fewer_words_of_a_class(by_class: Table) -> None:
    shortened = find_row(shorten_classes(by_class), "negative")
    assert shortened["words"] == "worst, boring, waste of"


def test_class_without_predictions_has_no_precision(results) -> None:
    measured = results.metrics["ensemble"] | {"confusion": [[200, 0], [200, 0]]}
    table = tabulate_classes(measured, results.class_facts, results.profile)
    assert find_row(table, "positive")["precision"] == "–"


def test_abstention_has_a_row_for_each_confidence(results) -> None:
    assert tabulate_abstention(results.class_facts).rows[1:] == [
        ["0.9", "62.5 %", "98.40 %"],
        ["0.99", "0.0 %", "–"],
    ]


def test_three_classes_have_columns_of_their_own(three_classes: FittedClassifier) -> None:
    table = tabulate_classifiers(three_classes.metrics)
    assert table.header[3:6] == ["macro F1", "log loss", "calibration error"]


def test_calibrations_of_three_classes_have_no_intercept(three_classes: FittedClassifier) -> None:
    table = tabulate_calibrations(three_classes.metrics, three_classes.parts.calibrations)
    assert table.header == ["classifier", "weight of NB n-grams", "validation log loss"]


# Reviews are quoted in short, as text, with all that is known of them.


def make_examples(**review: object) -> pd.DataFrame:
    """A table as `find_examples` returns it, of one review."""
    known = {
        "kind": "mistake",
        "review_id": "test/pos/380_9",
        "group": "tt0044079",
        "rating": 9,
        "label": "positive",
        "num_words": 5,
        "predicted": "negative",
        "confidence": 0.9787,
        "text": "Well, that was a film.",
        "words_for": "was, that",
        "words_against": "film",
    }
    return pd.DataFrame([known | review]).astype({"rating": "Int8"})


def test_a_quote_has_its_facts_in_order() -> None:
    (quote,) = quote_mistakes(make_examples())
    assert list(quote.facts) == [
        "test/pos/380_9",
        "group tt0044079",
        "rated 9 of 10",
        "label: positive",
        "predicted: negative, confidence 97.9 %",
        "words for it: was, that",
        "words against it: film",
    ]


def test_a_quote_has_its_text() -> None:
    (quote,) = quote_mistakes(make_examples())
    assert quote.text == "Well, that was a film."


def test_a_text_of_ones_own_has_neither_group_nor_rating() -> None:
    plain = make_examples(rating=None, group="1", review_id="1", words_for="", words_against="")
    assert quote_mistakes(plain)[0].facts == [
        "1",
        "label: positive",
        "predicted: negative, confidence 97.9 %",
    ]


def test_quotes_come_in_their_order() -> None:
    examples = pd.concat([make_examples(review_id=name) for name in "cab"])
    assert [quote.facts[0] for quote in quote_mistakes(examples)] == ["c", "a", "b"]


def test_the_sample_is_no_mistake() -> None:
    examples = pd.concat([make_examples(kind="sample", review_id="sample"), make_examples()])
    assert quote_sample(examples).facts[0] == "sample"
    assert [quote.facts[0] for quote in quote_mistakes(examples)] == ["test/pos/380_9"]


def test_markup_of_a_text_is_removed() -> None:
    assert (
        quote_mistakes(make_examples(text="One.<br /><br />Two &amp; three."))[0].text
        == "One. Two & three."
    )


def test_a_long_text_is_cut_at_a_word() -> None:
    text = quote_mistakes(make_examples(text="word " * 20000))[0].text
    assert text.endswith("word…")
    assert len(text) <= MISTAKE_LENGTH


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ("one two", "one two"),
        ("one two three", "one two…"),
        ("a" * 100, "a" * 9 + "…"),
        ("a\n\t b", "a b"),
        (" ", ""),
    ],
)
def test_texts_are_cut_between_words_where_there_are_any(text: str, short: str) -> None:
    assert shorten(text, 10) == short


@pytest.mark.parametrize(
    ("confidence", "text"), [(0.72, "72.0 %"), (0.999, "99.9 %"), (0.99999, "over 99.9 %")]
)
def test_no_confidence_is_certain(confidence: float, text: str) -> None:
    assert format_confidence(confidence) == text
