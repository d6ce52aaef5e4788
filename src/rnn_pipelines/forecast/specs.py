"""What a forecaster is made of and how it is trained; free of Keras, so that parameters are checked before it loads."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from rnn_pipelines.champion.policy import PolicySpec
from rnn_pipelines.forecast.baselines import BASELINES
from rnn_pipelines.forecast.registry import NETWORKS
from rnn_pipelines.forecast.series.newest import NewestSpec
from rnn_pipelines.networks.specs import LimitsSpec, TrainingSpec


def _as_tuple(units: Any) -> Any:
    return (units,) if isinstance(units, int) else units


def _require_network(cell: str) -> str:
    if cell not in NETWORKS:
        raise ValueError(f"expected one of {sorted(NETWORKS)}, received {cell!r}")
    return cell


class NetworkSpec(BaseModel, extra="forbid", frozen=True):
    """One forecasting network.

    Attributes:
        cell: kind of network, by its name in `NETWORKS`: that of its recurrent layers.
        units: width of each recurrent layer, from input to output; one number for a single layer.
        activation: of the candidate and the output of the cell. Other than `tanh` it is slower on a GPU.
        dropout: part of each recurrent layer's output that is dropped in training.
        centre: forecast the difference to the mean of the window's history. For series whose level drifts away from
            that of the training part, where the cells would saturate.
        members: networks that are trained apart, from other seeds, and whose forecasts are averaged.
    """

    cell: Annotated[str, AfterValidator(_require_network)]
    units: Annotated[tuple[Annotated[int, Field(ge=1)], ...], BeforeValidator(_as_tuple), Field(min_length=1)] = (16,)
    activation: Literal["tanh", "relu", "sigmoid", "softsign", "linear"] = "tanh"
    dropout: float = Field(0.0, ge=0, lt=1)
    centre: bool = False
    members: int = Field(1, ge=1)


class ForecastTrainingSpec(TrainingSpec, frozen=True):
    """How a forecaster is trained.

    Attributes:
        loss: what is minimised, on scaled targets.
    """

    loss: Literal["mse", "mae", "huber"] = "mse"


class BudgetSpec(LimitsSpec, frozen=True):
    """What a retraining may cost that can start from the champion's weights.

    Attributes:
        warm_start: start from the champion's weights where they fit.
    """

    warm_start: bool = True


def _require_baseline(name: str) -> str:
    if name not in BASELINES:
        raise ValueError(f"expected some of {sorted(BASELINES)}, received {name!r}")
    return name


class ForecastPolicySpec(PolicySpec, frozen=True):
    """When a forecaster is promoted.

    Attributes:
        must_beat: baselines whose loss the challenger must be below.
    """

    must_beat: tuple[Annotated[str, AfterValidator(_require_baseline)], ...] = ("last_value", "seasonal_naive")


class RetrainForecastSpec(NewestSpec, frozen=True):
    """How forecasters are retrained; data, windows, networks and training are those of `forecast`.

    Attributes:
        policy: when the challenger is promoted.
        budget: what its training may cost.
    """

    policy: ForecastPolicySpec
    budget: BudgetSpec
