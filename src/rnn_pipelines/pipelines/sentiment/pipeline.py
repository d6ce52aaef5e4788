"""The graph of `sentiment`: reviews → words → networks and n-gram classifier → calibration → metrics → report."""

from collections.abc import Iterable

from kedro.pipeline import Pipeline

from rnn_pipelines.pipelines.sentiment.nodes import render_report, score_reviews, train_classifier
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_notes, empty_table, render_note, write_note
from rnn_pipelines.sentiment.evaluation.examples import ExamplesTable, find_examples
from rnn_pipelines.sentiment.evaluation.metrics import evaluate_classifiers
from rnn_pipelines.sentiment.methods.calibration import calibrate_classifiers
from rnn_pipelines.sentiment.methods.preparation import (
    build_vocabulary,
    encode_reviews,
    fit_nb_ngram,
    learn_word_vectors,
)
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM, NETWORKS, list_candidates
from rnn_pipelines.sentiment.model.classifier import assemble_classifier
from rnn_pipelines.sentiment.report.figures import draw_figures
from rnn_pipelines.sentiment.report.summary import summarize_run
from rnn_pipelines.sentiment.text.source import read_reviews
from rnn_pipelines.sentiment.text.splits import split_reviews

FIGURES = ("accuracy", "confusion", "calibration", "by_length", "by_rating", "losses")
TABLE, REVIEWS, WORDS, ENCODED, FEATURES, VECTORS, CALIBRATIONS, PREDICTIONS, METRICS, BY_GROUP, BY_CONFIDENCE = (
    f"sentiment_{name}"
    for name in (
        "table", "reviews", "vocabulary", "encoded", "features", "word_vectors", "calibrations", "predictions",
        "metrics", "metrics_by_group", "metrics_by_confidence",
    )
)  # fmt: skip
PADDING, TRAINING, VOCABULARY = (f"params:sentiment.{name}" for name in ("padding", "training", "vocabulary"))


def create_pipeline() -> Pipeline:
    """Prepare the data, train all networks from one template, and report."""
    networks = (create_network_pipeline(network) for network in NETWORKS)
    return sum(networks, create_data_pipeline()) + create_report_pipeline()


def create_data_pipeline() -> Pipeline:
    """Read, split and encode the reviews; learn word vectors and n-gram weights from the training part."""
    ngrams = [f"sentiment_{name}" for name in ("ngrams", "features", "ngrams_record")]
    return Pipeline(
        [
            node(read_reviews, "params:sentiment.source", TABLE),
            node(split_reviews, [TABLE, "params:sentiment.split"], [REVIEWS, "sentiment_profile"]),
            node(build_vocabulary, [REVIEWS, VOCABULARY], WORDS),
            node(encode_reviews, [REVIEWS, WORDS, VOCABULARY], ENCODED),
            node(learn_word_vectors, [ENCODED, REVIEWS, "params:sentiment.word_vectors"], VECTORS),
            node(fit_nb_ngram, [ENCODED, REVIEWS, "params:sentiment.ngrams"], ngrams),
        ]
    )


def create_network_pipeline(network: str) -> Pipeline:
    """Train one network and score the reviews with it; `network` names its namespace and its block of parameters."""
    learnt_from = [FEATURES, REVIEWS, VECTORS, "params:network", PADDING, TRAINING]
    trained = ["model", "history", "record"]
    template = Pipeline(
        [
            node(train_classifier, learnt_from, trained),
            node(score_reviews, ["model", FEATURES, REVIEWS, "params:network", PADDING], "scores"),
        ]
    )
    return Pipeline(
        template,
        namespace=f"sentiment_{network}",
        inputs={FEATURES, REVIEWS, VECTORS},
        outputs={dataset: f"sentiment_{network}_{dataset}" for dataset in (*trained, "scores")},
        parameters={"params:network": f"params:sentiment.{network}", PADDING: PADDING, TRAINING: TRAINING},
    )


def create_report_pipeline() -> Pipeline:
    """Calibrate and compare the classifiers, keep the best one, draw and report."""
    records = name_each(NETWORKS, "record")
    measured = {"metrics": METRICS, "calibrations": CALIBRATIONS}
    drawn = {"by_group": BY_GROUP, "by_confidence": BY_CONFIDENCE} | name_each(NETWORKS, "history")
    chosen_from = {"ngrams": "sentiment_ngrams", "words": WORDS, "vocabulary_spec": VOCABULARY, "padding": PADDING}
    shown = {"profile": "sentiment_profile", "examples": "sentiment_examples", "parameters": "params:sentiment"}
    shown |= {f"{network}_record": record for network, record in records.items()}
    shown |= {f"{name}_figure": f"sentiment_{name}_figure" for name in FIGURES}
    return Pipeline(
        [
            node(
                calibrate_classifiers,
                {"reviews": REVIEWS, "features": FEATURES, **name_each(NETWORKS, "scores")},
                [CALIBRATIONS, PREDICTIONS],
            ),
            node(
                evaluate_classifiers,
                {"predictions": PREDICTIONS, NB_NGRAM: "sentiment_ngrams_record", **records},
                [METRICS, BY_GROUP, BY_CONFIDENCE],
            ),
            node(
                guard(find_examples, empty_table(ExamplesTable.make_empty())),
                [PREDICTIONS, REVIEWS, CALIBRATIONS],
                "sentiment_examples",
            ),
            node(
                assemble_classifier,
                {**chosen_from, "calibrations": CALIBRATIONS, **name_each(list_candidates(), "model")},
                "sentiment_classifier",
            ),
            node(
                guard(draw_figures, draw_notes(FIGURES)),
                measured | drawn,
                {name: f"sentiment_{name}_figure" for name in FIGURES},
            ),
            node(guard(render_report, render_note), measured | shown, "sentiment_report"),
            node(guard(summarize_run, write_note), measured, "sentiment_summary"),
        ]
    )


def name_each(networks: Iterable[str], dataset: str, task: str = "sentiment") -> dict[str, str]:
    """Return the catalog name of a dataset of each network, by the network's name."""
    return {network: f"{task}_{network}_{dataset}" for network in networks}
