"""The graph of `predict_sentiment`: texts and champion → label, probability and confidence."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.pipelines.predict_sentiment import nodes


def create_pipeline() -> Pipeline:
    """Reads and scores; nothing is trained."""
    return Pipeline(
        [
            Node(
                nodes.read_texts,
                "params:predict_sentiment",
                "predict_sentiment_texts",
                name="read_texts",
            ),
            Node(
                nodes.score_newest,
                ["champion_sentiment", "predict_sentiment_found_classifier", "predict_sentiment_texts"],
                "predict_sentiment_scores",
                name="score_newest",
            ),
        ]
    )
