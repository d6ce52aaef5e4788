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
from rnn_pipelines.forecast.source.as_of import read_as_of
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, OpenWindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.pipelines.wiring import node


def create_input_nodes(parameters: str, tables: list[str], network: str, spec: str) -> list[Node]:
    """Read the newest values and gather the parameters of `forecast`, into the datasets of a pipeline.

    `network` is a pattern for the parameters of each network.
    """
    newest = [
        "forecast_external",
        "params:forecast.source",
        parameters,
        "params:forecast.covariates",
    ]
    networks = {name: network.format(network=name) for name in NETWORKS}
    blocks = [name for name in ForecastSpec.model_fields if name != "networks"]
    gathered = {**{block: f"params:forecast.{block}" for block in blocks}, **networks}
    return [
        node(read_as_of, newest, tables),
        *(
            node(
                gather_network, f"params:forecast.{name}", dataset, dataset.removesuffix("_network")
            )
            for name, dataset in networks.items()
        ),
        node(gather_spec, gathered, spec),
    ]


def gather_network(network: NetworkSpec) -> NetworkSpec:
    """Return one network's block of parameters, which Kedro has checked."""
    return network


def gather_spec(  # noqa: PLR0913, PLR0917 - one for each block of parameters, whose types Kedro checks
    source: SourceSpec,
    gaps: GapPolicy,
    breaks: BreakPolicy,
    split: SplitSpec,
    window: OpenWindowSpec,
    calendar: CalendarSpec,
    covariates: CovariateSpec,
    evaluation: EvaluationSpec,
    training: ForecastTrainingSpec,
    level: LevelSpec,
    use: UseSpec,
    pretrained: PretrainedSpec,
    **networks: NetworkSpec,
) -> ForecastSpec:
    """Gather the parameters of a fit."""
    return ForecastSpec(
        source=source,
        gaps=gaps,
        breaks=breaks,
        split=split,
        window=window,
        calendar=calendar,
        covariates=covariates,
        evaluation=evaluation,
        networks=networks,
        training=training,
        level=level,
        use=use,
        pretrained=pretrained,
    )
