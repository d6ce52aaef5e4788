"""Tables of series on their way to windows, with the definitions of their columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

import pandas as pd

from rnn_pipelines.errors import SeriesError, show_all
from rnn_pipelines.forecast.series.columns import ROLES, Role
from rnn_pipelines.storage.tables import Column, Table


class SourceTable(Table):
    """Series as read, in the order of the rows of the source, which are numbered from 1.

    `unique_id` is the name of the series, `ds` a time or a whole-numbered step, `y` the value (float64, missing if the
    source has none), `signal` the noise-free value of a synthetic series. `unavailable` marks values that are unknown,
    see `source.unavailable`.
    """

    error = SeriesError
    unique_id = Column("text")
    ds = Column("moment")
    y = Column("float", can_be_empty=True)
    signal = Column("float", is_optional=True, can_be_empty=True)
    unavailable = Column("bool", is_optional=True)


class SeriesTable(SourceTable):
    """Usable series: sorted, with a row for every step from their first value to their last.

    `observed` is False if the source had no value; `y` is missing then if the gap was left open.
    """

    key = ("unique_id", "ds")
    is_sorted = True
    observed = Column("bool")


class CutoffsTable(Table):
    """The cut-offs between train, validation and test, one row per series.

    Positions in the series: train is [0, train_stop), validation [train_stop, validation_stop), test [validation_stop,
    num_steps). `validation_from` and `test_from` are their first times. A series that is only forecast has no part but
    train, for its scale alone; both times are then its last one.
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
    """Mean, population deviation (not 0) and lowest value of each series' training part, float64 in the unit of `y`."""

    error = SeriesError
    key = ("unique_id",)
    unique_id = Column("text")
    mean = Column("float")
    deviation = Column("float")
    lowest = Column("float")


Source = Annotated[pd.DataFrame, SourceTable]
Series = Annotated[pd.DataFrame, SeriesTable]
Cutoffs = Annotated[pd.DataFrame, CutoffsTable]
Scaler = Annotated[pd.DataFrame, ScalerTable]


class Profile(TypedDict):
    """The properties of repaired series, as stored in JSON.

    `freq` is a pandas offset alias or a whole number of steps, `season_length` the number of steps in its season,
    `lookback` and `horizon` the shape of windows. `first` and `last` are times as text. `tz` is the zone in which UTC
    times are shown (None: times are shown unchanged), `zone` the zone of the times as read (see `TimeZone`). `repairs`
    has one sentence for each kind of repair, `found` the parameters of the source that were detected from its file.
    `columns` names those of the table: `time`, `id`, `series` of a wide table, and `unread` ones; `form` is the form of
    the table (see `TableForm`). Both are empty for packaged series. `left_out` has the names of unusable series, `dead`
    of those that end long before the others, `not_evaluated` of those that are only forecast, without training,
    validation and test.
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
    columns: dict[str, Any]
    form: dict[str, Any]
    repairs: list[str]
    left_out: list[str]
    dead: list[str]
    not_evaluated: list[str]


@dataclass(frozen=True)
class Features:
    """Series with the steps to forecast, and the features of every step.

    A column of the table without a role or with several, or a named column that is missing, is a SeriesError.
    """

    # Columns of a `SeriesTable` and those named below. Each series continues beyond its last value with missing `y` and
    # False `observed`.
    table: pd.DataFrame
    calendar: tuple[
        str, ...
    ] = ()  # calendar features, also of the steps to forecast: float32, about -1 to 1
    # The columns of each role: float32, scaled; NaN beyond a series' end if unknown.
    covariates: Mapping[Role, Sequence[str]] = field(default_factory=dict)
    # The sines of the cycles whose number of harmonics was not given. Linear models may add more.
    open_calendar: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        named = [*self.calendar, *self.names]
        received = [column for column in self.table if column not in SeriesTable.columns]
        if sorted(named) != sorted(received):
            raise SeriesError(
                f"features: expected each column in one role: calendar {show_all(self.calendar)} or covariates "
                f"{show_all(self.names)}; received the columns {show_all(received)}."
            )

    @property
    def names(self) -> list[str]:
        """The covariates in the order of `Columns`."""
        return [name for role in ROLES for name in self.covariates.get(role, ())]

    @property
    def roles(self) -> list[Role]:
        """The role of each of these."""
        return [role for role in ROLES for _ in self.covariates.get(role, ())]
