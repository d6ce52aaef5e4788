"""The networks of a comparison. Does not import Keras, so that parameters are checked before it loads."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field, field_validator, model_validator

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.errors import TaskError, show
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.report.styles import CELL_STYLES, Style

# The largest difference between the numbers of recurrent weights, as a share of the largest number.
BUDGET_TOLERANCE = 0.06


@dataclass(frozen=True)
class CellKind:
    """A kind of recurrent layer: its name in `keras.layers` or `networks.layers`, and its style in the report.

    `count_weights` returns its number of weights, given the numbers of inputs and units. `options` are the parameters
    of `ContenderSpec` that the layer has.
    """

    layer: str
    style: Style
    count_weights: Callable[[int, int], int]
    options: Sequence[str] = ("activation",)


# A simple recurrent layer has no gates: its new state is computed like the candidate of the other cells.
NETWORKS = {
    "rnn": CellKind(
        "SimpleRNN", CELL_STYLES["rnn"], lambda num_inputs, units: units * (num_inputs + units + 1)
    )
}
NETWORKS |= {
    name: CellKind(cell.keras_layer, CELL_STYLES[name], cell.count_weights, cell.options)
    for name, cell in CELLS.items()
}


class ContenderSpec(ParameterModel, frozen=True):
    """One network of a comparison: a recurrent layer and a linear head.

    Attributes:
        cell: kind of the recurrent layer, one of `NETWORKS`; `rnn` is the simple RNN, without gates.
        units: width of the recurrent layer.
        activation: activation of the cell's candidate and output.
        unit_forget_bias: whether an LSTM's forget gate starts with the bias 1 instead of 0.
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
        options = NETWORKS[self.cell].options
        if not self.unit_forget_bias and "unit_forget_bias" not in options:
            raise ValueError(
                f"unit_forget_bias is for the cell lstm; {self.cell} has no forget gate"
            )
        if self.activation != "tanh" and "activation" not in options:
            raise ValueError(f"activation: the cell {self.cell} has none; leave it out")
        return self


def check_budgets(
    name: str, contenders: Mapping[str, ContenderSpec], num_inputs: int
) -> dict[str, int]:
    """Return the number of recurrent weights of each network: kernel, recurrent kernel and bias.

    Numbers that differ too much for a fair comparison raise a TaskError.
    """
    weights = {
        key: NETWORKS[spec.cell].count_weights(num_inputs, spec.units)
        for key, spec in contenders.items()
    }
    if min(weights.values()) < (1 - BUDGET_TOLERANCE) * max(weights.values()):
        raise TaskError(
            f"task {show(name)}: expected numbers of recurrent weights within {100 * BUDGET_TOLERANCE:.0f} % of each "
            f"other, received {', '.join(f'{key} {number:,}' for key, number in weights.items())} with "
            f"{num_inputs} inputs. Change the units of compare.tasks.{name}.contenders."
        )
    return weights
