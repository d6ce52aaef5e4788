"""The explanation of the newest forecasts' change, from the inputs that the last runs kept."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import ChampionError, count
from rnn_pipelines.forecast.methods.predictions import RECORDED, ForecastLog, keep_last_record
from rnn_pipelines.forecast.model.artefact import FORECAST
from rnn_pipelines.forecast.model.change import Change, explain_change, show_change
from rnn_pipelines.forecast.model.newest import find_ends
from rnn_pipelines.forecast.model.nights import Night, unpack_night

# A recomputed forecast differs from that on record by less than this part of the usual forecast.
TOLERANCE = 1e-5


def explain_nights(
    nights: Sequence[Mapping[str, bytes]],
    log: ForecastLog,
    all_series: Mapping[str, Any],
    series: str | None = None,
    newest: ForecastLog | None = None,
) -> Change:
    """Explain the change from the last but one night to the last one, with times in the zone of the data.

    Args:
        nights: the files of each, see `pack_night`, oldest first.
        log: forecasts on record. They choose the series with the largest changes, and the recomputed forecasts are
            compared with them.
        all_series: of a divided panel, see `forecast_all_newest`; else empty.
        newest: the forecasts of the run that asks, which must be those of the last night; None for any.
    Raises:
        ChampionError: fewer than two nights are known, none has the series, or the last night is not the newest.
        SeriesError: see `explain_change`.
    """
    if len(nights) < 2:
        facts = f"the inputs of {len(nights)} of the two nights that a change needs are on record"
        command = "kedro run --pipelines=predict_forecast"
        raise ChampionError(
            f"{facts}. Run {command} again after the table or the champion has changed."
        )
    before, after = (unpack_night(files) for files in nights[-2:])
    if newest is not None and len(_select_records(newest, after)) < len(newest):
        raise ChampionError(
            "the inputs of this run could not be saved, so that its forecasts have no explanation."
        )
    if series is not None:
        ids = pd.Index([series])
        if not all(night.series["unique_id"].isin(ids).any() for night in (before, after)):
            raise ChampionError(f"series {series!r} is not in both of the last two forecasts.")
        before = before.keep(ids)
        after = after.keep(ids)
    tonight = _select_records(log, after)
    # After a mere revision, both nights have the same ends, and those of tonight are the newer ones.
    earlier = log[log[RECORDED] < tonight[RECORDED].max()]
    tables = (_select_records(earlier, before), _select_records(log, before), tonight)
    first, last, new = (table.set_index(["unique_id", "ds"])[FORECAST] for table in tables)
    records = {"before": first.combine_first(last), "after": new}
    changes = (records["after"] - records["before"]).abs().groupby(level=0).max()
    change = explain_change(before, after, changes=changes[np.isfinite(changes)])
    notes = [_compare_with_log(change.table, *record) for record in records.items()]
    if all_series:
        notes.append("The panel is larger than memory: explained is a sample of its series.")
    change = replace(change, notes=(*change.notes, *filter(None, notes)))
    return show_change(change, after.forecaster.settings.tz)


def _select_records(log: ForecastLog, night: Night) -> ForecastLog:
    """Return the last forecasts on record from the ends of a night's series by its version."""
    return keep_last_record(
        log[log["model_version"] == night.version].merge(find_ends(night.series))
    )


def _compare_with_log(table: pd.DataFrame, column: str, records: pd.Series) -> str:
    """Return a sentence if the forecasts on record are others than the recomputed ones, or missing; else no text."""
    forecasts = table.join(records, ["unique_id", "ds"])
    when = {"before": "the night before", "after": "tonight"}[column]
    if num_missing := int(forecasts[FORECAST].isna().sum()):
        return f"{count(num_missing, 'forecast')} of {when} are not in the log."
    logged = forecasts[FORECAST]
    computed = forecasts[column]
    differs = ~np.isclose(
        logged, computed, rtol=TOLERANCE, atol=TOLERANCE * computed.abs().median()
    )
    if not differs.any():
        return ""
    first = forecasts[differs].iloc[0]
    return (
        f"The log has other forecasts of {when} in {differs.sum():,} of {len(forecasts):,} rows, such as "
        f"{first[FORECAST]:.6g} instead of {first[column]:.6g} for {first['unique_id']}: the code has changed since."
    )
