"""Schedules of a backtest, the days of their retrainings, and results: error and cost beside simple methods."""

from typing import Annotated, Any, Literal, get_args

import pandas as pd
from pydantic import BaseModel, Field, field_validator

from rnn_pipelines.errors import SeriesError, show_all
from rnn_pipelines.forecast.evaluation.windows import measure_forecasters
from rnn_pipelines.forecast.methods.predictions import Predictions, TargetsTable
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.source.as_of import AsOfSpec
from rnn_pipelines.forecast.times.offsets import add_steps
from rnn_pipelines.parameter_models import ParameterModel, expect
from rnn_pipelines.reading.times import format_time
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
    def _validate_schedule_names(
        cls, schedules: dict[str, ScheduleSpec]
    ) -> dict[str, ScheduleSpec]:
        if taken := sorted({*TargetsTable.columns, *METHODS} & set(schedules)):
            raise ValueError(
                f"expected names that no other column of the forecasts has, received {show_all(taken)}"
            )
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
    loss = champion_loss = Column("float", can_be_empty=True)
    training_seconds = Column("float")


Retrainings = Annotated[pd.DataFrame, RetrainingsTable]


def move(day: Any, span: Span | int, number: int, freq: int | str) -> Any:
    """Return the day so many spans later; earlier for a negative number."""
    if isinstance(span, int):
        return add_steps(day, number * span, freq)
    if not isinstance(day, pd.Timestamp):
        facts = f"the series have steps instead of dates, received the time span {span}"
        raise SeriesError(f"backtest_forecast: {facts}. Give period and every as numbers of steps.")
    return day + number * pd.DateOffset(**{f"{span}s": 1})


def list_days(first: Any, end: Any, every: Span | int | None, freq: int | str) -> tuple[Any, ...]:
    """Return the days of the retrainings from the first day on, followed by the end, which allows no evaluation."""
    days = [first]
    while every is not None and (day := move(first, every, len(days), freq)) < end:
        days.append(day)
    return (*days, end)


class Entry(BaseModel, extra="allow", frozen=True):
    """Results of a schedule or a simple method; further fields are its metrics, and of schedules `measure_intervals`.

    The deciding metric is `mse`. `p_value` is that of no difference from the squared errors of the reference, None for
    itself. Trainings, promotions after the first, and seconds are None for simple methods.
    """

    name: str
    mse: float
    p_value: float | None
    num_trainings: int | None
    num_promotions: int | None
    training_seconds: float | None


class BacktestResults(BaseModel, extra="forbid", frozen=True):
    """Results of a backtest, as in `results.json`.

    Attributes:
        num_forecasts, num_left_out: those with an actual and a forecast of every model, and the others.
        first_cutoff, last_cutoff: of the evaluated forecasts, as text.
        reference: the schedule with the fewest trainings.
        forecasters: one entry for each schedule, then one for each simple method.
    """

    num_forecasts: int
    num_left_out: int
    first_cutoff: str
    last_cutoff: str
    reference: str
    forecasters: list[Entry]

    @property
    def levels(self) -> list[int]:
        """The levels of the intervals, in percent."""
        keys = [
            key
            for entry in self.schedules
            for key in entry.model_extra or {}
            if key.startswith("coverage_")
        ]
        return sorted({int(key.removeprefix("coverage_")) for key in keys})

    @property
    def schedules(self) -> list[Entry]:
        """The entries of schedules."""
        return [entry for entry in self.forecasters if entry.num_trainings is not None]

    @property
    def baselines(self) -> list[Entry]:
        """The entries of simple methods."""
        return [entry for entry in self.forecasters if entry.num_trainings is None]


def summarize_backtest(forecasts: Predictions, retrainings: Retrainings) -> dict[str, Any]:
    """Compare schedules and simple methods over the forecasts that all of them have: `BacktestResults` as JSON.

    Raises:
        SeriesError: no forecast can be evaluated.
    """
    evaluated = forecasts.keep(forecasts.errors.notna().all(axis=1))
    if evaluated.table.empty:
        fact = "backtest_forecast.period: no forecast can be evaluated"
        reason = "the period has no observed values, or the first champions were not trained on its series"
        raise SeriesError(f"{fact}, because {reason}. Give a longer period.")
    counts = retrainings.groupby("schedule", sort=False)["as_of"].size()
    reference = str(counts.idxmin())
    table = evaluated.table
    numbers = measure_forecasters(evaluated, reference, int(table["horizon_step"].max()))
    entries = []
    for name in [*counts.index, *(name for name in METHODS if name in evaluated.forecasters)]:
        rows = retrainings[retrainings["schedule"] == name]
        cost: dict[str, Any] = dict.fromkeys(
            ("num_trainings", "num_promotions", "training_seconds")
        )
        if len(rows):
            num_promotions = int(rows["is_promoted"].iloc[1:].sum())
            seconds = float(rows["training_seconds"].sum())
            cost = {
                "num_trainings": len(rows),
                "num_promotions": num_promotions,
                "training_seconds": seconds,
            }
        entries.append(Entry(name=name, **cost, **numbers[name]))  # type: ignore[arg-type]
    return BacktestResults(
        num_forecasts=len(table),
        num_left_out=len(forecasts.table) - len(table),
        first_cutoff=format_time(table["cutoff"].min()),
        last_cutoff=format_time(table["cutoff"].max()),
        reference=reference,
        forecasters=entries,
    ).model_dump()
