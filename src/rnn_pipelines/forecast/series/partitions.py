"""Partitions of a panel that is too large for memory: files with the rows of some of its series each."""

import hashlib
import json
import logging
import os
import re
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from rnn_pipelines.forecast.series.covariates import CovariateSpec
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.source_reading import FILES
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.folders import list_tables
from rnn_pipelines.reading.scatter import can_scatter, count_rows, count_values, list_names, scatter_rows
from rnn_pipelines.reading.table_files import expand_home
from rnn_pipelines.storage.files import is_folder, is_regular, replace_file

logger = logging.getLogger(__name__)

MANIFEST = "partitions.json"
# On a fifth of the 414 series of M4 Hourly, the ensemble has a 13 % larger error than on all of them.
FEW_SERIES = 1_000
# All that a run writes into the folder of a divided panel: its rows, and the results of its partitions.
OWN_FOLDER = re.compile(r"[0-9a-f]{16}")
OWN_FILES = re.compile(
    rf"{re.escape(MANIFEST)}|(rows|covariates)/(training|others)/\d{{5}}\.parquet"
    r"|results-[0-9a-f]{16}/((\d{5}|\.\d{5}\.\w{8})/\w+\.(parquet|json)|faults\.txt)"
)


class PartitionSpec(ParameterModel, frozen=True):
    """The size of panels that are fitted whole, and of the partitions of larger ones.

    A larger panel is divided by a hash of its series' names. All methods are fitted on the first partitions, a random
    sample of the series, and forecast the series of all partitions, one partition after another.

    Attributes:
        training_rows: largest number of rows on which methods are fitted.
        rows: of a partition, about; memory grows with it.
    """

    training_rows: int = Field(default=10_000_000, ge=1, le=10**10)
    rows: int = Field(default=2_000_000, ge=1, le=10**10)


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

    def __len__(self) -> int:
        return self.num_training + self.num_others

    def list_files(self, table: str = "rows") -> list[Path]:
        """Return the files of the `rows`, or of the `covariates`; those for training come first."""
        assert self.folder is not None
        parts = ["training"] * self.num_training + ["others"] * self.num_others
        return [self.folder / table / part / f"{number:05d}.parquet" for number, part in enumerate(parts)]

    def list_numbers(self) -> list[int]:
        """Return the numbers of the partitions with rows; a panel of few long series leaves some without any."""
        assert self.folder is not None
        counts: list[int] = json.loads((self.folder / MANIFEST).read_text())["rows"]
        return [number for number, count in enumerate(counts) if count]

    def select(
        self, source: SourceSpec, covariates: CovariateSpec, number: int | None = None
    ) -> tuple[SourceSpec, CovariateSpec]:
        """Return source and covariates of a partition, or of all those for training.

        Args:
            source, covariates: of the panel.
            number: of the partition, from 0; None for those for training.
        """
        if self.folder is None:
            return source, covariates
        rows, more = (
            self.folder / table / "training" if number is None else self.list_files(table)[number]
            for table in ("rows", "covariates")
        )
        if self.has_covariates:
            covariates = covariates.model_copy(update={"path": str(more)})
        return source.model_copy(update={"path": str(rows)}), covariates


def partition_source(
    source: SourceSpec, covariates: CovariateSpec, spec: PartitionSpec, folder: Path
) -> tuple[Partitions, SourceSpec, CovariateSpec]:
    """Divide a panel that is too large to be fitted whole.

    The files of an earlier run are used again if the table has not changed since.

    Args:
        source: of the panel.
        covariates: of the panel.
        spec: the sizes.
        folder: for the files.
    Returns:
        The partitions; and source and covariates of those for training. Of a smaller panel, and of tables other than
        CSV and Parquet files with a column of series, no partitions, and `source` and `covariates`.
    Raises:
        SeriesError: a file is damaged, or lacks a column.
    """
    num_rows = _count_rows(source)
    if num_rows <= spec.training_rows:
        return Partitions(), source, covariates
    partitions = _plan(source, covariates, spec, num_rows, folder)
    _divide(partitions, source, covariates)
    _remove_others(partitions)
    return partitions, *partitions.select(source, covariates)


def _count_rows(source: SourceSpec) -> int:
    path = expand_home(source.path) if source.path is not None and source.id is not None else None
    return count_rows(path, FILES) if path is not None and path.exists() and can_scatter(path) else 0


def _plan(
    source: SourceSpec, covariates: CovariateSpec, spec: PartitionSpec, num_rows: int, folder: Path
) -> Partitions:
    """Return the partitions, in a subfolder that is named by a hash of the table and of the parameters."""
    num_partitions = -(-num_rows // min(spec.rows, spec.training_rows))
    num_training = max(1, spec.training_rows * num_partitions // num_rows)
    paths = [path for path in (source.path, covariates.path) if path is not None]
    files = [file for path in paths for file in list_tables(Path(path))]
    facts = [(str(file.absolute()), file.stat().st_size, file.stat().st_mtime_ns) for file in files]
    given = [source.model_dump_json(), covariates.path, sorted(covariates.columns), spec.model_dump_json(), facts]
    own = folder / hashlib.sha256(json.dumps(given).encode()).hexdigest()[:16]
    has_covariates = covariates.path is not None and source.id in list_names(
        expand_home(covariates.path), [source.time, *covariates.future], _find_dialect(source)
    )
    return Partitions(own, num_training, num_partitions - num_training, num_rows, has_covariates)


def _find_dialect(source: SourceSpec) -> Dialect:
    return Dialect(source.sep, source.encoding, source.sheet)


def _divide(partitions: Partitions, source: SourceSpec, covariates: CovariateSpec) -> None:
    """Write the files of all partitions, unless they are complete."""
    assert partitions.folder is not None
    assert source.path is not None
    assert source.id is not None
    if (partitions.folder / MANIFEST).exists():
        logger.info("%s: the partitions of an earlier run are used", source.label)
        return
    keys = [source.id, source.time]
    tables = {"rows": (source.path, [*keys, source.target, *covariates.columns])}
    if partitions.has_covariates and covariates.path is not None:
        tables["covariates"] = (covariates.path, [*keys, *covariates.future])
    counts = {}
    for table, (path, columns) in tables.items():
        targets = partitions.list_files(table)
        for part in {file.parent for file in targets}:
            part.mkdir(parents=True, exist_ok=True)
        counts[table] = scatter_rows(expand_home(path), columns, source.id, targets, FILES, _find_dialect(source))
    numbers = {table: count.tolist() for table, count in counts.items()}
    replace_file(partitions.folder / MANIFEST, json.dumps(numbers).encode())
    _report_sample(partitions, source, sum(numbers["rows"]))


def _report_sample(partitions: Partitions, source: SourceSpec, num_rows: int) -> None:
    """Log the number of series of the fit, and warn if a larger one would be better."""
    assert source.id is not None
    num_fitted = count_values(partitions.list_files()[: partitions.num_training], source.id)
    logger.info(
        "%s: %s rows in %d partitions; the sample for a fit has %s series in %d of them",
        *(source.label, f"{num_rows:,}", len(partitions), f"{num_fitted:,}", partitions.num_training),
    )
    if num_fitted < FEW_SERIES:
        logger.warning(
            "%s: %d series may be too few for a fit; set partitions.training_rows above %d to fit on all series",
            *(source.label, num_fitted, partitions.num_rows),
        )


def _remove_others(partitions: Partitions) -> None:
    """Remove the files of other divided panels, which only take space; files that no run wrote stay."""
    assert partitions.folder is not None
    for folder in partitions.folder.parent.iterdir():
        if folder == partitions.folder or not OWN_FOLDER.fullmatch(folder.name) or not is_folder(folder):
            continue
        for parent, _, names in os.walk(folder, topdown=False):
            for path in (Path(parent, name) for name in names):
                if OWN_FILES.fullmatch(path.relative_to(folder).as_posix()) and is_regular(path):
                    path.unlink()
            if not os.listdir(parent):
                os.rmdir(parent)
