"""The graph of `internals`: trained networks, or small ones → gates and states → statistics → report."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.pipelines.internals import nodes

FIGURES = (
    *(f"lstm_{part}" for part in ("forget", "input", "candidate", "output", "state")),
    *(f"gru_{part}" for part in ("update", "reset", "candidate", "state")),
    *("distributions", "half_lives", "gradients", "lstm_words", "gru_words"),
)


def create_pipeline() -> Pipeline:
    """Forecasters and classifier, each chosen and traced, then measured and drawn together."""
    return create_trace_pipeline() + create_report_pipeline()


def create_trace_pipeline() -> Pipeline:
    """Finds or trains the networks, and looks into them."""
    return Pipeline(
        [
            Node(
                nodes.choose_forecasters,
                [
                    "internals_found_lstm_model",
                    "internals_found_gru_model",
                    "internals_found_windows",
                    "params:internals.forecaster",
                ],
                "internals_forecasters",
                name="choose_forecasters",
            ),
            Node(
                nodes.choose_classifier,
                [
                    "internals_found_classifier",
                    "internals_found_reviews",
                    "params:internals.reviews",
                    "params:internals.classifier",
                ],
                "internals_classifier",
                name="choose_classifier",
            ),
            Node(
                nodes.trace_forecasters,
                ["internals_forecasters", "params:internals.sample"],
                "internals_forecast_traces",
                name="trace_forecasters",
            ),
            Node(
                nodes.trace_classifier,
                ["internals_classifier", "params:internals.sample"],
                ["internals_sentiment_traces", "internals_readings"],
                name="trace_classifier",
            ),
        ]
    )


def create_report_pipeline() -> Pipeline:
    """Measures, draws and reports."""
    figures = {name: f"internals_{name}_figure" for name in FIGURES}
    return Pipeline(
        [
            Node(
                nodes.measure_traces,
                ["internals_forecast_traces", "internals_sentiment_traces"],
                ["internals_summary", "internals_distributions", "internals_half_lives", "internals_gradients"],
                name="measure_traces",
            ),
            Node(
                nodes.draw_figures,
                [
                    "internals_forecast_traces",
                    "internals_readings",
                    "internals_distributions",
                    "internals_half_lives",
                    "internals_gradients",
                ],
                figures,
                name="draw_figures",
            ),
            Node(
                nodes.render_report,
                {
                    "summary": "internals_summary",
                    "readings": "internals_readings",
                    "parameters": "params:internals",
                    **figures,
                },
                "internals_report",
                name="render_report",
            ),
        ]
    )
