"""When a backtest retrains: schedules, and the days that they come to."""

from typing import Annotated, Any, Literal, get_args

import pandas as pd
from pandas.tseries.frequencies import to_offset
from pydantic import Field, field_validator

from rnn_pipelines.errors import SeriesError, show_all
from rnn_pipelines.forecast.methods.predictions import TargetsTable
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.series.as_of import AsOfSpec
from rnn_pipelines.parameter_models import ParameterModel, expect
from rnn_pipelines.storage.tables import Column, Table

Span = Literal["day", "week", "month", "year"]
NumSteps = Annotated[int, Field(ge=1, le=10**6, strict=True)]
EXPECTED = f"{', '.join(get_args(Span))}, or a number of steps from 1 on"


class ScheduleSpec(ParameterModel, frozen=True):
    """How often a challenger is trained.

    Attributes:
        every: time, or number of steps, between retrainings; None for the first training alone.
    """

    every: Annotated[Span | NumSteps | None, expect(f"{EXPECTED}, or null")] = None


class BacktestSpec(AsOfSpec, frozen=True):
    """What is replayed; data, networks and training are those of `forecast`, the policy that of `retrain_forecast`.

    Attributes:
        period: newest part of the series that is forecast: a time, or a number of steps.
        schedules: by name.
    """

    period: Annotated[Span | NumSteps, expect(EXPECTED)] = "year"
    schedules: dict[str, ScheduleSpec] = Field(min_length=1)

    @field_validator("schedules")
    @classmethod
    def _validate_schedule_names(cls, schedules: dict[str, ScheduleSpec]) -> dict[str, ScheduleSpec]:
        taken = sorted({*TargetsTable.columns, *METHODS} & set(schedules))
        if taken:
            raise ValueError(f"expected names that no other column of the forecasts has, received {show_all(taken)}")
        return schedules


class RetrainingsTable(Table):
    """One row for each retraining of a backtest.

    `loss` and `champion_loss` are of what both forecast of the holdout of that day, missing where the training failed;
    `reason` says why the challenger was promoted or kept back.
    """

    schedule = Column("text")
    as_of = Column("moment")
    is_promoted = Column("bool")
    reason = Column("text")
    loss = Column("float", can_be_empty=True)
    champion_loss = Column("float", can_be_empty=True)
    training_seconds = Column("float")


Retrainings = Annotated[pd.DataFrame, RetrainingsTable]


def go_back(end: Any, period: Span | int, freq: int | str) -> Any:
    """The day from which the period reaches to the end."""
    return end - period * _find_step(freq) if isinstance(period, int) else end - _find_span(end, period)


def list_days(first: Any, end: Any, every: Span | int | None, freq: int | str) -> tuple[Any, ...]:
    """From the first day on; the end, on which no forecast could be judged, closes them."""
    days = [first]
    while every is not None:
        number = len(days)
        span = number * every * _find_step(freq) if isinstance(every, int) else number * _find_span(end, every)
        if first + span >= end:
            break
        days.append(first + span)
    return (*days, end)


def _find_step(freq: int | str) -> Any:
    return freq if isinstance(freq, int) else to_offset(freq)


def _find_span(end: Any, span: Span) -> pd.DateOffset:
    if not isinstance(end, pd.Timestamp):
        raise SeriesError(
            f"backtest_forecast: the series have steps and no dates, so that a {span} means nothing to them. "
            "Give period and every as numbers of steps."
        )
    return pd.DateOffset(**{f"{span}s": 1})
