"""The input nodes of cross-validation, backtest and tuning. This module is not a pipeline."""

from kedro.pipeline import Node

from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods.in_use import UseSpec
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.source.as_of import read_as_of
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, OpenWindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.pipelines.wiring import node


def create_input_nodes(
    parameters: str, tables: list[str], recipe: str, network: str, spec: str
) -> list[Node]:
    """Read the newest values and gather the parameters of `forecast`, into the datasets of a pipeline.

    `recipe`, `network` and `spec` are datasets of the gathered parameters, `network` a pattern for each network.
    """
    networks = {name: network.format(network=name) for name in NETWORKS}
    newest = [
        "forecast_external",
        "params:forecast.source",
        parameters,
        "params:forecast.covariates",
    ]
    gathered = {
        "recipe": recipe,
        "training": "params:forecast.training",
        "level": "params:forecast.level",
        **networks,
        "use": "params:forecast.use",
        "pretrained": "params:forecast.pretrained",
    }
    prepared = [f"params:forecast.{block}" for block in Recipe.model_fields]
    nodes = [node(read_as_of, newest, tables), node(gather_recipe, prepared, recipe)]
    for name, dataset in networks.items():
        nodes.append(
            node(take_network, f"params:forecast.{name}", dataset, dataset.removesuffix("_network"))
        )
    return [*nodes, node(gather_spec, gathered, spec)]


def gather_recipe(  # noqa: PLR0913, PLR0917 - one for each block of parameters, whose types Kedro checks
    source: SourceSpec,
    gaps: GapPolicy,
    breaks: BreakPolicy,
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
        breaks=breaks,
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
