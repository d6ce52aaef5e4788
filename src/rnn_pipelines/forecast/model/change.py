"""Why a forecast changed from one night to the next, as an exact sum of parts.

`day_ahead` is the change that would remain if every new value had come as it was forecast. From there to tonight's
forecast, the other parts are Shapley values: the mean effect of a part over all orders in which the parts can be
exchanged. So the order does not matter, and the parts sum to the change. A new value counts by its news, the value less
its forecast.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import combinations
from math import factorial
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, count
from rnn_pipelines.forecast.model.artefact import FORECAST, Forecaster, make_cutoff_windows
from rnn_pipelines.forecast.model.newest import find_ends, include_new_series
from rnn_pipelines.forecast.model.nights import KEY, Night, mix_covariates, mix_values
from rnn_pipelines.forecast.model.recursion import count_ahead, forecast_recursively
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.forecast.source.frames import restore_ids
from rnn_pipelines.reading.zones import show_local, show_table

PARTS = (NEW, REVISED, COVARIATES, VERSION) = (
    "new_values",
    "revised_values",
    "covariates",
    "version",
)
DAY_AHEAD = "day_ahead"
VALUES = ("unique_id", "kind", "time", "value", "expected", "ds", "effect")
NEWS = ("num_new", "num_low", "num_revised")
# New and revised values of a series, each, that are exchanged alone to find the one with the largest effect.
NUM_CANDIDATES = 3
# The largest number of series that are explained; 1,000 take about 20 seconds.
MAX_SERIES = 1_000

Parts = frozenset[str]


@dataclass(frozen=True)
class Change:
    """The change of the forecasts of the dates that both nights forecast, in the unit of `y`.

    Attributes:
        table: `unique_id, ds, before, after, change`, the parts of `PARTS` and `day_ahead`, which sum to the change;
            float64, NaN if unknown.
        values: the new and the revised value of each series with the largest effect if it is exchanged alone:
            `unique_id, kind` (`new` or `revised`), `time, value, expected` (its forecast, or the value before),
            and `ds, effect` for each date.
        news: by `unique_id`: `num_new, num_low` (below their forecast) and `num_revised` values.
        notes: what is missing, in sentences.
        sentence: the mean change with its parts, see `write_change`.
    """

    table: pd.DataFrame
    values: pd.DataFrame
    news: pd.DataFrame
    versions: tuple[str, str]
    notes: tuple[str, ...] = ()
    sentence: str = ""

    def __str__(self) -> str:
        """Return the sentence, and what is missing."""
        return " ".join([self.sentence, *self.notes])


@dataclass(frozen=True)
class _Pair:
    """Two nights, with their values and covariates side by side, see `mix_values` and `mix_covariates`."""

    before: Night
    after: Night
    rows: pd.DataFrame
    covariates: tuple[pd.DataFrame | None, pd.DataFrame | None]
    is_active: pd.DataFrame

    def forecast(
        self, parts: Parts, ids: pd.Index, exchanged: pd.Series | None = None
    ) -> pd.Series:
        """Forecast after tonight's series with tonight's state of some parts; `exchanged` has other values by row."""
        rows = self.rows[self.rows["unique_id"].isin(ids)]
        past = "after" if REVISED in parts else "before"
        is_new = rows["is_new"]
        y = rows[f"y_{past}"].mask(is_new, rows["expected"])
        observed = rows[f"observed_{past}"] | is_new
        if NEW in parts:
            y = y.mask(is_new, rows["y_after"])
            observed = observed.mask(is_new, rows["observed_after"])
        if exchanged is not None:
            y = exchanged.reindex(y.index).fillna(y)
        series = rows[KEY].assign(y=y, observed=observed.astype(bool))[rows[f"in_{past}"] | is_new]
        night = self.after if VERSION in parts else self.before
        return _forecast(night.forecaster, series, self.covariates[COVARIATES in parts])


def explain_change(
    before: Night, after: Night, most: int = MAX_SERIES, changes: pd.Series | None = None
) -> Change:
    """Explain the changes of the forecasts of the series that both nights have.

    Args:
        most: number of series, those with the largest changes.
        changes: the largest change of each series, by `unique_id`, so that only `most` series are forecast again; a
            series without one comes last. None if they are unknown, and all series are forecast again.
    Raises:
        SeriesError: no date of any series is forecast by both nights.
    """
    ids = pd.Index(before.series["unique_id"].unique()).intersection(
        after.series["unique_id"].unique()
    )
    chosen = ids if changes is None else changes.reindex(ids, fill_value=0.0).nlargest(most).index
    nights = [night.keep(chosen) for night in (before, after)]
    forecasts = [_forecast(night.forecaster, night.series, night.covariates) for night in nights]
    table = pd.concat(forecasts, axis=1, join="inner", keys=["before", "after"]).sort_index()
    # A forecast that is not finite is the monitor's business, and has no change.
    table = table[np.isfinite(table).all(axis=1)]
    if table.empty:
        reason = "they have no series in common, or more than a horizon lies between their ends"
        raise SeriesError(f"no date is forecast by both nights: {reason}.")
    table = table.assign(change=table["after"] - table["before"])
    chosen = table["change"].abs().groupby(level=0).max().nlargest(most).index
    table = table[table.index.isin(chosen, level=0)]
    notes = [*_compare(before, after, len(ids), len(chosen))]
    before, after = (night.keep(chosen) for night in nights)
    parts = pd.DataFrame(np.nan, table.index, [*PARTS, DAY_AHEAD])
    values = pd.DataFrame(columns=list(VALUES))
    news = pd.DataFrame(columns=["unique_id", *NEWS])
    try:
        pair = _lay_out(before, after)
        parts = _find_parts(pair, table)
        values = _name_values(pair, table["after"])
        rows = pair.rows
        is_new = pair.rows["is_new"] & pair.rows["observed_after"]
        counts = (is_new, is_new & (rows["y_after"] < rows["expected"]), rows["is_revised"])
        news = rows[["unique_id"]].assign(**dict(zip(NEWS, counts, strict=True)))
        news = news.groupby("unique_id").sum().reset_index()
        if num_unknown := int(parts[DAY_AHEAD].isna().groupby(level=0).any().sum()):
            names = count(num_unknown, "series", "series")
            notes.append(
                f"The parts of {names} are unknown: too many values are new, or there is a gap."
            )
    except SeriesError as error:
        notes.append(f"The parts are unknown: {error}")
    table = pd.concat([table, parts], axis=1).reset_index()
    return Change(table, values, news, (before.version, after.version), tuple(notes))


def _compare(before: Night, after: Night, num_both: int, num_explained: int) -> Iterator[str]:
    """Yield sentences on what differs between the nights, and what is left out."""
    horizons = [night.forecaster.settings.horizon for night in (before, after)]
    if horizons[0] != horizons[1]:
        yield f"The horizon was {horizons[0]} and is {horizons[1]}: only dates of both are compared."
    for one, other in ((before, "tonight"), (after, "the night before")):
        if num := one.series["unique_id"].nunique() - num_both:
            yield f"{count(num, 'series', 'series')} had no forecast {other}."
    if num_both > num_explained:
        yield f"Explained are the {num_explained:,} of {num_both:,} series whose forecasts changed most."


def _lay_out(before: Night, after: Night) -> _Pair:
    """Lay both nights and the forecasts of new values side by side; a SeriesError if more than weights differ."""
    pairs = [(night.forecaster.settings.freq, night.forecaster.coding) for night in (before, after)]
    (freq, coding), (other_freq, other_coding) = pairs
    if freq != other_freq:
        raise SeriesError(f"the steps were '{freq}' and are '{other_freq}'.")
    roles, other_roles = (
        {column.name: column.role for column in one.columns} for one in (coding, other_coding)
    )
    if roles != other_roles:
        names = [
            ", ".join(f"{name} ({role})" for name, role in one.items()) or "none"
            for one in (roles, other_roles)
        ]
        raise SeriesError(f"the covariates were {names[0]}, and are {names[1]}.")
    rows = mix_values(before.series, after.series)
    (*covariates, changed) = mix_covariates(before, after)
    num_new = rows["is_new"].groupby(rows["unique_id"]).sum()
    rows["expected"] = np.nan
    if num_new.max():
        # Beyond the horizon, past covariates are unknown, and so is the forecast of a new value.
        most = (
            before.forecaster.settings.horizon
            if coding.list_columns(["past"])
            else int(num_new.max())
        )
        expected = _forecast(before.forecaster, before.series, covariates[0], most)
        rows["expected"] = expected.reindex(pd.MultiIndex.from_frame(rows[KEY])).to_numpy()
    is_active = pd.DataFrame(
        {NEW: num_new > 0, REVISED: rows["is_revised"].groupby(rows["unique_id"]).any()}
    )
    is_active[COVARIATES] = is_active.index.isin(changed)
    is_active[VERSION] = before.version != after.version
    return _Pair(before, after, rows, (covariates[0], covariates[1]), is_active)


def _forecast(
    forecaster: Forecaster,
    series: Series,
    covariates: pd.DataFrame | None,
    num_steps: int | None = None,
) -> pd.Series:
    """Return the forecasts after each series' end, by `unique_id, ds`: float64, in the unit of `y`."""
    # Bounds have no part in a change.
    forecaster = include_new_series(replace(forecaster, intervals=None), series, covariates)
    num_steps = num_steps or forecaster.settings.horizon
    series = series[series["unique_id"].isin(forecaster.scaler["unique_id"])]
    num_ahead = count_ahead(forecaster, num_steps)
    panel, features, _ = make_cutoff_windows(
        forecaster, series, find_ends(series), covariates, num_ahead
    )
    return forecast_recursively(forecaster, panel, features, num_steps).set_index(KEY)[FORECAST]


def _find_parts(pair: _Pair, table: pd.DataFrame) -> pd.DataFrame:
    """Return the parts of each change: float64[row, part]; a part that does not occur in a series is 0.

    Source: Shapley (1953), A value for n-person games, equation 13.
    """
    active = pair.is_active
    after = table["after"].to_numpy()
    is_active = active.loc[table.index.get_level_values(0)]
    worths: dict[Parts, np.ndarray] = {}
    for parts in (
        frozenset(chosen) for size in range(len(PARTS) + 1) for chosen in combinations(PARTS, size)
    ):
        # With all parts that occur in a series, the forecast is tonight's.
        worths[parts] = after.copy()
        for part in parts:
            worths[parts] = np.where(is_active[part], worths[parts], worths[parts - {part}])
        if len(
            ids := active.index[active[list(parts)].all(axis=1) & (active.sum(axis=1) > len(parts))]
        ):
            rows = table.index.isin(ids, level=0)
            worths[parts][rows] = pair.forecast(parts, ids).reindex(table.index[rows])
    values = pd.DataFrame({DAY_AHEAD: worths[frozenset()] - table["before"]})
    weights = [
        factorial(size) * factorial(len(PARTS) - size - 1) / factorial(len(PARTS))
        for size in range(len(PARTS))
    ]
    for part in PARTS:
        others = [parts for parts in worths if part not in parts]
        values[part] = sum(
            weights[len(parts)] * (worths[parts | {part}] - worths[parts]) for parts in others
        )
    return values[[*PARTS, DAY_AHEAD]]


def _name_values(pair: _Pair, after: pd.Series) -> pd.DataFrame:
    """Return the new and the revised value with the largest effect; see `Change`."""
    rows = pair.rows
    kind = np.where(rows["is_new"], "new", "revised")
    expected = rows["expected"].where(rows["is_new"], rows["y_before"])
    rows = rows.assign(kind=kind, time=rows["ds"], value=rows["y_after"], expected=expected)
    rows["surprise"] = (rows["value"] - rows["expected"]).abs()
    # An imputed value follows from others.
    rows = rows[(rows["observed_after"] | rows["observed_before"]) & (rows["surprise"] > 0)]
    rows = rows.sort_values("surprise", ascending=False, kind="stable")
    ranks = rows.groupby(["unique_id", "kind"]).cumcount()
    effects = [pd.DataFrame(columns=list(VALUES))]
    for _, candidates in rows[ranks < NUM_CANDIDATES].groupby([rows["kind"], ranks]):
        without = pair.forecast(
            frozenset(PARTS), pd.Index(candidates["unique_id"]), candidates["expected"]
        )
        effect = (after - without.reindex(after.index)).dropna().rename("effect").reset_index()
        effects.append(candidates.drop(columns="ds").merge(effect, on="unique_id")[list(VALUES)])
    values = pd.concat(effects[1:] or effects, ignore_index=True)
    sizes = (
        values["effect"]
        .abs()
        .groupby([values["unique_id"], values["kind"], values["time"]])
        .transform("mean")
    )
    largest = sizes.groupby([values["unique_id"], values["kind"]]).transform("max")
    values = values[sizes == largest].drop_duplicates(["unique_id", "kind", "ds"])
    # Revised values come first, because they are unexpected.
    return values.sort_values(
        ["unique_id", "kind", "ds"], ascending=[True, False, True], ignore_index=True
    )


def show_change(change: Change, tz: str | None, id_type: Any = None) -> Change:
    """Return the change with times in the zone of the data, and ids of the type of the user's frame."""
    tables = (show_table(change.table, tz), show_table(change.values, tz), change.news)
    if len(tables[1]):
        tables = (tables[0], tables[1].assign(time=show_local(tables[1]["time"], tz)), tables[2])
    table, values, news = (restore_ids(one, id_type) for one in tables)
    return replace(change, table=table, values=values, news=news)
