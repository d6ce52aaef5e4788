"""Parameters of retraining and promotion."""

from typing import Annotated

from pydantic import AfterValidator, Field

from rnn_pipelines.champion.policy import PolicySpec
from rnn_pipelines.errors import show
from rnn_pipelines.forecast.methods.in_use import BEST
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.methods.training.specs import BudgetSpec
from rnn_pipelines.forecast.source.as_of import AsOfSpec


def _require_baseline(name: str) -> str:
    if name not in METHODS and name != BEST:
        raise ValueError(f"expected some of {sorted([BEST, *METHODS])}, received {show(name)}")
    return name


class ForecastPolicySpec(PolicySpec, frozen=True):
    """Conditions for the promotion of a forecaster.

    Attributes:
        must_beat: baselines that must have a higher loss than the challenger; `best` is the simple method with the
            lowest loss, which must not be significantly better.
        stability: largest change of the forecast of a date on the night of a promotion, over the champion's usual one
            from origin to origin, of a challenger that is not shown to be better; None for any.
    """

    must_beat: tuple[Annotated[str, AfterValidator(_require_baseline)], ...] = (BEST,)
    stability: float | None = Field(None, gt=0, le=1e6)


class RetrainForecastSpec(AsOfSpec, frozen=True):
    """Parameters of retraining; data, windows, networks and training are those of `forecast`.

    Attributes:
        policy: conditions for the promotion of the challenger.
        budget: limits of its training.
    """

    policy: ForecastPolicySpec
    budget: BudgetSpec
