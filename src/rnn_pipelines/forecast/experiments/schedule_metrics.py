"""Results of a backtest: error and cost of each schedule, compared with simple methods."""

from typing import Any

from pydantic import BaseModel

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.evaluation.windows import measure_forecasters
from rnn_pipelines.forecast.experiments.schedule import Retrainings
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.reading.times import format_time


class Entry(BaseModel, extra="allow", frozen=True):
    """Results of a schedule or a simple method.

    Further fields are the plain-mean metrics, the ratios of means, and for a schedule those of its intervals, see
    `measure_intervals`.

    Attributes:
        name: of the schedule or method.
        mse: the deciding metric.
        p_value: of no difference from the squared errors of the reference; None for itself.
        num_trainings: None for simple methods, as are the other two.
        num_promotions: after the first.
        training_seconds: of all trainings.
    """

    name: str
    mse: float
    p_value: float | None
    num_trainings: int | None
    num_promotions: int | None
    training_seconds: float | None

    @property
    def numbers(self) -> dict[str, float | None]:
        """The metrics by name."""
        return {"mse": self.mse, **(self.model_extra or {})}


class BacktestResults(BaseModel, extra="forbid", frozen=True):
    """Results of a backtest, as in `results.json`.

    Attributes:
        num_forecasts: those with an actual and a forecast of every model.
        num_left_out: the others.
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
        keys = [key for entry in self.schedules for key in entry.model_extra or {} if key.startswith("coverage_")]
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
    """Compare schedules and simple methods over the forecasts that all of them have.

    Args:
        retrainings: `schedule, as_of, is_promoted, training_seconds`, one row for each.
    Returns:
        `BacktestResults` as JSON.
    Raises:
        SeriesError: no forecast can be evaluated.
    """
    evaluated = forecasts.keep(forecasts.errors.notna().all(axis=1))
    if evaluated.table.empty:
        raise SeriesError(
            "backtest_forecast.period: no forecast can be evaluated, because the period has no observed values, or the "
            "first champions were not trained on its series. Give a longer period."
        )
    counts = retrainings.groupby("schedule", sort=False)["as_of"].size()
    reference = str(counts.idxmin())
    table = evaluated.table
    numbers = measure_forecasters(evaluated, reference, int(table["horizon_step"].max()))
    entries = []
    for name in [*counts.index, *(name for name in METHODS if name in evaluated.forecasters)]:
        own = retrainings[retrainings["schedule"] == name]
        cost: dict[str, Any] = dict.fromkeys(("num_trainings", "num_promotions", "training_seconds"))
        if len(own):
            num_promotions, seconds = int(own["is_promoted"].iloc[1:].sum()), float(own["training_seconds"].sum())
            cost = {"num_trainings": len(own), "num_promotions": num_promotions, "training_seconds": seconds}
        entries.append(Entry(name=name, **cost, **numbers[name]))  # type: ignore[arg-type]
    return BacktestResults(
        num_forecasts=len(table),
        num_left_out=len(forecasts.table) - len(table),
        first_cutoff=format_time(table["cutoff"].min()),
        last_cutoff=format_time(table["cutoff"].max()),
        reference=reference,
        forecasters=entries,
    ).model_dump()
