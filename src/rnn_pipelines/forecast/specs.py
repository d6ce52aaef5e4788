"""What a forecaster is made of and how it is trained; free of Keras, so that parameters are checked before it loads."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from rnn_pipelines.forecast.registry import NETWORKS
from rnn_pipelines.networks.specs import LimitsSpec, TrainingSpec


def _as_tuple(units: Any) -> Any:
    return (units,) if isinstance(units, int) else units


def _refuse_unknown(cell: str) -> str:
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

    cell: Annotated[str, AfterValidator(_refuse_unknown)]
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
