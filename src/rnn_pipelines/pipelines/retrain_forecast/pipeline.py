"""The graph of `retrain_forecast`: newest series → challenger → holdout, beside the champion → decision and record."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.pipelines.forecast import nodes as forecast_nodes
from rnn_pipelines.pipelines.forecast.pipeline import CELLS, create_data_pipeline
from rnn_pipelines.pipelines.retrain_forecast import nodes
from rnn_pipelines.pipelines.retraining import create_newest_pipeline, create_record_pipeline


def create_pipeline() -> Pipeline:
    """The data as `forecast` prepares it, both networks from one template, and the case of the challenger."""
    prepare = create_data_pipeline().from_nodes("prepare_series")
    newest = create_newest_pipeline("forecast", nodes, prepare, "forecast_external", "params:forecast.source")
    networks = sum((create_network_pipeline(cell) for cell in CELLS), Pipeline([]))
    return newest + networks + create_case_pipeline() + create_record_pipeline("forecast", nodes)


def create_network_pipeline(cell: str) -> Pipeline:
    """Trains one network; `cell` names its namespace and its block of parameters."""
    template = Pipeline(
        [
            Node(
                nodes.train_challenger,
                [
                    "retrain_forecast_windows",
                    "retrain_forecast_settings",
                    "params:network",
                    "params:training",
                    "retrain_forecast_means",
                ],
                "network",
                name="train_challenger",
            )
        ]
    )
    return Pipeline(
        template,
        namespace=f"retrain_forecast_{cell}",
        inputs={"retrain_forecast_windows", "retrain_forecast_settings", "retrain_forecast_means"},
        outputs={"network": f"retrain_forecast_{cell}_network"},
        parameters={"params:network": f"params:forecast.{cell}", "params:training": "params:forecast.training"},
    )


def create_case_pipeline() -> Pipeline:
    """Makes ready for training, chooses the challenger, and forecasts the holdout by everyone."""
    return Pipeline(
        [
            Node(
                nodes.describe_forecaster,
                [
                    "retrain_forecast_series",
                    "retrain_forecast_profile",
                    "retrain_forecast_cutoffs",
                    "params:forecast.window",
                    "params:forecast.calendar",
                    "params:forecast.gaps",
                ],
                "retrain_forecast_settings",
                name="describe_forecaster",
            ),
            Node(
                nodes.allot_means,
                ["champion_forecast", "params:retrain_forecast", "retrain_forecast_checkpoints", "params:parallel"],
                "retrain_forecast_means",
                name="allot_means",
            ),
            Node(
                nodes.choose_challenger,
                {
                    "panel": "retrain_forecast_windows",
                    "scaler": "retrain_forecast_scaler",
                    "settings": "retrain_forecast_settings",
                    **{cell: f"retrain_forecast_{cell}_network" for cell in CELLS},
                },
                ["retrain_forecast_challenger", "retrain_forecast_training"],
                name="choose_challenger",
            ),
            Node(
                forecast_nodes.forecast_baselines,
                ["retrain_forecast_windows", "retrain_forecast_profile", "params:forecast.evaluation"],
                "retrain_forecast_baselines",
                name="forecast_baselines",
            ),
            Node(
                nodes.forecast_holdout,
                [
                    "retrain_forecast_windows",
                    "retrain_forecast_features",
                    "retrain_forecast_scaler",
                    "retrain_forecast_baselines",
                    "retrain_forecast_challenger",
                    "champion_forecast",
                ],
                "retrain_forecast_holdout",
                name="forecast_holdout",
            ),
        ]
    )
