"""The parameters of the pretrained network, and of its training."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from rnn_pipelines.errors import show
from rnn_pipelines.forecast.pretrained.kinds import PARTS
from rnn_pipelines.networks.specs import Seed
from rnn_pipelines.parameter_models import ParameterModel


def _check_part(name: str) -> str:
    if name not in PARTS:
        raise ValueError(f"expected one of {PARTS}, received {show(name)}")
    return name


class PretrainedSpec(ParameterModel, frozen=True):
    """The pretrained network. `false` stands for `is_used: false`.

    Attributes:
        is_used: whether it is one of the methods.
        is_alone: whether neither networks nor boosted trees are fitted to the table.
        network: the one with a GRU, or with an LSTM.
        path: folder that `kedro run --pipelines=pretrain` wrote; None for the network of the package.
    """

    is_used: bool = True
    is_alone: bool = False
    network: Literal["gru", "lstm"] = "gru"
    path: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _read_switch(cls, block: Any) -> Any:
        return {"is_used": block} if isinstance(block, bool) else block


class PretrainSpec(ParameterModel, frozen=True):
    """How a network is trained on generated series.

    Attributes:
        units: of the recurrent layer; 0 for the head alone.
        hidden: units of the head's two layers.
        batch_size: windows of one step.
        num_steps: gradient steps.
        learning_rate: at its highest; it falls to 0 along a cosine.
        weight_average: decay of the running mean of the weights, which is what is kept.
        seed: of series and initial weights.
        left_out: parts of the generator that are left out.
    """

    units: int = Field(64, ge=0, le=4096)
    hidden: int = Field(192, ge=1, le=4096)
    batch_size: int = Field(128, ge=1, le=1024)
    num_steps: int = Field(16_000, ge=1, le=10**7)
    learning_rate: float = Field(2e-3, gt=0, le=1)
    weight_average: float = Field(0.998, ge=0, lt=1)
    seed: Seed = 0
    left_out: tuple[Annotated[str, AfterValidator(_check_part)], ...] = ()
