"""The graph of `retrain_sentiment`: newest reviews → challenger → holdout, beside the champion → decision, record."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.pipelines.retrain_sentiment import nodes
from rnn_pipelines.pipelines.retraining import create_newest_pipeline, create_record_pipeline
from rnn_pipelines.pipelines.sentiment import nodes as sentiment_nodes
from rnn_pipelines.pipelines.sentiment.pipeline import create_data_pipeline
from rnn_pipelines.sentiment.evaluation.metrics import CELLS

# What both networks read.
SHARED = {f"retrain_sentiment_{name}" for name in ("features", "reviews", "word_vectors", "means")}


def create_pipeline() -> Pipeline:
    """The data as `sentiment` prepares it, both networks from one template, and the case of the challenger."""
    prepare = create_data_pipeline().from_nodes("split_reviews")
    newest = create_newest_pipeline("sentiment", nodes, prepare, "params:sentiment.source")
    networks = sum((create_network_pipeline(cell) for cell in CELLS), Pipeline([]))
    return newest + networks + create_case_pipeline() + create_record_pipeline("sentiment", nodes)


def create_network_pipeline(cell: str) -> Pipeline:
    """Trains one network and scores the reviews with it; `cell` names its namespace and its block of parameters."""
    template = Pipeline(
        [
            Node(
                nodes.train_challenger,
                [
                    "retrain_sentiment_features",
                    "retrain_sentiment_reviews",
                    "retrain_sentiment_word_vectors",
                    "params:network",
                    "retrain_sentiment_means",
                ],
                ["model", "record"],
                name="train_challenger",
            ),
            Node(
                sentiment_nodes.score_reviews,
                [
                    "model",
                    "retrain_sentiment_features",
                    "retrain_sentiment_reviews",
                    "params:network",
                    "params:padding",
                ],
                "scores",
                name="score_reviews",
            ),
        ]
    )
    return Pipeline(
        template,
        namespace=f"retrain_sentiment_{cell}",
        inputs=SHARED,
        outputs={name: f"retrain_sentiment_{cell}_{name}" for name in ("model", "record", "scores")},
        parameters={"params:network": f"params:sentiment.{cell}", "params:padding": "params:sentiment.padding"},
    )


def create_case_pipeline() -> Pipeline:
    """Makes ready for training, chooses the challenger, and scores the holdout by everyone."""
    return Pipeline(
        [
            Node(
                nodes.allot_means,
                [
                    "params:sentiment.padding",
                    "params:sentiment.training",
                    "params:retrain_sentiment",
                    "retrain_sentiment_checkpoints",
                ],
                "retrain_sentiment_means",
                name="allot_means",
            ),
            Node(
                sentiment_nodes.calibrate_classifiers,
                {
                    "reviews": "retrain_sentiment_reviews",
                    "features": "retrain_sentiment_features",
                    **{cell: f"retrain_sentiment_{cell}_scores" for cell in CELLS},
                },
                ["retrain_sentiment_calibrations", "retrain_sentiment_predictions"],
                name="calibrate_classifiers",
            ),
            Node(
                sentiment_nodes.assemble_classifier,
                {
                    "ngrams": "retrain_sentiment_ngrams",
                    "words": "retrain_sentiment_vocabulary",
                    "vocabulary_spec": "params:sentiment.vocabulary",
                    "padding": "params:sentiment.padding",
                    "calibrations": "retrain_sentiment_calibrations",
                    **{cell: f"retrain_sentiment_{cell}_model" for cell in CELLS},
                },
                "retrain_sentiment_classifier",
                name="assemble_classifier",
            ),
            Node(
                nodes.complete_challenger,
                {
                    "classifier": "retrain_sentiment_classifier",
                    "reviews": "retrain_sentiment_reviews",
                    "calibrations": "retrain_sentiment_calibrations",
                    **{cell: f"retrain_sentiment_{cell}_record" for cell in CELLS},
                },
                ["retrain_sentiment_challenger", "retrain_sentiment_training"],
                name="complete_challenger",
            ),
            Node(
                nodes.score_holdout,
                [
                    "retrain_sentiment_reviews",
                    "retrain_sentiment_predictions",
                    "retrain_sentiment_challenger",
                    "champion_sentiment",
                ],
                "retrain_sentiment_holdout",
                name="score_holdout",
            ),
        ]
    )
