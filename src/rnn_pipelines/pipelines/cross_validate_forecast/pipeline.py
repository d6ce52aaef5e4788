"""The graph of `cross_validate_forecast`: newest series → rolling origins → errors → report."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.forecast.evaluation.windows import summarize_windows
from rnn_pipelines.forecast.experiments.cross_validation import cross_validate
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.report.cross_validation import draw_error_by_cutoff, render_report
from rnn_pipelines.forecast.series.as_of import read_as_of, read_covariates_as_of
from rnn_pipelines.pipelines.cross_validate_forecast import nodes
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import draw_note, render_note

SPEC = "params:cross_validate_forecast"
TABLE, COVARIATES, ASKED, PREDICTIONS, METRICS, BY_CUTOFF, FIGURE, REPORT = (
    f"cross_validate_forecast_{name}"
    for name in (
        "table",
        "covariate_table",
        "spec",
        "predictions",
        "metrics",
        "metrics_by_cutoff",
        "errors_figure",
        "report",
    )
)


def create_pipeline() -> Pipeline:
    """Read, forecast from rolling origins, evaluate and report; the champion in use is not changed."""
    return Pipeline(
        [
            *create_input_nodes("cross_validate_forecast"),
            node(cross_validate, [TABLE, COVARIATES, ASKED, SPEC, "params:parallel"], PREDICTIONS),
            node(summarize_windows, PREDICTIONS, [METRICS, BY_CUTOFF]),
            node(guard(draw_error_by_cutoff, draw_note), BY_CUTOFF, FIGURE),
            node(guard(render_report, render_note), [METRICS, SPEC, FIGURE], REPORT),
        ]
    )


def create_input_nodes(pipeline: str) -> list[Node]:
    """Read the newest values and gather the parameters of `forecast`, into datasets named after a pipeline."""
    newest = ["forecast_external", "params:forecast.source", f"params:{pipeline}"]
    recipe, networks = f"{pipeline}_recipe", {name: f"{pipeline}_{name}_network" for name in NETWORKS}
    gathered = {"recipe": recipe, "training": "params:forecast.training", "level": "params:forecast.level", **networks}
    return [
        node(read_as_of, newest, f"{pipeline}_table"),
        node(read_covariates_as_of, [*newest, "params:forecast.covariates"], f"{pipeline}_covariate_table"),
        node(nodes.gather_recipe, [f"params:forecast.{block}" for block in Recipe.model_fields], recipe),
        *(
            node(nodes.take_network, f"params:forecast.{name}", dataset, namespace=f"{pipeline}_{name}")
            for name, dataset in networks.items()
        ),
        node(nodes.gather_spec, gathered, f"{pipeline}_spec"),
    ]
