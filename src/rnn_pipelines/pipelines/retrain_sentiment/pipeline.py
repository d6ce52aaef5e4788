"""The graph of `retrain_sentiment`: newest reviews → challenger → holdout, with the champion → decision, record."""

import time

import pandas as pd
from kedro.pipeline import Pipeline

from rnn_pipelines.pipelines.sentiment.pipeline import (
    PADDING,
    TRAINING,
    VOCABULARY,
    create_data_pipeline,
)
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.sentiment.methods.calibration import calibrate_classifiers
from rnn_pipelines.sentiment.methods.registry import list_candidate_networks
from rnn_pipelines.sentiment.methods.specs import RetrainSentimentSpec
from rnn_pipelines.sentiment.methods.training import score_reviews
from rnn_pipelines.sentiment.model.class_facts import describe_classes
from rnn_pipelines.sentiment.model.classifier import assemble_classifier
from rnn_pipelines.sentiment.operations import challenger as training
from rnn_pipelines.sentiment.operations.decision import decide_promotion, describe_run
from rnn_pipelines.sentiment.text import as_of
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

TABLE = "retrain_sentiment_table"
STARTED = "retrain_sentiment_started"
PLAN = "retrain_sentiment_plan"
REVIEWS = "retrain_sentiment_reviews"
PROFILE = "retrain_sentiment_profile"
WORDS = "retrain_sentiment_vocabulary"
VECTORS = "retrain_sentiment_word_vectors"
FEATURES = "retrain_sentiment_features"
NGRAMS = "retrain_sentiment_ngrams"
SPEC, CHAMPION = "params:retrain_sentiment", "champion_sentiment"


def create_pipeline() -> Pipeline:
    """Prepare the data as `sentiment` does, train the networks, and decide on the challenger."""
    networks = sum(
        (create_challenger_pipeline(cell) for cell in list_candidate_networks()), Pipeline([])
    )
    return create_reading_pipeline() + networks + create_case_pipeline()


def create_reading_pipeline() -> Pipeline:
    """Read the reviews up to the as-of day, and prepare them as `sentiment` does, with the same parameters."""
    prepare = create_data_pipeline().from_nodes("split_reviews")
    outputs = {
        "sentiment_reviews": REVIEWS,
        "sentiment_profile": PROFILE,
        "sentiment_vocabulary": WORDS,
        "sentiment_encoded": "retrain_sentiment_encoded",
        "sentiment_word_vectors": VECTORS,
        "sentiment_features": FEATURES,
        "sentiment_ngrams": NGRAMS,
    }
    outputs["sentiment_ngrams_record"] = "retrain_sentiment_ngrams_record"
    parameters = {name for name in prepare.inputs() if name.startswith("params:")}
    inputs = {"sentiment_table": TABLE}
    again = Pipeline(
        prepare,
        namespace="retrain_sentiment",
        inputs=inputs,
        outputs=outputs,
        parameters=parameters,
    )
    return Pipeline([node(read_as_of, ["params:sentiment.source", SPEC], [TABLE, STARTED])]) + again


def create_challenger_pipeline(cell: str) -> Pipeline:
    """Train one network and score the reviews with it; `cell` names its namespace and its block of parameters."""
    nodes = [
        node(
            training.train_challenger,
            [FEATURES, REVIEWS, VECTORS, "params:network", PLAN],
            ["model", "record"],
        ),
        node(score_reviews, ["model", FEATURES, REVIEWS, "params:network", PADDING], "scores"),
    ]
    template = Pipeline(nodes)
    return Pipeline(
        template,
        namespace=f"retrain_sentiment_{cell}",
        inputs={FEATURES, REVIEWS, VECTORS, PLAN},
        outputs={
            name: f"retrain_sentiment_{cell}_{name}" for name in ("model", "record", "scores")
        },
        parameters={"params:network": f"params:sentiment.{cell}", PADDING: PADDING},
    )


def create_case_pipeline() -> Pipeline:
    """Plan the training, choose the challenger, score the holdout with all models, and decide."""
    run = "retrain_sentiment_run"
    record = "retrain_sentiment_training"
    holdout = "retrain_sentiment_holdout"
    calibrations, predictions = "retrain_sentiment_calibrations", "retrain_sentiment_predictions"
    class_facts = "retrain_sentiment_class_facts"
    classifier, challenger = "retrain_sentiment_classifier", "retrain_sentiment_challenger"
    calibrated = {
        "reviews": REVIEWS,
        "features": FEATURES,
        **{cell: f"retrain_sentiment_{cell}_scores" for cell in list_candidate_networks()},
    }
    chosen_from = {
        "ngrams": NGRAMS,
        "words": WORDS,
        "vocabulary_spec": VOCABULARY,
        "padding": PADDING,
        "calibrations": calibrations,
        "class_facts": class_facts,
        **{cell: f"retrain_sentiment_{cell}_model" for cell in list_candidate_networks()},
    }
    completed = {
        "classifier": classifier,
        "reviews": REVIEWS,
        "calibrations": calibrations,
        **{model: f"retrain_sentiment_{model}_record" for model in list_candidate_networks()},
    }
    decided = [challenger, CHAMPION, holdout, record, run, SPEC]
    nodes = [
        node(describe_run, [TABLE, PROFILE, "params:sentiment", SPEC, STARTED], run),
        node(
            training.plan_training, [PADDING, TRAINING, SPEC, "retrain_sentiment_checkpoints"], PLAN
        ),
        node(calibrate_classifiers, calibrated, [calibrations, predictions]),
        node(
            describe_classes,
            [REVIEWS, FEATURES, NGRAMS, WORDS],
            class_facts,
        ),
        node(assemble_classifier, chosen_from, classifier),
        node(training.complete_challenger, completed, [challenger, record]),
        node(training.score_holdout, [REVIEWS, predictions, challenger, CHAMPION], holdout),
        node(decide_promotion, decided, "retrain_sentiment_outcome"),
    ]
    return Pipeline(nodes)


def read_as_of(
    source_spec: ReviewSourceSpec, retrain_spec: RetrainSentimentSpec
) -> tuple[pd.DataFrame, float]:
    """Read the reviews up to the as-of day, mark the held-out ones, and return them with the start time."""
    return as_of.read_as_of(source_spec, retrain_spec), time.time()
