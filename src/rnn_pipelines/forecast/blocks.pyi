"""The blocks of parameters of `Forecaster`, for editors. docs/generate.py writes this file."""

from collections.abc import Sequence
from typing import Literal, TypedDict

_SourceBlockStart = TypedDict("_SourceBlockStart", {"from": int | str | None}, total=False)

class SourceBlock(_SourceBlockStart, total=False):
    time: str
    target: str
    id: str | None
    wide: bool
    series: str | Sequence[str]
    freq: int | str | None
    closed_days: str | Sequence[str]
    valid_range: tuple[float | None, float | None] | str | None
    unavailable: str | None
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
    validation: int | float | str | None
    test: int | float | str | None

class WindowBlock(TypedDict, total=False):
    lookback: int | None
    horizon: int | None
    stride: int

class CalendarBlock(TypedDict, total=False):
    yearly: int | None
    weekly: int | None
    daily: int | None

class CovariatesBlock(TypedDict, total=False):
    future: str | Sequence[str]
    past: str | Sequence[str]
    static: str | Sequence[str]
    holidays: str | None
    path: str | None

class EvaluationBlock(TypedDict, total=False):
    origins: Literal["rolling", "last"]
    season_length: int | None
    max_windows: int

class TrainingBlock(TypedDict, total=False):
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

class PretrainedBlock(TypedDict, total=False):
    is_used: bool
    is_alone: bool
    network: Literal["gru", "lstm"]
    path: str | None

class LstmBlock(TypedDict, total=False):
    cell: str
    units: int | Sequence[int] | str | None
    dropout: float
    members: int | None
    segment: int | None
    save_keras: bool

class GruBlock(TypedDict, total=False):
    cell: str
    units: int | Sequence[int] | str | None
    dropout: float
    members: int | None
    segment: int | None
    save_keras: bool
