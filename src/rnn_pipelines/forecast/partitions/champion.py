"""The champion on a panel, whole or divided: its sample, its reading, and its forecasts of all series."""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Self

import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.champion.records import Record
from rnn_pipelines.errors import ChampionError, show_all
from rnn_pipelines.forecast.evaluation.suspects import (
    describe_corrected,
    keep_good_forecasts,
    list_corrected,
    list_suspect_values,
    mark_forecasts,
)
from rnn_pipelines.forecast.methods.predictions import (
    RECORDED,
    SUSPECT,
    ForecastLog,
    ForecastLogTable,
)
from rnn_pipelines.forecast.model.artefact import Forecaster, forecast_panel
from rnn_pipelines.forecast.model.newest import lay_out_newest, report_new_series
from rnn_pipelines.forecast.model.nights import Night, lay_out_night
from rnn_pipelines.forecast.model.packing import pack, unpack
from rnn_pipelines.forecast.model.paths import Paths, PathsSpec, draw_next_paths
from rnn_pipelines.forecast.model.settings import find_trained_axis, refuse_other_beginnings
from rnn_pipelines.forecast.newer_values import Ends
from rnn_pipelines.forecast.partitions.dividing import PartitionSpec, Sample, draw_sample
from rnn_pipelines.forecast.partitions.jobs import (
    ALL_NEXT_VALUES,
    NEXT_VALUES,
    AllSeries,
    Tables,
    run_jobs,
    write_next_values,
)
from rnn_pipelines.forecast.partitions.obstacles import explain_reading, explain_spacing, make_error
from rnn_pipelines.forecast.partitions.totals import NO_PANEL_TOTALS, PanelTotals
from rnn_pipelines.forecast.preparation.gross_values import (
    describe_gross_values,
    is_alarm,
    list_gross_records,
    list_gross_values,
    read_records,
)
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source.as_of import AsOfSpec, read_as_of
from rnn_pipelines.forecast.source.covariates import NO_COVARIATES, CovariateSpec, add_groups
from rnn_pipelines.forecast.source.readable import External
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.totals.adding import NUM_PATHS, Totals, TotalsTable
from rnn_pipelines.forecast.totals.groups import select_groups
from rnn_pipelines.forecast.totals.log import TotalsLog, TotalsLogTable, log_totals
from rnn_pipelines.forecast.totals.next_totals import add_ends
from rnn_pipelines.forecast.totals.reconciling import (
    BOTTOM_UP,
    ReconcileSpec,
    reconcile_ends,
)
from rnn_pipelines.forecast.totals.specs import NO_TOTALS, TotalsSpec
from rnn_pipelines.networks.fan_out import ParallelSpec

logger = logging.getLogger(__name__)

INTERPOLATE = GapPolicy("interpolate")
NO_PATHS = PathsSpec(0)
PREDICTING = "predicting.json"
# Names at most this many series without a forecast, or with a gross newest value.
MAX_NAMES = 1_000


class PredictSpec(AsOfSpec, frozen=True):
    """The parameters of `predict_forecast`; the series are those of `forecast`.

    Attributes:
        keep_last_good: whether forecasts from a gross newest value are only logged, so that the last good ones stay the
            next values.
    """

    keep_last_good: bool = False


@dataclass(frozen=True)
class PredictingChampion:
    """A champion that forecasts partitions up to a day, see `PanelForecaster`.

    `folder` has the next values of the run before, if there was one.
    """

    champion: LoadedChampion
    spec: PredictSpec
    totals: PanelTotals = NO_PANEL_TOTALS
    folder: Path | None = None

    def pack(self) -> dict[str, bytes]:
        """Return the files of all that the forecasts depend on besides the data: content by name."""
        settings = {
            "version": self.champion.version,
            "spec": self.spec.model_dump_json(),
            "totals": self.totals.spec.model_dump_json(),
            "num_paths": self.totals.num_paths,
        }
        return {PREDICTING: json.dumps(settings).encode(), **pack(self.champion.artefact)}

    @classmethod
    def unpack(cls, files: Mapping[str, bytes]) -> Self:
        """Return the champion in the files of `pack`."""
        settings = json.loads(files[PREDICTING])
        champion = LoadedChampion(settings["version"], unpack(files), "", (), Record())
        totals = TotalsSpec.model_validate_json(settings["totals"])
        spec = PredictSpec.model_validate_json(settings["spec"])
        return cls(champion, spec, PanelTotals(totals, settings["num_paths"]))

    def write(self, partition: Sample, folder: Path) -> dict[str, Any]:
        """Forecast the series of a partition, and write the table into a folder; return the facts."""
        forecaster: Forecaster = self.champion.artefact
        table, covariate_table = _read_as_trained(forecaster, partition, self.spec)
        scaled, panel, features = lay_out_newest(
            forecaster, table, partition.source, covariate_table
        )
        night = lay_out_night(forecaster, features, None, self.champion.version)
        gross_values = list_gross_values(night.series)
        tz = forecaster.settings.tz
        forecasts = mark_forecasts(forecast_panel(scaled, panel, features), gross_values, tz)
        write_next_values(forecasts, forecaster, folder)
        ends = Ends(night.series, forecaster.settings.horizon, scaled, panel, features)
        self.totals.write(ends, forecasts, covariate_table, folder)
        left_out = table.loc[~table["unique_id"].isin(forecasts["unique_id"]), "unique_id"].unique()
        return {
            "num_series": int(forecasts["unique_id"].nunique()),
            "left_out": left_out.tolist(),
            "gross_values": list_gross_records(gross_values, tz),
        }

    def join(self, folders: Sequence[Path], facts: Sequence[Mapping[str, Any]]) -> AllSeries:
        """Return the results of all series, from the folders and facts of all partitions.

        If `keep_last_good`, the next values of suspect series stay those of an earlier run.
        """
        tables = Tables(tuple(folder / NEXT_VALUES for folder in folders))
        left_out = [name for fact in facts for name in fact["left_out"]]
        gross_values = [row for fact in facts for row in fact["gross_values"]]
        if self.spec.keep_last_good and self.folder is not None:
            names = tuple({row["unique_id"] for row in gross_values})
            tables = replace(tables, earlier=self.folder / ALL_NEXT_VALUES, suspects=names)
        summary = {
            "num_series": sum(fact["num_series"] for fact in facts),
            "num_left_out": len(left_out),
            "left_out": left_out[:MAX_NAMES],
            "num_partitions": len(folders),
            "gross_values": gross_values,
            "model_version": self.champion.version,
        }
        totals = self.totals.join(folders, self.champion.artefact)
        return AllSeries(tables, Tables(), summary, totals)


def require_champion(champion: LoadedChampion | None) -> LoadedChampion:
    """Return the forecaster in use, or raise a ChampionError if there is none."""
    if champion is None:
        raise ChampionError(
            "there is no forecaster in use yet. Run kedro champion retrain forecast."
        )
    return champion


def draw_sample_as_trained(  # noqa: PLR0913, PLR0917 - one for each dataset and block of parameters
    champion: LoadedChampion | None,
    source: SourceSpec,
    covariates: CovariateSpec,
    spec: PartitionSpec,
    folder: Path,
    external: External = None,
    totals: TotalsSpec = NO_TOTALS,
) -> Sample:
    """Divide a panel that is too large for memory, with the covariates of the champion; see `draw_sample`."""
    champion = require_champion(champion)
    draw = partial(draw_sample, source, covariates, spec, folder, external, totals)
    with explain_reading(champion.version, source.label, draw):
        return draw(champion.artefact.coding)


def read_as_trained(
    champion: LoadedChampion | None,
    sample: Sample,
    spec: PredictSpec,
    covariates: CovariateSpec = NO_COVARIATES,
) -> tuple[Source, pd.DataFrame]:
    """Read the series on the time axis of the champion's training, and the covariates of that training.

    Of the sample's covariates, only the path is used.

    Args:
        covariates: those of today's parameters, with which a retraining would read the table.
    Raises:
        ChampionError: there is no champion, or it is trained on other covariates or other times than a retraining.
        SeriesError: see `read_as_of`.
    """
    champion = require_champion(champion)
    # The files of a divided panel have no columns beside those of the champion.
    covariates_of_today = covariates if sample.partitions.folder is None else NO_COVARIATES
    read = partial(read_as_of, sample.external, sample.source, spec, covariates_of_today)
    with explain_reading(champion.version, sample.source.label, read):
        return _read_as_trained(champion.artefact, sample, spec)


def _read_as_trained(
    forecaster: Forecaster, sample: Sample, as_of: AsOfSpec
) -> tuple[Source, pd.DataFrame]:
    settings = forecaster.settings
    learnt = add_groups(
        forecaster.coding.make_spec(sample.covariates.path), sample.covariates.all_columns
    )
    table, covariate_table = read_as_of(
        sample.external, sample.source, as_of, learnt, find_trained_axis(settings)
    )
    refuse_other_beginnings(table, settings, sample.source.label)
    return table, covariate_table


def forecast_newest(  # noqa: PLR0913, PLR0917 - one for each dataset and block of parameters
    champion: LoadedChampion | None,
    table: Source,
    source: SourceSpec,
    paths: PathsSpec,
    covariate_table: pd.DataFrame | None = None,
    before: ForecastLog | None = None,
    gaps: GapPolicy = INTERPOLATE,
    totals: TotalsSpec = NO_TOTALS,
    all_totals: Totals | None = None,
    reconcile: ReconcileSpec = BOTTOM_UP,
) -> tuple[ForecastLog, Paths, Totals, TotalsLog, ForecastLog, Night]:
    """Forecast the steps after the end of each series, and add the model version, the time and the marks.

    The second and third result are sample paths and totals of the same steps; the fourth are the totals for their log.
    The fifth is the first again, for a dataset that does not mix it with the forecasts of earlier runs. The sixth are
    the inputs of the forecasts. `before` are the forecasts of earlier runs, whose gross values may still be read; None
    for none.

    Args:
        gaps: today's policy for gaps; the forecasts are by that of the champion.
        all_totals: of a divided panel, which are returned if there are any.
    Raises:
        ChampionError: there is no champion, or it can forecast none of the series.
    """
    champion = require_champion(champion)
    artefact = champion.artefact
    settings = artefact.settings
    report_new_series(artefact, table)
    with explain_spacing(champion.version, settings, table, source, gaps):
        forecaster, panel, features = lay_out_newest(artefact, table, source, covariate_table)
    forecasts = forecast_panel(forecaster, panel, features)
    if forecasts.empty:
        trained = artefact.scaler["unique_id"]
        names = table["unique_id"]
        fact = "its series are too short, or have gaps at their ends"
        if not names.isin(trained).any():
            fact = f"it was trained on the series {show_all(trained)}, and the table has {show_all(names.unique())}"
        raise make_error(champion.version, source.label, fact)
    # In the unit of tonight's values, and without series that are new tonight.
    in_unit = replace(artefact, scaler=forecaster.scaler[: len(artefact.scaler)])
    night = lay_out_night(in_unit, features, covariate_table, champion.version)
    ends = Ends(night.series, settings.horizon, forecaster, panel, features)
    if reconcile.method is not None:
        ends = reconcile_ends(ends, covariate_table, totals, reconcile)
        forecaster = ends.forecaster
        forecasts = forecast_panel(forecaster, panel, features)
    made = forecasts.assign(
        model_version=champion.version, recorded_at=pd.Timestamp.now("UTC").floor("us")
    )
    suspects = list_suspect_values(before, night.series, settings.lookback)
    made = mark_forecasts(made, suspects, settings.tz)
    drawn = Paths()
    if paths.root:
        drawn = draw_next_paths(forecaster, panel, features, settings.horizon, paths.root)
    # The monitor reads only the sample of a divided panel, and could not evaluate its totals.
    added, logged = all_totals, TotalsLogTable.make_empty()
    if added is None or added.empty:
        num_paths = paths.root or NUM_PATHS
        series_names = list(made["unique_id"].unique())
        groups = select_groups(covariate_table, totals.columns, series_names)
        added = add_ends(ends, forecasts, groups.reset_index(), totals, num_paths=num_paths)
        logged = log_totals(added, made, groups, totals)
    # Optional columns come last.
    log = made[sorted(made.columns, key=ForecastLogTable.is_in_family)]
    return log, drawn, added, logged, log, night


def choose_next_values(made: ForecastLog, log: ForecastLog, spec: PredictSpec) -> ForecastLog:
    """Return the forecasts that become the next values; of suspect ones, the last good ones if `keep_last_good`."""
    return keep_good_forecasts(made, log) if spec.keep_last_good and made[SUSPECT].any() else made


def record_suspects(night: Night, log: ForecastLog, all_series: dict[str, Any]) -> dict[str, Any]:
    """Return the gross newest values of a run with the number of series, and the values that were corrected.

    `is_alarm` is whether they are more than some series of many have by chance. `corrected` lists the cut-offs whose
    series have their first good forecasts in this run, see `CorrectedTable`.
    """
    settings = night.forecaster.settings
    if all_series:
        rows = all_series["gross_values"]
    else:
        rows = list_gross_records(
            list_suspect_values(log, night.series, settings.lookback), settings.tz
        )
    rows = sorted(rows, key=lambda row: -row["factor"])
    num_series = (
        all_series["num_series"] if all_series else int(night.series["unique_id"].nunique())
    )
    if rows and all_series:
        # Of a panel in memory, `repair_series` has warned.
        logger.warning("%s", describe_gross_values(read_records(rows)))
    corrected = list_corrected(log, night.series)
    corrected = corrected[corrected["since"] == log[RECORDED].max()]
    return {
        "is_alarm": is_alarm(len({row["unique_id"] for row in rows}), num_series),
        "num_series": num_series,
        "num_gross_values": len(rows),
        "gross_values": rows[:MAX_NAMES],
        "corrected": corrected.astype("str").to_dict(orient="records"),
        "again": describe_corrected(corrected),
    }


def forecast_all_newest(  # noqa: PLR0913, PLR0917 - one for each dataset and block of parameters
    champion: LoadedChampion | None,
    sample: Sample,
    spec: PredictSpec,
    parallel: ParallelSpec,
    folder: Path | None = None,
    totals: TotalsSpec = NO_TOTALS,
    paths: PathsSpec = NO_PATHS,
    reconcile: ReconcileSpec = BOTTOM_UP,
) -> tuple[Tables, dict[str, Any], Totals]:
    """Forecast the steps after the end of all series of a divided panel, also of those without training.

    Args:
        folder: of the earlier next values, which stay for suspect series if `keep_last_good`; None for none.
    Returns:
        `unique_id, ds, forecast`, and `lo-80, hi-80` and the like of each level: float32, in the unit of `y`; and the
        marks, see `ForecastLogTable`. And the numbers of series, of those without a forecast with some names, and of
        partitions, with the gross newest values and the version of the champion. And the totals. All are empty if the
        panel is not divided. Raises as `run_jobs`.
    """
    sample.check_reconciled(reconcile)
    if sample.partitions.folder is None:
        return Tables(), {}, TotalsTable.make_empty()
    of_panel = PanelTotals(totals, paths.root or NUM_PATHS)
    predicting = PredictingChampion(require_champion(champion), spec, of_panel, folder)
    results = predicting.join(*run_jobs(predicting, sample, parallel))
    return results.next_values, results.summary, results.totals
