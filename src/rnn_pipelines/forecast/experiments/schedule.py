"""Schedules of a backtest, and the days of their retrainings."""

from typing import Annotated, Any, Literal, get_args

import pandas as pd
from pydantic import Field, field_validator

from rnn_pipelines.errors import SeriesError, show_all
from rnn_pipelines.forecast.methods.predictions import TargetsTable
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.source.as_of import AsOfSpec
from rnn_pipelines.forecast.times.offsets import add_steps
from rnn_pipelines.parameter_models import ParameterModel, expect
from rnn_pipelines.storage.tables import Column, Table

Span = Literal["day", "week", "month", "year"]
NumSteps = Annotated[int, Field(ge=1, le=10**6, strict=True)]
EXPECTED = f"{', '.join(get_args(Span))}, or a number of steps from 1 on"


class ScheduleSpec(ParameterModel, frozen=True):
    """The frequency of retraining.

    Attributes:
        every: time span or number of steps between retrainings; None for the first training only.
    """

    every: Annotated[Span | NumSteps | None, expect(f"{EXPECTED}, or null")] = None


class BacktestSpec(AsOfSpec, frozen=True):
    """Parameters of a backtest.

    Data, networks and training are those of `forecast`, the policy is that of `retrain_forecast`.

    Attributes:
        period: newest part of the series to forecast: a time span or a number of steps.
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

    `loss` and `champion_loss` are those of the holdout rows that both forecast, missing if the training failed.
    `reason` explains the decision on the challenger.
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
    """Return the first day of the period."""
    return add_steps(end, -period, freq) if isinstance(period, int) else end - _find_span(end, period)


def list_days(first: Any, end: Any, every: Span | int | None, freq: int | str) -> tuple[Any, ...]:
    """Return the days of the retrainings from the first day on, followed by the end, which allows no evaluation."""
    days = [first]
    while every is not None:
        number = len(days)
        day = (
            add_steps(first, number * every, freq)
            if isinstance(every, int)
            else first + number * _find_span(end, every)
        )
        if day >= end:
            break
        days.append(day)
    return (*days, end)


def _find_span(end: Any, span: Span) -> pd.DateOffset:
    if not isinstance(end, pd.Timestamp):
        raise SeriesError(
            f"backtest_forecast: the series have steps instead of dates, received the time span {span}. "
            "Give period and every as numbers of steps."
        )
    return pd.DateOffset(**{f"{span}s": 1})
