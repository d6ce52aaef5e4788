"""The sentiment of the user's own texts by the champion, or by the newest classifier if there is no champion."""

from rnn_pipelines.pipelines.predict_sentiment.pipeline import create_pipeline as create_pipeline
