"""The section on covariates in the report."""

from rnn_pipelines.forecast.evaluation.covariates import Covariates
from rnn_pipelines.report.notes import find_failure, write_note
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.report.page import Section, Table

READ_BY_ALL = (
    "Ridge, the mix and the networks read the same covariates; each ridge leaves them out where it was better without "
    "them on past windows that it had not seen."
)
EFFECTS_IN_WORDS = (
    "The effect is what one unit more of a column that is known ahead, or this category in place of the mean one, adds "
    "to the forecast of its own step, in the mix of simple methods; networks correct it."
)
PANEL_IN_WORDS = "Here it is the median over series."


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
    notes = [EFFECTS_IN_WORDS, *([PANEL_IN_WORDS] if num_series > 1 else [])]
    return [Section("Covariates", [tabulate_covariates(covariates), *notes])]


def tabulate_covariates(covariates: Covariates) -> Table:
    """Return role, encoding and effect of each covariate."""
    unit = "%" if covariates["is_percent"].any() else "unit of the data"
    rows = [[row.covariate, row.role, row.read_as, format_number(row.effect)] for row in covariates.itertuples()]
    return Table(header=["covariate", "role", "read as", f"effect, {unit}"], rows=rows, num_text_columns=3)
