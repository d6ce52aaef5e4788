"""The graph of `sentiment`: reviews → words → networks and n-gram classifier → calibration → metrics → report."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.pipelines.sentiment import nodes
from rnn_pipelines.sentiment.evaluation.metrics import CELLS

# The same network with nothing recurrent in it shows what recurrence adds.
NETWORKS = (*CELLS, "pointwise")
FIGURES = ("accuracy", "confusion", "calibration", "by_length", "by_rating", "losses")


def create_pipeline() -> Pipeline:
    """All networks from one template, between data and report that they share."""
    return sum((create_network_pipeline(network) for network in NETWORKS), create_data_pipeline()) + (
        create_report_pipeline()
    )


def create_data_pipeline() -> Pipeline:
    """Reads, splits and encodes the reviews; learns word vectors and n-gram weights from the training part."""
    return Pipeline(
        [
            Node(
                nodes.read_reviews,
                "params:sentiment.source",
                "sentiment_table",
                name="read_reviews",
            ),
            Node(
                nodes.split_reviews,
                ["sentiment_table", "params:sentiment.split"],
                ["sentiment_reviews", "sentiment_profile"],
                name="split_reviews",
            ),
            Node(
                nodes.build_vocabulary,
                ["sentiment_reviews", "params:sentiment.vocabulary"],
                "sentiment_vocabulary",
                name="build_vocabulary",
            ),
            Node(
                nodes.encode_reviews,
                ["sentiment_reviews", "sentiment_vocabulary", "params:sentiment.vocabulary"],
                "sentiment_encoded",
                name="encode_reviews",
            ),
            Node(
                nodes.learn_word_vectors,
                ["sentiment_encoded", "sentiment_reviews", "params:sentiment.word_vectors"],
                "sentiment_word_vectors",
                name="learn_word_vectors",
            ),
            Node(
                nodes.fit_nb_ngram,
                ["sentiment_encoded", "sentiment_reviews", "params:sentiment.ngrams"],
                ["sentiment_ngrams", "sentiment_features", "sentiment_ngrams_record"],
                name="fit_nb_ngram",
            ),
        ]
    )


def create_network_pipeline(network: str) -> Pipeline:
    """Trains one network and scores the reviews with it; `network` names its namespace and its block of parameters."""
    template = Pipeline(
        [
            Node(
                nodes.train_classifier,
                [
                    "sentiment_features",
                    "sentiment_reviews",
                    "sentiment_word_vectors",
                    "params:network",
                    "params:padding",
                    "params:training",
                ],
                ["model", "history", "record"],
                name="train_classifier",
            ),
            Node(
                nodes.score_reviews,
                ["model", "sentiment_features", "sentiment_reviews", "params:network", "params:padding"],
                "scores",
                name="score_reviews",
            ),
        ]
    )
    return Pipeline(
        template,
        namespace=f"sentiment_{network}",
        inputs={"sentiment_features", "sentiment_reviews", "sentiment_word_vectors"},
        outputs={dataset: f"sentiment_{network}_{dataset}" for dataset in ("model", "history", "record", "scores")},
        parameters={
            "params:network": f"params:sentiment.{network}",
            "params:padding": "params:sentiment.padding",
            "params:training": "params:sentiment.training",
        },
    )


def create_report_pipeline() -> Pipeline:
    """Calibrates and compares the classifiers, keeps the best one, draws and reports."""
    return Pipeline(
        [
            Node(
                nodes.calibrate_classifiers,
                {
                    "reviews": "sentiment_reviews",
                    "features": "sentiment_features",
                    **name_each(NETWORKS, "scores"),
                },
                ["sentiment_calibrations", "sentiment_predictions"],
                name="calibrate_classifiers",
            ),
            Node(
                nodes.evaluate_classifiers,
                {
                    "predictions": "sentiment_predictions",
                    "nb_ngram": "sentiment_ngrams_record",
                    **name_each(NETWORKS, "record"),
                },
                ["sentiment_metrics", "sentiment_metrics_by_group", "sentiment_metrics_by_confidence"],
                name="evaluate_classifiers",
            ),
            Node(
                nodes.find_examples,
                ["sentiment_predictions", "sentiment_reviews", "sentiment_calibrations"],
                "sentiment_examples",
                name="find_examples",
            ),
            Node(
                nodes.assemble_classifier,
                {
                    "ngrams": "sentiment_ngrams",
                    "words": "sentiment_vocabulary",
                    "vocabulary_spec": "params:sentiment.vocabulary",
                    "padding": "params:sentiment.padding",
                    "calibrations": "sentiment_calibrations",
                    **name_each(CELLS, "model"),
                },
                "sentiment_classifier",
                name="assemble_classifier",
            ),
            Node(
                nodes.draw_figures,
                {
                    "metrics": "sentiment_metrics",
                    "calibrations": "sentiment_calibrations",
                    "by_group": "sentiment_metrics_by_group",
                    "by_confidence": "sentiment_metrics_by_confidence",
                    **name_each(NETWORKS, "history"),
                },
                {name: f"sentiment_{name}_figure" for name in FIGURES},
                name="draw_figures",
            ),
            Node(
                nodes.render_report,
                {
                    "metrics": "sentiment_metrics",
                    "calibrations": "sentiment_calibrations",
                    "profile": "sentiment_profile",
                    "examples": "sentiment_examples",
                    "parameters": "params:sentiment",
                    **{f"{name}_record": f"sentiment_{name}_record" for name in NETWORKS},
                    **{f"{name}_figure": f"sentiment_{name}_figure" for name in FIGURES},
                },
                "sentiment_report",
                name="render_report",
            ),
        ]
    )


def name_each(networks: tuple[str, ...], dataset: str) -> dict[str, str]:
    """One dataset's catalog name for each network, under the network's name."""
    return {network: f"sentiment_{network}_{dataset}" for network in networks}
