"""The wiring of `predict_sentiment`."""

from rnn_pipelines.pipelines.predict_sentiment import create_pipeline


def test_only_saved_classifiers_are_read() -> None:
    data = {name for name in create_pipeline().inputs() if not name.startswith("params:")}
    assert data == {"champion_sentiment", "predict_sentiment_found_classifier"}


def test_scores_come_out() -> None:
    assert create_pipeline().outputs() == {"predict_sentiment_scores"}
