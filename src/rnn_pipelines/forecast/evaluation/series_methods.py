"""The method that forecasts each series, and the reason: few values, a padded window, or a series that is left out."""

from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, EnsembleModel
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.local.short_series_rule import SHORT_SERIES_RULE, list_rules
from rnn_pipelines.forecast.methods.method import FittedMethod
from rnn_pipelines.forecast.methods.past import count_few
from rnn_pipelines.forecast.series.tables import Cutoffs, Profile, Source
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.forecast.windows.splits import find_not_evaluated
from rnn_pipelines.reading.zones import show_local
from rnn_pipelines.storage.tables import Column, Table


class SeriesMethodsTable(Table):
    """One row for each series of the source, also for those that are left out.

    `num_values` counts the values as read, without gaps; `first` and `last` are their first and last time, empty
    without a value; `zero_share` is the share of zeros among them. `is_evaluated` is False if the series has no test
    part, `is_dead` True if the series ends two horizons or more before the others. `forecast_by` names the methods, or
    is empty if the series is left out; `reason` is a sentence.
    """

    key = ("unique_id",)
    unique_id = Column("text")
    num_values = Column("int")
    first = last = Column("moment", can_be_empty=True)
    zero_share = Column("float", can_be_empty=True)
    is_evaluated = is_dead = Column("bool")
    forecast_by = reason = Column("text")


SeriesMethods = Annotated[pd.DataFrame, SeriesMethodsTable]


def describe_series_methods(  # noqa: PLR0913, PLR0917 - each is a data set of a run
    table: Source,
    cutoffs: Cutoffs,
    profile: Profile,
    panel: WindowedPanel,
    linear: LinearModels,
    methods: Mapping[str, FittedMethod],
    ensemble: Mapping[str, Any],
) -> SeriesMethods:
    """Return a row for each series."""
    values = table[["unique_id", "ds", "y"]].assign(ds=show_local(table["ds"], profile["tz"]))
    values = values[values["y"].notna()].assign(is_zero=lambda known: known["y"] == 0)
    by_series = values.groupby("unique_id")
    names = pd.Index(np.sort(table["unique_id"].unique()), name="unique_id")
    described = pd.DataFrame(
        {
            "num_values": by_series.size(),
            "first": by_series["ds"].min(),
            "last": by_series["ds"].max(),
            "zero_share": by_series["is_zero"].mean(),
        }
    ).reindex(names)
    described["num_values"] = described["num_values"].fillna(0).astype(np.int64)
    evaluated = cutoffs["unique_id"][~find_not_evaluated(cutoffs)]
    described["is_evaluated"] = described.index.isin(evaluated)
    described["is_dead"] = described.index.isin(profile["dead"])
    num_steps = cutoffs.set_index("unique_id")["num_steps"].reindex(names).fillna(0).astype(int)
    used = ensemble["used"]
    model = methods[used].in_use
    rows = []
    for length, row in zip(num_steps.tolist(), described.itertuples(), strict=True):
        if not length:
            rows.append(("", _explain_left_out(row.num_values, row.is_dead)))
        elif not isinstance(model, EnsembleModel):
            rows.append((used, "The parameter forecast.use names it."))
        elif SHORT_SERIES_RULE in model.models:
            rows.append(_explain_rule(length, panel, model))
        else:
            # The normaliser shows whether the series are a panel.
            is_panel = linear.normalizer.kind != "series"
            rows.append(_explain_ensemble(length, panel, model, is_panel))
    explained = pd.DataFrame(rows, described.index, ["forecast_by", "reason"], dtype="str")
    return described.join(explained).reset_index()


def _explain_left_out(num_values: int, is_dead: bool) -> str:
    if not num_values:
        return "It has no value."
    if is_dead:
        return "It ends two horizons or more before the others."
    return "It is too short, ends with a gap, or is beyond what numbers can hold: the log names the reason."


def _explain_rule(num_steps: int, panel: WindowedPanel, model: EnsembleModel) -> tuple[str, str]:
    rule = [rule for rule in list_rules(panel.season_length) if rule.least <= num_steps][-1]
    names = [rule.name, *(name for name in model.models if name != SHORT_SERIES_RULE)]
    season = f" with a season of {panel.season_length}" if panel.season_length > 1 else ""
    reason = "There are too few windows to validate methods, so that its number of steps decides"
    return ", ".join(names), f"{reason}: {num_steps}{season}."


def _explain_ensemble(
    num_steps: int, panel: WindowedPanel, model: EnsembleModel, is_panel: bool
) -> tuple[str, str]:
    num_few = count_few(panel.season_length, panel.horizon)
    padding = ""
    if num_steps < panel.lookback:
        padding = f" Its oldest season fills the window of {panel.lookback} steps."
    if is_panel and num_steps < num_few:
        names = [name for name, weight in model.weigh_few().items() if weight > 0]
        reason = f"It has {num_steps} steps, fewer than the {num_few} that local methods need."
        return ", ".join(names), reason + padding
    return ENSEMBLE, f"It has {num_steps} steps, enough for all methods of the ensemble.{padding}"
