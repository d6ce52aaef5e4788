"""The explanation of the newest forecasts' change, from the inputs that the last runs kept."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import ChampionError, count
from rnn_pipelines.forecast.methods.predictions import ForecastLog, keep_last_record
from rnn_pipelines.forecast.model.artefact import FORECAST
from rnn_pipelines.forecast.model.change import Change, explain_change, show_change
from rnn_pipelines.forecast.model.newest import find_ends
from rnn_pipelines.forecast.model.nights import Night, unpack_night

# A recomputed forecast differs from that on record by less than this part of the usual forecast.
TOLERANCE = 1e-5


def explain_nights(
    nights: Sequence[Mapping[str, bytes]], log: ForecastLog, all_series: Mapping[str, Any], series: str | None = None
) -> Change:
    """Explain the change from the last but one night to the last one, with times in the zone of the data.

    Args:
        nights: the files of each, see `pack_night`, oldest first.
        log: forecasts on record, with which the recomputed ones are compared.
        all_series: of a divided panel, see `forecast_all_newest`; else empty.
        series: the name of a series; None for all.
    Raises:
        ChampionError: fewer than two nights are known, or none has the series.
        SeriesError: see `explain_change`.
    """
    if len(nights) < 2:
        raise ChampionError(
            f"the inputs of {count(len(nights), 'night')} are on record, and a change needs two. Run kedro run "
            "--pipelines=predict_forecast again after the table or the champion has changed."
        )
    before, after = (unpack_night(files) for files in nights[-2:])
    if series is not None:
        ids = pd.Index([series])
        if not all(night.series["unique_id"].isin(ids).any() for night in (before, after)):
            raise ChampionError(f"series {series!r} is not in both of the last two forecasts.")
        before, after = before.keep(ids), after.keep(ids)
    change = explain_change(before, after)
    columns = {"before": before, "after": after}
    notes = [_compare_with_log(change.table, name, night, log) for name, night in columns.items()]
    if all_series:
        notes.append("The panel is larger than memory: explained is a sample of its series.")
    change = replace(change, notes=(*change.notes, *filter(None, notes)))
    return show_change(change, after.forecaster.settings.tz)


def _compare_with_log(table: pd.DataFrame, column: str, night: Night, log: ForecastLog) -> str:
    """Return a sentence if the forecasts on record are others than the recomputed ones, or missing; else no text."""
    records = keep_last_record(log[log["model_version"] == night.version]).merge(find_ends(night.series))
    found = table.merge(records[["unique_id", "ds", FORECAST]], "left", ["unique_id", "ds"])
    when = {"before": "the night before", "after": "tonight"}[column]
    if num_missing := int(found[FORECAST].isna().sum()):
        return f"{count(num_missing, 'forecast')} of {when} are not in the log."
    differs = ~np.isclose(found[FORECAST], found[column], rtol=TOLERANCE, atol=TOLERANCE * found[column].abs().median())
    if not differs.any():
        return ""
    first = found[differs].iloc[0]
    return (
        f"The log has other forecasts of {when} in {differs.sum():,} of {len(found):,} rows, such as "
        f"{first[FORECAST]:.6g} instead of {first[column]:.6g} for {first['unique_id']}: the code has changed since."
    )
