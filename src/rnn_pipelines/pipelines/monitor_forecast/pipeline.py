"""The graph of `monitor_forecast`: newest series, past forecasts, the champion's record → verdict and report."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.pipelines.monitor_forecast import nodes

FIGURES = ("error_over_time", "error_by_step")


def create_pipeline() -> Pipeline:
    """Reads, measures, judges and reports; nothing is trained, and no network is loaded."""
    return create_measure_pipeline() + create_report_pipeline()


def create_measure_pipeline() -> Pipeline:
    """Reads what is there, and measures errors, coverage and drift."""
    return Pipeline(
        [
            Node(
                nodes.read_newest,
                ["forecast_external", "params:forecast.source", "params:monitor_forecast"],
                "monitor_forecast_table",
                name="read_newest",
            ),
            Node(
                nodes.repair_series,
                ["monitor_forecast_table", "params:forecast.source", "params:forecast.gaps"],
                ["monitor_forecast_series", "monitor_forecast_profile"],
                name="repair_series",
            ),
            Node(
                nodes.read_champion,
                "monitor_forecast_champion_folder",
                "monitor_forecast_champion",
                name="read_champion",
            ),
            Node(
                nodes.join_actuals,
                ["monitor_forecast_found_forecasts", "monitor_forecast_series", "monitor_forecast_champion"],
                "monitor_forecast_judged",
                name="join_actuals",
            ),
            Node(
                nodes.check_coverage,
                [
                    "monitor_forecast_found_forecasts",
                    "monitor_forecast_series",
                    "monitor_forecast_profile",
                    "monitor_forecast_champion",
                ],
                "monitor_forecast_coverage",
                name="check_coverage",
            ),
            Node(
                nodes.measure_drift,
                [
                    "monitor_forecast_series",
                    "monitor_forecast_profile",
                    "monitor_forecast_champion",
                    "params:monitor_forecast",
                ],
                "monitor_forecast_drift",
                name="measure_drift",
            ),
        ]
    )


def create_report_pipeline() -> Pipeline:
    """Judges, draws and reports."""
    figures = {name: f"monitor_forecast_{name}_figure" for name in FIGURES}
    return Pipeline(
        [
            Node(
                nodes.monitor_forecasts,
                [
                    "monitor_forecast_judged",
                    "monitor_forecast_coverage",
                    "monitor_forecast_champion",
                    "monitor_forecast_drift",
                    "params:monitor_forecast",
                ],
                "monitor_forecast_verdict",
                name="monitor_forecasts",
            ),
            Node(
                nodes.draw_figures,
                ["monitor_forecast_judged", "monitor_forecast_verdict", "params:monitor_forecast"],
                figures,
                name="draw_figures",
            ),
            Node(
                nodes.render_report,
                {
                    "verdict": "monitor_forecast_verdict",
                    "profile": "monitor_forecast_profile",
                    "monitor_spec": "params:monitor_forecast",
                    **figures,
                },
                "monitor_forecast_report",
                name="render_report",
            ),
        ]
    )
