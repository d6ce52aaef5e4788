"""The inputs of a night's forecasts as files, and the values and covariates of two nights side by side."""

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.model.newest import find_ends
from rnn_pipelines.forecast.model.packing import pack, unpack
from rnn_pipelines.forecast.series.columns import AHEAD, CONSTANT
from rnn_pipelines.forecast.series.tables import Features, Series
from rnn_pipelines.forecast.times.grid import find_step_times

KEY = ["unique_id", "ds"]
SERIES = "series.parquet"
COVARIATES = "covariates.parquet"
FACTS = "night.json"


@dataclass(frozen=True)
class Night:
    """The inputs of the forecasts of one night; its version is the name of the forecaster.

    The series are repaired, up to the time of the forecast: `unique_id, ds, y, observed`.
    """

    forecaster: Forecaster
    series: Series
    covariates: pd.DataFrame | None
    version: str

    def keep(self, ids: pd.Index) -> "Night":
        """Return the night with some of its series."""
        tables = (self.series, self.covariates)
        series, covariates = (
            None if table is None else table[table["unique_id"].isin(ids)] for table in tables
        )
        return replace(self, series=series, covariates=covariates)


def lay_out_night(
    forecaster: Forecaster, features: Features, covariates: pd.DataFrame | None, version: str
) -> Night:
    """Return the inputs of the newest forecasts; the features reach a horizon beyond each series' end."""
    table = features.table
    is_past = (
        table.groupby("unique_id", sort=False).cumcount(ascending=False)
        >= forecaster.settings.horizon
    )
    return Night(
        forecaster, table.loc[is_past, ["unique_id", "ds", "y", "observed"]], covariates, version
    )


def pack_night(night: Night) -> dict[str, bytes]:
    """Return the files of a night: content by name."""
    covariates = night.covariates
    files = pack(replace(night.forecaster, intervals=None, evaluated=None, reference=None))
    files[SERIES] = _write(night.series)
    if covariates is not None and len(covariates):
        # Cells of several types are read as text, and Parquet takes only one type.
        mixed = covariates[[name for name in covariates if covariates[name].dtype.kind == "O"]]
        texts = {name: mixed[name].astype(str).where(mixed[name].notna(), None) for name in mixed}
        files[COVARIATES] = _write(covariates.assign(**texts))
    return {**files, FACTS: json.dumps({"version": night.version}).encode()}


def unpack_night(files: Mapping[str, bytes]) -> Night:
    """Return the night in the files of `pack_night`."""
    covariates = pd.read_parquet(io.BytesIO(files[COVARIATES])) if COVARIATES in files else None
    series = pd.read_parquet(io.BytesIO(files[SERIES]))
    return Night(unpack(files), series, covariates, json.loads(files[FACTS])["version"])


def _write(table: pd.DataFrame) -> bytes:
    packed = io.BytesIO()
    table = table.reset_index(drop=True)
    table.attrs = {}
    table.to_parquet(packed)
    return packed.getvalue()


def mix_values(before: Series, after: Series) -> pd.DataFrame:
    """Return the values of two nights side by side.

    Returns:
        `unique_id, ds`, sorted; `y_before, y_after`; `observed_before, observed_after`; `in_before, in_after`, whether
        the night has the row; `is_new`, whether it is after the end of the series before; and `is_revised`.
    """
    columns = [*KEY, "y", "observed"]
    rows = before[columns].merge(
        after[columns], "outer", KEY, suffixes=("_before", "_after"), indicator="origin"
    )
    rows["in_before"], rows["in_after"] = (
        rows["origin"] != "right_only",
        rows["origin"] != "left_only",
    )
    for name in ("observed_before", "observed_after"):
        rows[name] = rows[name].eq(True)
    last = pd.concat([find_ends(before), find_ends(after)]).groupby("unique_id")["cutoff"].min()
    is_later = rows["ds"] > rows["unique_id"].map(last)
    # A series that became shorter ends where it ends tonight.
    rows = (
        rows.assign(is_new=is_later)[rows["in_after"] | ~is_later]
        .drop(columns="origin")
        .reset_index(drop=True)
    )
    differs = (rows["y_before"] != rows["y_after"]) & ~(
        rows["y_before"].isna() & rows["y_after"].isna()
    )
    rows["is_revised"] = ~rows["is_new"] & (differs | (rows["in_before"] != rows["in_after"]))
    return rows


def mix_covariates(
    before: Night, after: Night
) -> tuple[pd.DataFrame | None, pd.DataFrame | None, pd.Index]:
    """Return the covariates as they were before and as they are tonight, and the series in which they differ.

    Both nights have the same columns, and both results have the rows of both nights. Those before have tonight's values
    after their time: of past covariates after the end of the series, and of future ones after the horizon.
    """
    if before.covariates is None or after.covariates is None:
        return before.covariates, after.covariates, pd.Index([])
    old = before.covariates.set_index(KEY)
    new = after.covariates.set_index(KEY)
    index = old.index.union(new.index)
    in_both = index.isin(old.index) & index.isin(new.index)
    is_new = index.isin(new.index)
    names = index.get_level_values(0)
    times = index.get_level_values(1)
    settings = before.forecaster.settings
    coding = before.forecaster.coding
    ends = find_ends(before.series)
    steps = np.full(len(ends), settings.horizon)
    ends["ahead"] = find_step_times(ends["cutoff"].to_numpy(), steps, settings.freq).astype(
        ends["cutoff"].dtype
    )
    ends = ends.set_index("unique_id").reindex(names)
    old = old.reindex(index)
    new = new.reindex(index)
    mixed = pd.DataFrame(index=index)
    filled = pd.DataFrame(index=index)
    for name in coding.list_columns():
        filled[name] = new[name].where(is_new, old[name])
        if name in coding.list_columns(CONSTANT):
            mixed[name] = old[name].groupby(names).transform("first")
            continue
        until = ends["ahead" if name in coding.list_columns(AHEAD) else "cutoff"].to_numpy()
        mixed[name] = old[name].where(times <= until, filled[name])
    differs = (mixed != filled) & ~(mixed.isna() & filled.isna())
    return mixed.reset_index(), filled.reset_index(), names[differs.any(axis=1) & in_both].unique()
