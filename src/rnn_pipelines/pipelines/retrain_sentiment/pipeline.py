"""The graph of `retrain_sentiment`: newest reviews → challenger → holdout, beside the champion → decision, record."""

from kedro.pipeline import Pipeline

from rnn_pipelines.pipelines.retrain_sentiment import nodes
from rnn_pipelines.pipelines.retraining import create_newest_pipeline, create_record_pipeline
from rnn_pipelines.pipelines.sentiment.nodes import score_reviews
from rnn_pipelines.pipelines.sentiment.pipeline import PADDING, TRAINING, VOCABULARY, create_data_pipeline, name_each
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.sentiment import decision
from rnn_pipelines.sentiment.calibration import calibrate_classifiers
from rnn_pipelines.sentiment.challenger import complete_challenger, plan_training, score_holdout, train_challenger
from rnn_pipelines.sentiment.classifier import assemble_classifier
from rnn_pipelines.sentiment.registry import list_candidates

FEATURES, REVIEWS, VECTORS, PLAN, CALIBRATIONS, PREDICTIONS, CLASSIFIER, CHALLENGER = (
    f"retrain_sentiment_{name}"
    for name in (
        "features", "reviews", "word_vectors", "plan", "calibrations", "predictions", "classifier", "challenger"
    )
)  # fmt: skip


def create_pipeline() -> Pipeline:
    """The data as `sentiment` prepares it, all networks from one template, and the case of the challenger."""
    prepare = create_data_pipeline().from_nodes("split_reviews")
    newest = create_newest_pipeline("sentiment", nodes, prepare, "params:sentiment.source")
    networks = sum((create_network_pipeline(network) for network in list_candidates()), Pipeline([]))
    return newest + networks + create_case_pipeline() + create_record_pipeline("sentiment", decision)


def create_network_pipeline(network: str) -> Pipeline:
    """Trains one network and scores the reviews with it; `network` names its namespace and its block of parameters."""
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
    """Plans the training, chooses the challenger, and scores the holdout by everyone."""
    scores, models, records = (
        name_each(list_candidates(), dataset, "retrain_sentiment") for dataset in ("scores", "model", "record")
    )
    case = {"reviews": REVIEWS, "calibrations": CALIBRATIONS}
    chosen_from = {"ngrams": "retrain_sentiment_ngrams", "words": "retrain_sentiment_vocabulary"}
    chosen_from |= {"vocabulary_spec": VOCABULARY, "padding": PADDING, "calibrations": CALIBRATIONS}
    return Pipeline(
        [
            node(plan_training, [PADDING, TRAINING, "params:retrain_sentiment", "retrain_sentiment_checkpoints"], PLAN),
            node(
                calibrate_classifiers, {"reviews": REVIEWS, "features": FEATURES, **scores}, [CALIBRATIONS, PREDICTIONS]
            ),
            node(assemble_classifier, chosen_from | models, CLASSIFIER),
            node(
                complete_challenger,
                {"classifier": CLASSIFIER, **case, **records},
                [CHALLENGER, "retrain_sentiment_training"],
            ),
            node(score_holdout, [REVIEWS, PREDICTIONS, CHALLENGER, "champion_sentiment"], "retrain_sentiment_holdout"),
        ]
    )
