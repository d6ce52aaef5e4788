"""How networks are built, trained and what their training may cost: the blocks of parameters."""

from typing import Annotated

from pydantic import AfterValidator, Field

from rnn_pipelines.errors import show
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.networks.specs import Seed
from rnn_pipelines.parameter_models import ParameterModel


def _require_network(cell: str) -> str:
    if cell not in NETWORKS:
        raise ValueError(f"expected one of {sorted(NETWORKS)}, received {show(cell)}")
    return cell


class NetworkSpec(ParameterModel, frozen=True):
    """One forecasting network; what is None is chosen from the data.

    Attributes:
        cell: kind of network, by its name in `NETWORKS`: that of its recurrent layer.
        units: width of the recurrent layer of each member.
        members: networks whose corrections are averaged; where blocks of the past are hidden in turn, one for each.
        segment: steps of the series that the recurrent layer reads as one.
    """

    cell: Annotated[str, AfterValidator(_require_network)]
    units: int | None = Field(None, ge=1, le=1024)
    members: int | None = Field(None, ge=1, le=100)
    segment: int | None = Field(None, ge=1, le=10**6)


class ForecastTrainingSpec(ParameterModel, frozen=True):
    """How networks are trained; what is None is chosen from the data.

    Attributes:
        seed: of the weights and the order of the batches. The same seed gives the same numbers again.
        max_steps: of the gradient, at most.
        patience: steps without a better loss on windows that nobody had seen after which training ends.
        batch_size: windows in a gradient step.
        learning_rate: of Adam.
        weight_average: decay of the running mean of the weights that is judged and kept; 0 for the weights themselves.
        clip_norm: length to which a member's gradient is shortened where it is longer; None for no limit.
    """

    seed: Seed = 0
    max_steps: int | None = Field(None, ge=1, le=10**7)
    patience: int = Field(400, ge=1, le=10**7)
    batch_size: int | None = Field(None, ge=1, le=2**20)
    learning_rate: float | None = Field(None, gt=0, le=10)
    weight_average: float | None = Field(None, ge=0, lt=1)
    clip_norm: float | None = Field(1.0, gt=0, le=1e6)


class BudgetSpec(ParameterModel, frozen=True):
    """What a retraining may cost.

    Attributes:
        max_seconds: after which the training of a network ends with its best weights; None for no limit.
        max_steps: at most so many; None for as many as in training by hand.
    """

    max_seconds: float | None = Field(None, gt=0, le=1e7)
    max_steps: int | None = Field(None, ge=1, le=10**7)
