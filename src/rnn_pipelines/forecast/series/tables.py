"""The tables of a series on their way to windows: what their columns are is said here, and nowhere else."""

from dataclasses import dataclass
from typing import Annotated, Any, TypedDict

import pandas as pd

from rnn_pipelines.errors import SeriesError, show_all
from rnn_pipelines.storage.tables import Column, Table


class SourceTable(Table):
    """A series as it was read, in the order of its rows, which are labelled from 1 as in the source.

    `unique_id` names the series, `ds` is a time or a whole-numbered step, `y` the value (float64, missing where the
    source has none), `signal` the noise-free value of a synthetic series.
    """

    error = SeriesError
    unique_id = Column("text")
    ds = Column("moment")
    y = Column("float", can_be_empty=True)
    signal = Column("float", is_optional=True, can_be_empty=True)


class SeriesTable(SourceTable):
    """Series that can be used: sorted, and with a row for every step from their first value to their last.

    `observed` is False where the source had no value; `y` is missing there if the gap was left open.
    """

    key = ("unique_id", "ds")
    is_sorted = True
    observed = Column("bool")


class CutoffsTable(Table):
    """Where train, validation and test of each series begin, one row for each.

    Positions in the series: train is [0, train_stop), validation [train_stop, validation_stop), test
    [validation_stop, num_steps). `validation_from` and `test_from` are their first times. A series that is forecast
    without being judged has no other part than train, for its scale alone; these times are its last one then.
    """

    error = SeriesError
    key = ("unique_id",)
    unique_id = Column("text")
    num_steps = Column("int")
    train_stop = Column("int")
    validation_stop = Column("int")
    validation_from = Column("moment", is_optional=True)
    test_from = Column("moment", is_optional=True)


class ScalerTable(Table):
    """Mean and population deviation (not 0) of each series' training part, float64 in the unit of `y`."""

    error = SeriesError
    key = ("unique_id",)
    unique_id = Column("text")
    mean = Column("float")
    deviation = Column("float")


Source = Annotated[pd.DataFrame, SourceTable]
Series = Annotated[pd.DataFrame, SeriesTable]
Cutoffs = Annotated[pd.DataFrame, CutoffsTable]
Scaler = Annotated[pd.DataFrame, ScalerTable]


class Profile(TypedDict):
    """What is known of some series once they are repaired, as JSON holds it.

    `freq` is a pandas offset alias or a whole number of steps, `season_length` the steps in a season of it, `lookback`
    and `horizon` the shape of windows, `first` and `last` are times as text, `tz` the zone in which times are shown
    that are UTC (None: they are shown as they are), `zone` the zone of the times as they were read (see `TimeZone`),
    `repairs` has one sentence for each kind of repair, `found` the parameters of the source that were found from its
    file; `left_out` names the series that can't be used, `unjudged` those that are forecast
    and take no part in training, validation and test.
    """

    source: str
    target: str
    freq: int | str
    season_length: int
    lookback: int
    horizon: int
    num_series: int
    num_steps: int
    first: str
    last: str
    tz: str | None
    zone: dict[str, Any]
    found: dict[str, str]
    repairs: list[str]
    left_out: list[str]
    unjudged: list[str]


@dataclass(frozen=True)
class Features:
    """Series with the steps to be forecast, and what else is known of every step; each column says when it is known.

    Attributes:
        table: a `SeriesTable`'s columns and those named below. Each series goes on beyond its last value, where `y` is
            missing and `observed` False.
        known: features of the calendar, known ahead, also of the steps to be forecast: float32, about -1 to 1.
        future: covariates that are known ahead: float32, scaled; NaN beyond a series' end where nothing is known.
        past: covariates that are observed, and of which nothing is known ahead: NaN beyond a series' end.
        static: covariates that are the same at every step of a series.
    Raises:
        SeriesError: a column of the table is not named, or a named one is not there.
    """

    table: pd.DataFrame
    known: tuple[str, ...] = ()
    future: tuple[str, ...] = ()
    past: tuple[str, ...] = ()
    static: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        named = [*self.known, *self.future, *self.past, *self.static]
        others = [column for column in self.table if column not in SeriesTable.columns]
        if sorted(named) != sorted(others):
            known = [*self.known, *self.future]
            raise SeriesError(
                f"features: expected each column to be known ahead {show_all(known)}, observed in the past "
                f"{show_all(self.past)} or static {show_all(self.static)}, once; received the columns "
                f"{show_all(others)}."
            )
