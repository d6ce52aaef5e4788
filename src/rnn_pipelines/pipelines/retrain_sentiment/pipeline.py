"""The graph of `retrain_sentiment`: newest reviews → challenger → holdout, with the champion → decision, record."""

from kedro.pipeline import Pipeline

from rnn_pipelines.pipelines.retrain_sentiment import nodes
from rnn_pipelines.pipelines.sentiment.nodes import score_reviews
from rnn_pipelines.pipelines.sentiment.pipeline import PADDING, TRAINING, VOCABULARY, create_data_pipeline, name_each
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.sentiment.methods.calibration import calibrate_classifiers
from rnn_pipelines.sentiment.methods.registry import list_candidates
from rnn_pipelines.sentiment.model.classifier import assemble_classifier
from rnn_pipelines.sentiment.operations.challenger import (
    complete_challenger,
    plan_training,
    score_holdout,
    train_challenger,
)
from rnn_pipelines.sentiment.operations.decision import decide_promotion, describe_run

(
    TABLE, STARTED, FEATURES, REVIEWS, VECTORS, PLAN, RUN, CALIBRATIONS, PREDICTIONS, CLASSIFIER, CHALLENGER, RECORD,
    HOLDOUT,
) = (
    f"retrain_sentiment_{name}"
    for name in (
        "table", "started", "features", "reviews", "word_vectors", "plan", "run", "calibrations", "predictions",
        "classifier", "challenger", "training", "holdout",
    )
)  # fmt: skip
SPEC, CHAMPION = "params:retrain_sentiment", "champion_sentiment"


def create_pipeline() -> Pipeline:
    """Prepare the data as `sentiment` does, train the networks, and decide on the challenger."""
    networks = sum((create_network_pipeline(network) for network in list_candidates()), Pipeline([]))
    return create_reading_pipeline() + networks + create_case_pipeline()


def create_reading_pipeline() -> Pipeline:
    """Read the reviews up to the as-of day, and prepare them as `sentiment` does, with the same parameters."""
    prepare = create_data_pipeline().from_nodes("split_reviews")
    again = Pipeline(
        prepare,
        namespace="retrain_sentiment",
        inputs={"sentiment_table": TABLE},
        outputs={name: f"retrain_{name}" for name in prepare.all_outputs()},
        parameters={name for name in prepare.inputs() if name.startswith("params:")},
    )
    return Pipeline([node(nodes.read_as_of, ["params:sentiment.source", SPEC], [TABLE, STARTED])]) + again


def create_network_pipeline(network: str) -> Pipeline:
    """Train one network and score the reviews with it; `network` names its namespace and its block of parameters."""
    template = Pipeline(
        [
            node(train_challenger, [FEATURES, REVIEWS, VECTORS, "params:network", PLAN], ["model", "record"]),
            node(score_reviews, ["model", FEATURES, REVIEWS, "params:network", PADDING], "scores"),
        ]
    )
    return Pipeline(
        template,
        namespace=f"retrain_sentiment_{network}",
        inputs={FEATURES, REVIEWS, VECTORS, PLAN},
        outputs={name: f"retrain_sentiment_{network}_{name}" for name in ("model", "record", "scores")},
        parameters={"params:network": f"params:sentiment.{network}", PADDING: PADDING},
    )


def create_case_pipeline() -> Pipeline:
    """Plan the training, choose the challenger, score the holdout with all models, and decide."""
    scores, models, records = (
        name_each(list_candidates(), dataset, "retrain_sentiment") for dataset in ("scores", "model", "record")
    )
    case = {"reviews": REVIEWS, "calibrations": CALIBRATIONS}
    chosen_from = {"ngrams": "retrain_sentiment_ngrams", "words": "retrain_sentiment_vocabulary"}
    chosen_from |= {"vocabulary_spec": VOCABULARY, "padding": PADDING, "calibrations": CALIBRATIONS}
    return Pipeline(
        [
            node(describe_run, [TABLE, "retrain_sentiment_profile", "params:sentiment", SPEC, STARTED], RUN),
            node(plan_training, [PADDING, TRAINING, SPEC, "retrain_sentiment_checkpoints"], PLAN),
            node(
                calibrate_classifiers, {"reviews": REVIEWS, "features": FEATURES, **scores}, [CALIBRATIONS, PREDICTIONS]
            ),
            node(assemble_classifier, chosen_from | models, CLASSIFIER),
            node(
                complete_challenger,
                {"classifier": CLASSIFIER, **case, **records},
                [CHALLENGER, RECORD],
            ),
            node(score_holdout, [REVIEWS, PREDICTIONS, CHALLENGER, CHAMPION], HOLDOUT),
            node(decide_promotion, [CHALLENGER, CHAMPION, HOLDOUT, RECORD, RUN, SPEC], "retrain_sentiment_outcome"),
        ]
    )
