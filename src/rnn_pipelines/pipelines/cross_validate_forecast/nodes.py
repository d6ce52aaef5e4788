"""Nodes of `cross_validate_forecast` that are not functions of the library."""

from rnn_pipelines.forecast.fitting import ForecastSpec
from rnn_pipelines.forecast.methods.intervals import LevelSpec
from rnn_pipelines.forecast.methods.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.series.calendar import CalendarSpec
from rnn_pipelines.forecast.series.covariates import CovariateSpec
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windows import EvaluationSpec, OpenWindowSpec


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
    recipe: Recipe, training: ForecastTrainingSpec, level: LevelSpec, **networks: NetworkSpec
) -> ForecastSpec:
    """Gather the parameters of all that is fitted."""
    return ForecastSpec(recipe, networks, training, level)
