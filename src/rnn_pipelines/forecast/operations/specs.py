"""When a forecaster is retrained and promoted: the blocks of parameters."""

from typing import Annotated

from pydantic import AfterValidator

from rnn_pipelines.champion.policy import PolicySpec
from rnn_pipelines.errors import show
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.methods.specs import BudgetSpec
from rnn_pipelines.forecast.series.as_of import AsOfSpec


def _require_baseline(name: str) -> str:
    if name not in METHODS:
        raise ValueError(f"expected some of {sorted(METHODS)}, received {show(name)}")
    return name


class ForecastPolicySpec(PolicySpec, frozen=True):
    """When a forecaster is promoted.

    Attributes:
        must_beat: baselines whose loss the challenger must be below.
    """

    must_beat: tuple[Annotated[str, AfterValidator(_require_baseline)], ...] = ("last_value", "seasonal_naive")


class RetrainForecastSpec(AsOfSpec, frozen=True):
    """How forecasters are retrained; data, windows, networks and training are those of `forecast`.

    Attributes:
        policy: when the challenger is promoted.
        budget: what its training may cost.
    """

    policy: ForecastPolicySpec
    budget: BudgetSpec
