"""The input nodes of cross-validation, backtest and tuning. This module is not a pipeline."""

from kedro.pipeline import Node

from rnn_pipelines.forecast.methods.in_use import UseSpec
from rnn_pipelines.forecast.methods.intervals import LevelSpec
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.series.as_of import read_as_of
from rnn_pipelines.forecast.series.calendar import CalendarSpec
from rnn_pipelines.forecast.series.covariates import CovariateSpec
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windows import EvaluationSpec, OpenWindowSpec
from rnn_pipelines.pipelines.wiring import node


def create_input_nodes(pipeline: str) -> list[Node]:
    """Read the newest values and gather the parameters of `forecast`, into datasets named after a pipeline."""
    newest = ["forecast_external", "params:forecast.source", f"params:{pipeline}", "params:forecast.covariates"]
    recipe, networks = f"{pipeline}_recipe", {name: f"{pipeline}_{name}_network" for name in NETWORKS}
    gathered = {"recipe": recipe, "training": "params:forecast.training", "level": "params:forecast.level", **networks}
    gathered |= {"use": "params:forecast.use", "pretrained": "params:forecast.pretrained"}
    return [
        node(read_as_of, newest, [f"{pipeline}_table", f"{pipeline}_covariate_table"]),
        node(gather_recipe, [f"params:forecast.{block}" for block in Recipe.model_fields], recipe),
        *(
            node(take_network, f"params:forecast.{name}", dataset, namespace=f"{pipeline}_{name}")
            for name, dataset in networks.items()
        ),
        node(gather_spec, gathered, f"{pipeline}_spec"),
    ]


def gather_recipe(  # noqa: PLR0913, PLR0917 - one for each block of parameters, whose types Kedro checks
    source: SourceSpec,
    gaps: GapPolicy,
    split: SplitSpec,
    window: OpenWindowSpec,
    calendar: CalendarSpec,
    covariates: CovariateSpec,
    evaluation: EvaluationSpec,
) -> Recipe:
    """Gather the parameters that turn a table into windows."""
    return Recipe(
        source=source,
        gaps=gaps,
        split=split,
        window=window,
        calendar=calendar,
        covariates=covariates,
        evaluation=evaluation,
    )


def take_network(network: NetworkSpec) -> NetworkSpec:
    """Return one network's block of parameters, which Kedro has checked."""
    return network


def gather_spec(
    recipe: Recipe,
    training: ForecastTrainingSpec,
    level: LevelSpec,
    use: UseSpec,
    pretrained: PretrainedSpec,
    **networks: NetworkSpec,
) -> ForecastSpec:
    """Gather the parameters of all that is fitted."""
    return ForecastSpec(recipe, networks, training, level, use, pretrained)
