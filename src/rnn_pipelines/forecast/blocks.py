"""The blocks of parameters of `Forecaster`, so that an editor completes their names and values.

Each has the fields of the model that `list_parameter_models` names, which describes and checks them.
"""

from collections.abc import Sequence
from typing import Literal

# pydantic does not accept `typing.TypedDict` before Python 3.12.
from typing_extensions import TypedDict

Columns = str | Sequence[str]
Part = float | str | None

# A class cannot define `from`, a keyword of Python, by its name.
_SourceStart = TypedDict("_SourceStart", {"from": int | str | None}, total=False)


class SourceBlock(_SourceStart, total=False):
    """The columns and the form of tables: `FrameSpec`, without the fields that name another table."""

    time: str
    target: str
    id: str | None
    wide: bool
    series: Sequence[str]
    freq: int | str | None
    closed_days: Columns
    valid_range: tuple[float | None, float | None] | str | None
    time_format: str | None
    sep: str | None
    decimal: str | None
    thousands: str | None
    encoding: str | None
    sheet: str | None
    tz: str | None
    short_series: Literal["error", "drop", "forecast"] | None
    dead: Literal["keep", "drop"]
    min_length: int | None
    seed: int


class SplitBlock(TypedDict, total=False):
    """The sizes of the validation and test part: `SplitSpec`."""

    validation: Part
    test: Part


class WindowBlock(TypedDict, total=False):
    """The shape of windows: `OpenWindowSpec`."""

    lookback: int | None
    horizon: int | None
    stride: int


class CalendarBlock(TypedDict, total=False):
    """The harmonics of each cycle: `CalendarSpec`."""

    yearly: int | None
    weekly: int | None
    daily: int | None


class CovariateBlock(TypedDict, total=False):
    """The columns of covariates, and holidays: `CovariateSpec`."""

    future: Columns
    past: Columns
    static: Columns
    holidays: str | None
    path: str | None


class TrainingBlock(TypedDict, total=False):
    """The training of networks: `ForecastTrainingSpec`."""

    loss: Literal["auto", "squared", "absolute"]
    target: Literal["mean", "median", "both"]
    non_negative: Literal["auto", True, False]
    engine: Literal["auto", "numpy", "keras"]
    start: Literal["baseline_ensemble", "none"]
    seed: int
    max_steps: int | None
    patience: int
    batch_size: int | None
    learning_rate: float | None
    weight_average: float | None
    clip_norm: float | None


class EvaluationBlock(TypedDict, total=False):
    """The evaluation of forecasts: `EvaluationSpec`."""

    origins: Literal["rolling", "last"]
    season_length: int | None
    max_windows: int


class NetworkBlock(TypedDict, total=False):
    """A network: `NetworkSpec`."""

    cell: str
    units: int | Sequence[int] | str | None
    dropout: float
    members: int | None
    segment: int | None
    save_keras: bool


class PretrainedBlock(TypedDict, total=False):
    """The pretrained network: `PretrainedSpec`."""

    is_used: bool
    is_alone: bool
    network: Literal["gru", "lstm"]
    path: str | None


BLOCKS = {
    "source": SourceBlock,
    "split": SplitBlock,
    "window": WindowBlock,
    "calendar": CalendarBlock,
    "covariates": CovariateBlock,
    "training": TrainingBlock,
    "evaluation": EvaluationBlock,
    "lstm": NetworkBlock,
    "gru": NetworkBlock,
    "pretrained": PretrainedBlock,
}
