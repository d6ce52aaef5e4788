"""Partitions of a panel that is too large for memory: files with the rows of some of its series each."""

import hashlib
import json
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import pandas as pd
import pyarrow as pa
from pydantic import Field, model_validator

from rnn_pipelines.champion.manifest import fingerprint_code
from rnn_pipelines.errors import ParameterError, SeriesError
from rnn_pipelines.forecast.partitions import folders
from rnn_pipelines.forecast.partitions.surveys import SurveyedTable, make_covariate_source
from rnn_pipelines.forecast.series.columns import AHEAD
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source.as_of import AsOfSpec, read_as_of
from rnn_pipelines.forecast.source.covariates import CovariateSpec, add_groups
from rnn_pipelines.forecast.source.readable import FILES, External
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.totals.reconciling import ReconcileSpec
from rnn_pipelines.forecast.totals.specs import NO_TOTALS, TotalsSpec
from rnn_pipelines.forecast.windows.coding import Coding
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.reading.batch_table import BatchTable
from rnn_pipelines.reading.batches import has_column
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.scatter import (
    can_scatter,
    count_table_rows,
    count_values,
    is_counted_exactly,
)
from rnn_pipelines.reading.table_files import expand_home

logger = logging.getLogger(__name__)

# On a fifth of the 414 series of M4 Hourly, the ensemble has a 13 % larger error than on all of them.
FEW_SERIES = 1_000


class PartitionSpec(ParameterModel, frozen=True):
    """The size of panels that are fitted whole, and of the partitions of larger ones.

    A larger panel is divided by a hash of its series' names. All methods are fitted on the first partitions, a random
    sample of the series, and forecast the series of all partitions, one partition after another.

    Attributes:
        training_rows: largest number of rows on which methods are fitted.
        rows: of a partition, about; memory grows with it.
        stop: `fit` ends `forecast` and `predict_forecast` before the forecasts of the partitions, see `parts`.
        address: a folder of fsspec, such as s3://bucket/nights, to which the divided panel and the fit are copied then.
    """

    training_rows: int = Field(default=10_000_000, ge=1, le=10**10)
    rows: int = Field(default=2_000_000, ge=1, le=10**10)
    stop: Literal["fit"] | None = None
    address: str | None = Field(None, pattern="://")

    @model_validator(mode="after")
    def _validate_address(self) -> "PartitionSpec":
        if self.address is not None and self.stop is None:
            raise ValueError("address: expected stop=fit with it, received none")
        return self


DEFAULT_SIZES = PartitionSpec()


@dataclass(frozen=True)
class Partitions:
    """The files of a divided panel.

    Attributes:
        folder: of the files; None for a panel that is fitted whole.
        num_training, num_others: partitions for fitting, and other ones.
        num_rows: of the panel; of CSV files an estimate.
        has_covariates: whether the table of `covariates.path` is divided too.
    """

    folder: Path | None = None
    num_training: int = 0
    num_others: int = 0
    num_rows: int = 0
    has_covariates: bool = False
    counts: tuple[int, ...] = ()

    def __len__(self) -> int:
        return self.num_training + self.num_others

    def list_files(self, table: str = "rows") -> list[Path]:
        """Return the files of the `rows`, or of the `covariates`; those for training come first."""
        assert self.folder is not None
        parts = ["training"] * self.num_training + ["others"] * self.num_others
        return [
            self.folder / table / part / f"{number:05d}.parquet"
            for number, part in enumerate(parts)
        ]

    def list_numbers(self) -> list[int]:
        """Return the numbers of the partitions with rows; a panel of few long series leaves some without any."""
        return [number for number, count in enumerate(self.counts) if count]


@dataclass(frozen=True)
class Sample:
    """The series of a fit: those of some partitions, or all series if the panel is not divided.

    `external` is the table of the catalog entry `forecast_external`, which is read once.
    """

    partitions: Partitions
    source: SourceSpec
    covariates: CovariateSpec
    external: External = None
    spec: PartitionSpec = DEFAULT_SIZES

    def check_reconciled(self, reconcile: ReconcileSpec) -> None:
        """Raise a ParameterError if a divided panel is to be reconciled, which needs all series at once."""
        if reconcile.method is not None and self.partitions.folder is not None:
            raise ParameterError(
                "forecast.reconcile: a divided panel is not reconciled. Write bottom_up."
            )

    def select(self, number: int | None = None) -> "Sample":
        """Return the series of a partition, numbered from 0; None for all those for training."""
        assert self.partitions.folder is not None
        rows, more = (
            self.partitions.folder / table / "training"
            if number is None
            else self.partitions.list_files(table)[number]
            for table in ("rows", "covariates")
        )
        covariates = self.covariates.model_copy(
            update={"path": str(more)} if self.partitions.has_covariates else {}
        )
        return Sample(
            self.partitions,
            self.source.model_copy(update={"path": str(rows)}),
            covariates,
            spec=self.spec,
        )

    def read(self, newest: AsOfSpec) -> tuple[Source, pd.DataFrame]:
        """Read the series up to the as-of time, and their covariates; see `read_as_of`."""
        return read_as_of(self.external, self.source, newest, self.covariates)


def draw_sample(  # noqa: PLR0913, PLR0917 - one for each dataset and block of parameters
    source: SourceSpec,
    covariates: CovariateSpec,
    spec: PartitionSpec,
    folder: Path,
    external: External = None,
    totals: TotalsSpec = NO_TOTALS,
    coding: Coding | None = None,
) -> Sample:
    """Divide a panel that is too large to be fitted whole, and return its sample.

    The files of an earlier run are used again if the table has not changed since.

    Args:
        totals: whose columns are read, too.
        coding: of a forecaster, whose covariates are read instead; of `covariates`, only the path is used.
    Returns:
        The series of the partitions for training. Of a smaller panel, and of tables other than queries and files of CSV
        and Parquet with a column of series, all series.
    Raises:
        SeriesError: a file is damaged, or a column is missing.
    """
    covariates = covariates if coding is None else coding.make_spec(covariates.path)
    covariates = add_groups(covariates, totals.columns)
    if (
        isinstance(external, BatchTable)
        and source.path is None
        and source.id is not None
        and not source.is_packaged
    ):
        partitions = _divide_query(source, covariates, spec, folder, external)
    else:
        partitions = _divide_files(source, covariates, spec, folder)
    sample = Sample(partitions, source, covariates, external, spec)
    if partitions.folder is None:
        if spec.stop is not None:
            raise ParameterError(
                f"forecast.partitions.stop={spec.stop}: {source.label} is not divided. Set "
                "forecast.partitions.training_rows below its number of rows."
            )
        return sample
    if source.dead == "drop":
        raise SeriesError(
            f"{source.label}: source.dead=drop is for panels that are not divided. Leave it out."
        )
    folders.remove_others(partitions.folder)
    return sample.select()


def _divide_files(
    source: SourceSpec, covariates: CovariateSpec, spec: PartitionSpec, folder: Path
) -> Partitions:
    path = expand_home(source.path) if source.path is not None and source.id is not None else None
    num_rows = (
        count_table_rows(path, FILES)
        if path is not None and path.exists() and can_scatter(path)
        else 0
    )
    if num_rows <= spec.training_rows:
        return Partitions()
    assert path is not None
    facts = folders.list_facts(path, covariates.path)
    panel = _name_folder(folder, source, covariates, spec, facts)
    partitions = _plan(source, covariates, spec, num_rows, folder)
    if (earlier := folders.find_panel(panel)) is not None:
        logger.info("%s: the partitions of an earlier run are used", source.label)
        return replace(partitions, folder=panel, counts=tuple(earlier["rows"]))
    with folders.draft_panel(folder) as draft:
        divided, _ = _divide(
            replace(partitions, folder=draft), source, covariates, is_counted_exactly(path)
        )
        if not set(facts) <= set(folders.list_facts(path, covariates.path)):
            raise SeriesError(
                f"{source.label}: a file changed while it was read. Run this command again."
            )
        folders.publish_panel(draft, panel)
    return replace(divided, folder=panel)


def _divide_query(
    source: SourceSpec,
    covariates: CovariateSpec,
    spec: PartitionSpec,
    folder: Path,
    query: BatchTable,
) -> Partitions:
    """Divide the result of a query, which is sent in any case, because only its rows show whether it has changed.

    The name of the folder depends on the rows, so that results of earlier ones are not used.
    """
    with query.open_counted() as (num_rows, batches):
        if num_rows <= spec.training_rows:
            return Partitions()
        with folders.draft_panel(folder) as draft:
            partitions = replace(_plan(source, covariates, spec, num_rows, folder), folder=draft)
            divided, checksums = _divide(partitions, source, covariates, True, batches)
            panel = _name_folder(
                folder, source, covariates, spec, [checksums, folders.list_facts(covariates.path)]
            )
            folders.publish_panel(draft, panel)
    return replace(divided, folder=panel)


def _name_folder(
    folder: Path,
    source: SourceSpec,
    covariates: CovariateSpec,
    spec: PartitionSpec,
    facts: Sequence[Any],
) -> Path:
    """Return a subfolder that is named by a hash of the code, the parameters and facts about the rows."""
    # A champion names the same covariates in another order.
    asked = [covariates.path, sorted(covariates.all_columns)]
    sizes = spec.model_dump_json(include={"training_rows", "rows"})
    given = [fingerprint_code(), source.model_dump_json(), asked, sizes, facts]
    return folder / hashlib.sha256(json.dumps(given).encode()).hexdigest()[:16]


def _plan(
    source: SourceSpec, covariates: CovariateSpec, spec: PartitionSpec, num_rows: int, folder: Path
) -> Partitions:
    num_partitions = -(-num_rows // min(spec.rows, spec.training_rows))
    num_training = max(1, spec.training_rows * num_partitions // num_rows)
    path = None if covariates.path is None else expand_home(covariates.path)
    has_covariates = path is not None and path.exists() and can_scatter(path)
    if has_covariates and path is not None and source.id is not None:
        has_covariates = has_column(path, source.id, FILES, Dialect(source.sep, source.encoding))
    return Partitions(folder, num_training, num_partitions - num_training, num_rows, has_covariates)


def _divide(
    partitions: Partitions,
    source: SourceSpec,
    covariates: CovariateSpec,
    is_counted: bool,
    batches: Iterable[pa.Table] | None = None,
) -> tuple[Partitions, dict[str, str]]:
    """Write the files of all partitions. Return these with their counts, and the sha256 of each file by its name.

    If the rows are counted, `partitions.num_rows` is no estimate. Batches are the result of a query; None for files.
    Raises as `SurveyedTable.divide`, and a SeriesError if not all rows were read.
    """
    assert partitions.folder is not None
    tables = ("rows", "covariates") if partitions.has_covariates else ("rows",)
    for part in {file.parent for table in tables for file in partitions.list_files(table)}:
        part.mkdir(parents=True, exist_ok=True)
    rows = SurveyedTable(source, covariates.all_columns)
    counts = {"rows": rows.divide(partitions.list_files(), batches)}
    if partitions.has_covariates and covariates.path is not None:
        more = make_covariate_source(source, covariates.path, rows.found)
        others = SurveyedTable(more, covariates.list_columns(AHEAD), has_values=False)
        counts["covariates"] = others.divide(partitions.list_files("covariates"))
    if is_counted:
        folders.require_rows(source.label, partitions.num_rows, rows.num_read)
    _report_sample(partitions, source, sum(counts["rows"]))
    checksums = folders.write_manifest(partitions.folder / folders.MANIFEST, counts)
    return replace(partitions, counts=tuple(counts["rows"])), checksums


def _report_sample(partitions: Partitions, source: SourceSpec, num_rows: int) -> None:
    """Log the number of series of the fit; warn if a larger one would be better, and raise a SeriesError for none."""
    assert source.id is not None
    num_fitted = count_values(partitions.list_files()[: partitions.num_training], source.id)
    counts = f"{num_rows:,}", len(partitions), f"{num_fitted:,}", partitions.num_training
    message = "%s: %s rows in %d partitions; the sample for a fit has %s series in %d of them"
    logger.info(message, source.label, *counts)
    remedy = f"partitions.training_rows above {partitions.num_rows} to fit on all series"
    if not num_fitted:
        reason = "the sample for a fit has no series, because the panel has few long ones"
        raise SeriesError(f"{source.label}: {reason}. Set {remedy}.")
    if num_fitted < FEW_SERIES:
        logger.warning(
            "%s: %d series may be too few for a fit; set %s", source.label, num_fitted, remedy
        )
