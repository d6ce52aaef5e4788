"""The graph of `sentiment`: reviews → words → networks and n-gram classifier → calibration → metrics → report."""

from kedro.pipeline import Pipeline

from rnn_pipelines.pipelines.sentiment.nodes import train_classifier
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_notes, empty_table, render_or_note, summarize_or_note
from rnn_pipelines.sentiment.evaluation.metrics import evaluate_classifiers
from rnn_pipelines.sentiment.methods import preparation
from rnn_pipelines.sentiment.methods.calibration import calibrate_classifiers
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM, NETWORKS, list_candidate_networks
from rnn_pipelines.sentiment.methods.training import score_reviews
from rnn_pipelines.sentiment.model.class_facts import describe_classes
from rnn_pipelines.sentiment.model.classifier import assemble_classifier
from rnn_pipelines.sentiment.model.examples import ExamplesTable, find_examples
from rnn_pipelines.sentiment.report.figures import draw_sentiment_figures
from rnn_pipelines.sentiment.report.report import report_sentiment
from rnn_pipelines.sentiment.text.source import read_reviews
from rnn_pipelines.sentiment.text.splits import split_reviews

FIGURES = ("accuracy", "confusion", "calibration", "by_length", "by_rating", "losses")
REVIEWS = "sentiment_reviews"
FEATURES = "sentiment_features"
WORDS = "sentiment_vocabulary"
ENCODED = "sentiment_encoded"
VECTORS = "sentiment_word_vectors"
NGRAMS = "sentiment_ngrams"
CLASS_FACTS, CLASSIFIER = "sentiment_class_facts", "sentiment_classifier"
CALIBRATIONS, PREDICTIONS = "sentiment_calibrations", "sentiment_predictions"
PADDING, TRAINING, VOCABULARY = (
    f"params:sentiment.{name}" for name in ("padding", "training", "vocabulary")
)


def create_pipeline() -> Pipeline:
    """Prepare the data, train all networks from one template, and report."""
    networks = (create_network_pipeline(network) for network in NETWORKS)
    return sum(networks, create_data_pipeline()) + create_report_pipeline()


def create_data_pipeline() -> Pipeline:
    """Read, split and encode the reviews; learn word vectors and n-gram weights."""
    table = "sentiment_table"
    ngrams = [NGRAMS, FEATURES, "sentiment_ngrams_record"]
    nodes = [
        node(read_reviews, "params:sentiment.source", table),
        node(split_reviews, [table, "params:sentiment.split"], [REVIEWS, "sentiment_profile"]),
        node(preparation.build_vocabulary, [REVIEWS, VOCABULARY], WORDS),
        node(preparation.encode_reviews, [REVIEWS, WORDS, VOCABULARY], ENCODED),
        node(
            preparation.learn_word_vectors,
            [ENCODED, REVIEWS, "params:sentiment.word_vectors"],
            VECTORS,
        ),
        node(
            preparation.fit_nb_ngram,
            [ENCODED, REVIEWS, VOCABULARY, "params:sentiment.ngrams"],
            ngrams,
        ),
    ]
    return Pipeline(nodes)


def create_network_pipeline(model: str) -> Pipeline:
    """Train one network and score the reviews with it; `model` names its namespace and its block of parameters."""
    learnt_from = [FEATURES, REVIEWS, VECTORS, "params:network", PADDING, TRAINING]
    nodes = [
        node(train_classifier, learnt_from, ["model", "history", "record"]),
        node(score_reviews, ["model", FEATURES, REVIEWS, "params:network", PADDING], "scores"),
    ]
    template = Pipeline(nodes)
    return Pipeline(
        template,
        namespace=f"sentiment_{model}",
        inputs={FEATURES, REVIEWS, VECTORS},
        outputs={
            name: f"sentiment_{model}_{name}" for name in ("model", "history", "record", "scores")
        },
        parameters={
            "params:network": f"params:sentiment.{model}",
            PADDING: PADDING,
            TRAINING: TRAINING,
        },
    )


def create_report_pipeline() -> Pipeline:
    """Calibrate and compare the classifiers, keep the best one, draw and report."""
    by_group, by_confidence = "sentiment_metrics_by_group", "sentiment_metrics_by_confidence"
    calibrated = {"reviews": REVIEWS, "features": FEATURES} | {
        model: f"sentiment_{model}_scores" for model in NETWORKS
    }
    records = {model: f"sentiment_{model}_record" for model in NETWORKS}
    measured = {"metrics": "sentiment_metrics", "calibrations": CALIBRATIONS}
    drawn = {
        **measured,
        "by_group": by_group,
        "by_confidence": by_confidence,
        **{model: f"sentiment_{model}_history" for model in NETWORKS},
    }
    chosen_from = {
        "ngrams": NGRAMS,
        "words": WORDS,
        "vocabulary_spec": VOCABULARY,
        "padding": PADDING,
        "calibrations": CALIBRATIONS,
        "class_facts": CLASS_FACTS,
        **{model: f"sentiment_{model}_model" for model in list_candidate_networks()},
    }
    figures = {figure: f"sentiment_{figure}_figure" for figure in FIGURES}
    shown = {
        **measured,
        "profile": "sentiment_profile",
        "examples": "sentiment_examples",
        "class_facts": CLASS_FACTS,
        "parameters": "params:sentiment",
        **{f"{network}_record": record for network, record in records.items()},
        **{f"{name}_figure": figure for name, figure in figures.items()},
    }
    evaluated = {
        "predictions": PREDICTIONS,
        "calibrations": CALIBRATIONS,
        NB_NGRAM: "sentiment_ngrams_record",
        **records,
    }
    find = guard(find_examples, empty_table(ExamplesTable.make_empty()))
    nodes = [
        node(calibrate_classifiers, calibrated, [CALIBRATIONS, PREDICTIONS]),
        node(evaluate_classifiers, evaluated, ["sentiment_metrics", by_group, by_confidence]),
        node(find, [PREDICTIONS, REVIEWS, CALIBRATIONS, CLASSIFIER], "sentiment_examples"),
        node(
            describe_classes,
            [REVIEWS, FEATURES, NGRAMS, WORDS],
            CLASS_FACTS,
        ),
        node(assemble_classifier, chosen_from, CLASSIFIER),
        node(
            guard(draw_sentiment_figures, draw_notes(FIGURES), "draw_figures"),
            drawn,
            figures,
        ),
        node(render_or_note(report_sentiment), shown, "sentiment_report"),
        node(summarize_or_note(report_sentiment), shown, "sentiment_summary"),
    ]
    return Pipeline(nodes)
