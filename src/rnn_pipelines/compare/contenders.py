"""The networks that compete; free of Keras, so that parameters are checked before it loads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Literal

from pydantic import Field, field_validator, model_validator

from rnn_pipelines.cells.conventions import count_weights
from rnn_pipelines.errors import TaskError, show
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.report.styles import CELLS, Style

# How far apart the numbers of recurrent weights may be, as a share of the largest.
BUDGET_TOLERANCE = 0.06


@dataclass(frozen=True)
class CellKind:
    """A kind of recurrent layer.

    Attributes:
        layer: its name in `keras.layers`.
        style: how its networks appear in the report.
        count_weights: its number of weights, from the numbers of inputs and units.
        has_forget_gate: whether it has one, whose first bias can be chosen.
    """

    layer: str
    style: Style
    count_weights: Callable[[int, int], int]
    has_forget_gate: bool = False


NETWORKS = {
    "rnn": CellKind("SimpleRNN", CELLS["rnn"], partial(count_weights, "rnn")),
    "lstm": CellKind("LSTM", CELLS["lstm"], partial(count_weights, "lstm"), has_forget_gate=True),
    "gru": CellKind("GRU", CELLS["gru"], partial(count_weights, "gru")),
}


class ContenderSpec(ParameterModel, frozen=True):
    """One network of a comparison: a recurrent layer and a linear head.

    Attributes:
        cell: kind of the recurrent layer, one of `NETWORKS`; `rnn` is the simple one, without gates.
        units: its width.
        activation: of the candidate and the output of the cell.
        unit_forget_bias: an LSTM's forget gate starts with the bias 1; else with 0.
    """

    cell: str
    units: int = Field(ge=1, le=4096)
    activation: Literal["tanh", "relu"] = "tanh"
    unit_forget_bias: bool = True

    @field_validator("cell")
    @classmethod
    def _validate_cell(cls, cell: str) -> str:
        if cell not in NETWORKS:
            raise ValueError(f"expected one of {', '.join(NETWORKS)}, received {show(cell)}")
        return cell

    @model_validator(mode="after")
    def _validate_forget_bias(self) -> "ContenderSpec":
        if not self.unit_forget_bias and not NETWORKS[self.cell].has_forget_gate:
            raise ValueError(f"unit_forget_bias is for the cell lstm; {self.cell} has no forget gate")
        return self


def check_budgets(name: str, contenders: Mapping[str, ContenderSpec], num_inputs: int) -> dict[str, int]:
    """The numbers of recurrent weights: kernel, recurrent kernel and bias.

    Args:
        name: of the task.
        contenders: its networks.
        num_inputs: features of a step.
    Raises:
        TaskError: they are too far apart for a fair comparison.
    """
    weights = {key: NETWORKS[spec.cell].count_weights(num_inputs, spec.units) for key, spec in contenders.items()}
    if min(weights.values()) < (1 - BUDGET_TOLERANCE) * max(weights.values()):
        raise TaskError(
            f"task {show(name)}: expected numbers of recurrent weights within {100 * BUDGET_TOLERANCE:.0f} % of each "
            f"other, received {', '.join(f'{key} {number:,}' for key, number in weights.items())} with "
            f"{num_inputs} inputs. Change the units."
        )
    return weights
