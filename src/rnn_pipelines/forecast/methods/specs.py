"""The parameters of networks, their training and its limits."""

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
    """One forecasting network. Values of None are resolved from the data.

    Attributes:
        cell: of the recurrent layer, by its name in `NETWORKS`.
        units: width of the recurrent layer of each member.
        members: number of networks whose corrections are averaged. If blocks of the past are held out in turn, there is
            one for each block.
        segment: steps of the series in one step of the recurrent layer.
    """

    cell: Annotated[str, AfterValidator(_require_network)]
    units: int | None = Field(None, ge=1, le=1024)
    members: int | None = Field(None, ge=1, le=100)
    segment: int | None = Field(None, ge=1, le=10**6)


class ForecastTrainingSpec(ParameterModel, frozen=True):
    """The parameters of training networks. Values of None are resolved from the data.

    Attributes:
        seed: of the weights and the order of the batches. The same seed reproduces the same numbers.
        max_steps: largest number of gradient steps.
        patience: steps without a better validation loss after which training ends.
        batch_size: windows in a gradient step.
        learning_rate: of Adam.
        weight_average: decay of the running mean of the weights that is validated and kept; 0 for the weights
            themselves.
        clip_norm: largest norm of a member's gradient; None for no limit.
    """

    seed: Seed = 0
    max_steps: int | None = Field(None, ge=1, le=10**7)
    patience: int = Field(400, ge=1, le=10**7)
    batch_size: int | None = Field(None, ge=1, le=2**20)
    learning_rate: float | None = Field(None, gt=0, le=10)
    weight_average: float | None = Field(None, ge=0, lt=1)
    clip_norm: float | None = Field(1.0, gt=0, le=1e6)


class BudgetSpec(ParameterModel, frozen=True):
    """The limits of a retraining.

    Attributes:
        max_seconds: time after which the training of a network ends with its best weights; None for no limit.
        max_steps: largest number of steps; None for the number of a manual training.
    """

    max_seconds: float | None = Field(None, gt=0, le=1e7)
    max_steps: int | None = Field(None, ge=1, le=10**7)
