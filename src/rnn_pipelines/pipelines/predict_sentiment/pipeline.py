"""The graph of `predict_sentiment`: texts and champion → label, probability and confidence."""

from kedro.pipeline import Pipeline

from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.sentiment.operations.reference import score_newest
from rnn_pipelines.sentiment.text.files import read_texts


def create_pipeline() -> Pipeline:
    """Read and score, without training."""
    texts = "predict_sentiment_texts"
    file = "params:predict_sentiment"
    scored_from = ["champion_sentiment", "predict_sentiment_found_classifier", texts, file]
    read = node(read_texts, file, texts)
    return Pipeline([read, node(score_newest, scored_from, "predict_sentiment_scores")])
