"""The graph of `forecast`: source → series → windows → two networks and the baselines → metrics → report."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.forecast.evaluation.metrics import evaluate_forecasts
from rnn_pipelines.pipelines.forecast import nodes

CELLS = ("lstm", "gru")
FIGURES = ("forecasts", "next_values", "losses", "error_by_step", "residuals")


def create_pipeline() -> Pipeline:
    """Both networks from one template, between data and report that they share."""
    return sum((create_network_pipeline(cell) for cell in CELLS), create_data_pipeline()) + create_report_pipeline()


def create_data_pipeline() -> Pipeline:
    """Reads, checks, splits, scales and indexes the series."""
    return Pipeline(
        [
            Node(
                nodes.read_source,
                ["forecast_external", "params:forecast.source"],
                "forecast_table",
                name="read_source",
            ),
            Node(
                nodes.prepare_series,
                [
                    "forecast_table",
                    "params:forecast.source",
                    "params:forecast.gaps",
                    "params:forecast.split",
                    "params:forecast.window",
                ],
                ["forecast_source", "forecast_series", "forecast_profile", "forecast_cutoffs"],
                name="prepare_series",
            ),
            Node(
                nodes.fit_scaler,
                ["forecast_series", "forecast_cutoffs"],
                "forecast_scaler",
                name="fit_scaler",
            ),
            Node(
                nodes.add_known_features,
                ["forecast_series", "forecast_profile", "params:forecast.calendar", "params:forecast.window"],
                "forecast_features",
                name="add_known_features",
            ),
            Node(
                nodes.make_windows,
                [
                    "forecast_features",
                    "forecast_cutoffs",
                    "forecast_scaler",
                    "params:forecast.window",
                    "params:forecast.evaluation",
                ],
                "forecast_windows",
                name="make_windows",
            ),
        ]
    )


def create_network_pipeline(cell: str) -> Pipeline:
    """Trains one network and forecasts with it; `cell` names its namespace and its block of parameters."""
    template = Pipeline(
        [
            Node(
                nodes.train_forecaster,
                ["forecast_windows", "params:network", "params:training", "params:parallel"],
                ["model", "history", "record"],
                name="train_forecaster",
            ),
            Node(
                nodes.forecast_windows,
                ["model", "forecast_windows"],
                "forecasts",
                name="forecast_windows",
            ),
        ]
    )
    return Pipeline(
        template,
        namespace=f"forecast_{cell}",
        inputs={"forecast_windows"},
        outputs=name_by_cell(cell, "model", "history", "record", "forecasts"),
        parameters={
            "params:network": f"params:forecast.{cell}",
            "params:training": "params:forecast.training",
            "params:parallel": "params:parallel",
        },
    )


def create_report_pipeline() -> Pipeline:
    """Compares the networks with the baselines, draws and reports."""
    return Pipeline(
        [
            Node(
                nodes.forecast_baselines,
                ["forecast_windows", "forecast_profile", "params:forecast.evaluation"],
                "forecast_baselines",
                name="forecast_baselines",
            ),
            Node(
                nodes.tabulate_forecasts,
                {
                    "panel": "forecast_windows",
                    "features": "forecast_features",
                    "scaler": "forecast_scaler",
                    "baselines": "forecast_baselines",
                    **name_each_cell("forecasts"),
                },
                ["forecast_predictions", "forecast_next_values"],
                name="tabulate_forecasts",
            ),
            Node(
                evaluate_forecasts,
                {
                    "predictions": "forecast_predictions",
                    "series": "forecast_series",
                    "cutoffs": "forecast_cutoffs",
                    "profile": "forecast_profile",
                    "evaluation": "params:forecast.evaluation",
                    **name_each_cell("record"),
                },
                ["forecast_metrics", "forecast_metrics_by_series", "forecast_metrics_by_step"],
                name="evaluate_forecasts",
            ),
            Node(
                nodes.draw_figures,
                {
                    "predictions": "forecast_predictions",
                    "series": "forecast_series",
                    "next_values": "forecast_next_values",
                    "by_step": "forecast_metrics_by_step",
                    **name_each_cell("history"),
                },
                {name: f"forecast_{name}_figure" for name in FIGURES},
                name="draw_figures",
            ),
            Node(
                nodes.render_report,
                {
                    "metrics": "forecast_metrics",
                    "profile": "forecast_profile",
                    "parameters": "params:forecast",
                    **{name: f"forecast_{name}_figure" for name in FIGURES},
                    **name_each_cell("record"),
                },
                "forecast_report",
                name="render_report",
            ),
        ]
    )


def name_by_cell(cell: str, *datasets: str) -> dict[str, str]:
    """The catalog names of one network's datasets."""
    return {dataset: f"forecast_{cell}_{dataset}" for dataset in datasets}


def name_each_cell(dataset: str) -> dict[str, str]:
    """One dataset's catalog name for each network, under the network's name."""
    return {cell: f"forecast_{cell}_{dataset}" for cell in CELLS}
