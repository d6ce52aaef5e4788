"""The graph of `monitor_sentiment`: scored texts and held-out reviews → verdict and report."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.pipelines.monitor_sentiment import nodes


def create_pipeline() -> Pipeline:
    """Compares, judges and reports; nothing is trained or scored."""
    return Pipeline(
        [
            Node(
                nodes.select_newest,
                "monitor_sentiment_found_scores",
                "monitor_sentiment_scores",
                name="select_newest",
            ),
            Node(
                nodes.describe_reference,
                [
                    "monitor_sentiment_scores",
                    "monitor_sentiment_champion_folder",
                    "monitor_sentiment_found_predictions",
                    "monitor_sentiment_found_reviews",
                    "monitor_sentiment_found_encoded",
                    "monitor_sentiment_found_calibrations",
                ],
                "monitor_sentiment_reference",
                name="describe_reference",
            ),
            Node(
                nodes.compare_scores,
                ["monitor_sentiment_scores", "monitor_sentiment_reference"],
                "monitor_sentiment_measures",
                name="compare_scores",
            ),
            Node(
                nodes.read_champion,
                "monitor_sentiment_champion_folder",
                "monitor_sentiment_champion",
                name="read_champion",
            ),
            Node(
                nodes.monitor_scores,
                ["monitor_sentiment_measures", "monitor_sentiment_champion", "params:monitor_sentiment"],
                "monitor_sentiment_verdict",
                name="monitor_scores",
            ),
            Node(
                nodes.draw_distributions,
                ["monitor_sentiment_scores", "monitor_sentiment_reference"],
                "monitor_sentiment_distributions_figure",
                name="draw_distributions",
            ),
            Node(
                nodes.render_report,
                [
                    "monitor_sentiment_verdict",
                    "params:monitor_sentiment",
                    "monitor_sentiment_distributions_figure",
                ],
                "monitor_sentiment_report",
                name="render_report",
            ),
        ]
    )
