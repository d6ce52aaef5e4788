"""The parameters of networks, their training and its limits; values that are not given are resolved from the data."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from rnn_pipelines.errors import show
from rnn_pipelines.forecast.methods.folds import list_past
from rnn_pipelines.forecast.methods.linear.layout import count_crossings, find_features
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.networks.network import NetworkStart
from rnn_pipelines.forecast.methods.objective import ObjectiveSpec
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.networks.specs import Seed, Units
from rnn_pipelines.parameter_models import ParameterModel

# A long window is read in segments of several steps, with at least this many segments.
MIN_SEGMENTS = 10
LONGEST_SINGLE_STEPS = 60
# Crossings of the middle in five cycles of a calendar feature. A network memorises features with fewer cycles.
FIVE_TIMES = 10
# A single series (True) or a panel with more windows has many.
MANY_WINDOWS = {True: 5_000, False: 20_000}
# Units, embedding, batch size and learning rate, by whether there is one series and whether it has many windows.
SIZES = {
    (True, False): (16, 0, 64, 0.005),
    (True, True): (16, 0, 256, 0.002),
    (False, False): (32, 32, 128, 0.004),
    (False, True): (64, 64, 256, 0.002),
}


def _require_network(cell: str) -> str:
    if cell not in NETWORKS:
        raise ValueError(f"expected one of {sorted(NETWORKS)}, received {show(cell)}")
    return cell


class NetworkSpec(ParameterModel, frozen=True):
    """One forecasting network. Values of None are resolved from the data.

    Attributes:
        cell: of the recurrent layer, by its name in `NETWORKS`.
        units: of the recurrent layer of each member, or of each layer of a stack, such as `[64, 32]`.
        dropout: share of the units of each recurrent layer whose outputs are dropped in a gradient step.
        members: number of networks whose corrections are averaged. If blocks of the past are held out in turn, there is
            one for each block.
        segment: steps of the series in one step of the recurrent layer.
        save_keras: whether a run of `forecast` also saves the network as a Keras model, which loads TensorFlow.
    """

    cell: Annotated[str, AfterValidator(_require_network)]
    units: Units = None
    dropout: float = Field(0.0, ge=0, lt=1)
    members: int | None = Field(None, ge=1, le=100)
    segment: int | None = Field(None, ge=1, le=10**6)
    save_keras: bool = False


class ForecastTrainingSpec(ObjectiveSpec, frozen=True):
    """The parameters of training. Values of None are resolved from the data.

    Attributes:
        loss, target: see `ObjectiveSpec`.
        start: the forecast that networks correct; `none` for networks that forecast from the window alone.
        seed: of the weights, the order of the batches and dropout. The same seed reproduces the same numbers.
        max_steps: largest number of gradient steps.
        patience: steps without a clearly better validation loss after which training ends.
        batch_size: windows in a gradient step.
        learning_rate: of Adam.
        weight_average: decay of the running mean of the weights that is validated and kept; 0 for the weights
            themselves.
        clip_norm: largest norm of a member's gradient; None for no limit.
        engine: library of the gradient steps. `auto` is NumPy, or Keras on a GPU for large networks, see
            `choose_engine`. Both take the same steps, within the rounding of float32.
    """

    engine: Literal["auto", "numpy", "keras"] = "auto"
    start: NetworkStart = "baseline_ensemble"
    seed: Seed = 0
    max_steps: int | None = Field(None, ge=1, le=10**7)
    patience: int = Field(200, ge=1, le=10**7)
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

    max_seconds: float | None = Field(default=None, gt=0, le=1e7)
    max_steps: int | None = Field(default=None, ge=1, le=10**7)


@dataclass(frozen=True)
class TrainingPlan:
    """Limits of a training."""

    budget: BudgetSpec = field(default_factory=BudgetSpec)  # time and steps
    # Folder of checkpoints, from which an interrupted training resumes; None for no checkpoints.
    checkpoints: Path | None = None


@dataclass(frozen=True)
class Hyperparameters:
    """The hyperparameters of a network and its training."""

    # of the recurrent layer of each member, or of each layer of a stack
    units: int | tuple[int, ...]
    dropout: float  # see `NetworkSpec`
    embedding: int  # units of the dense layer before them; 0 for none
    num_members: int  # networks whose corrections are averaged
    segment: int  # steps of the series that are read as one
    calendar: tuple[int, ...]  # numbers of the calendar features at each step of the window, from 0
    # `batch_size`, `learning_rate`, `weight_average`, `max_steps` and `patience`: see `ForecastTrainingSpec`.
    batch_size: int
    learning_rate: float
    weight_average: float
    max_steps: int
    patience: int
    is_absolute: bool  # whether to minimise the absolute error instead of the squared one


def resolve_hyperparameters(
    panel: WindowedPanel, linear: LinearModels, network: NetworkSpec, training: ForecastTrainingSpec
) -> Hyperparameters:
    """Resolve hyperparameters: a small network for a single series, a larger one for a panel."""
    is_single = linear.kind == "series"
    past = list_past(panel)
    features = panel.values[past.min(initial=0) : past.max(initial=-1) + 1, panel.columns.calendar]
    calendar = find_features(count_crossings(features) >= FIVE_TIMES) if is_single else ()
    units, embedding, batch_size, learning_rate = SIZES[
        is_single, len(past) > MANY_WINDOWS[is_single]
    ]
    num_members = network.members or (5 if is_single and not linear.is_forward else 3)
    if linear.is_enough and not linear.is_forward:
        # One member for each block that is held out.
        num_members = len(linear.begins)
    weight_average = training.weight_average
    if weight_average is None:
        weight_average = 0.98 if is_single else 0.99
    return Hyperparameters(
        units=network.units or units,
        dropout=network.dropout,
        embedding=embedding,
        num_members=num_members,
        segment=network.segment or _choose_segment(panel.lookback, panel.season_length, is_single),
        calendar=tuple(int(number) for number in calendar),
        batch_size=training.batch_size or batch_size,
        learning_rate=training.learning_rate or learning_rate,
        weight_average=weight_average,
        max_steps=training.max_steps or (2_500 if is_single else 1_000),
        patience=training.patience,
        is_absolute=linear.is_absolute,
    )


def _choose_segment(lookback: int, season_length: int, is_single: bool) -> int:
    if not is_single:
        has_seasons = lookback >= 2 * season_length and season_length > 1
        return season_length if has_seasons else max(1, lookback // MIN_SEGMENTS)
    if lookback < LONGEST_SINGLE_STEPS:
        return 1
    divisors = [steps for steps in range(1, season_length + 1) if season_length % steps == 0]
    fitting = [steps for steps in divisors if lookback >= MIN_SEGMENTS * steps]
    return max([1, *fitting]) if season_length > 1 else lookback // MIN_SEGMENTS
