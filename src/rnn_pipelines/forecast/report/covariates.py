"""The section on covariates in the report."""

from rnn_pipelines.forecast.evaluation.covariates import Covariates
from rnn_pipelines.report.notes import find_failure, write_note
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.report.page import Section, Table
from rnn_pipelines.report.texts import read_texts

NOTES = read_texts("rnn_pipelines.forecast.report")["covariates"]


def report_covariates(covariates: Covariates, num_series: int) -> list[Section]:
    """Return the section on covariates; empty if none are read.

    Args:
        covariates: see `CovariatesTable`, or a note on a failure.
        num_series: of the run.
    """
    if (reason := find_failure(covariates)) is not None:
        return [Section("Covariates", [write_note(reason)])]
    if covariates.empty:
        return []
    notes = [NOTES["effects"], *([NOTES["panel"]] if num_series > 1 else [])]
    return [Section("Covariates", [tabulate_covariates(covariates), *notes])]


def tabulate_covariates(covariates: Covariates) -> Table:
    """Return role, encoding and effect of each covariate."""
    unit = "%" if covariates["is_percent"].any() else "unit of the data"
    rows = [[row.covariate, row.role, row.read_as, format_number(row.effect)] for row in covariates.itertuples()]
    return Table(header=["covariate", "role", "read as", f"effect, {unit}"], rows=rows, num_text_columns=3)
