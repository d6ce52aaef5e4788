"""The summary of a run for the terminal: verdict and classifiers."""

from rnn_pipelines.report.terminal import align_columns, wrap_lines
from rnn_pipelines.sentiment.methods.calibration import choose_classifier
from rnn_pipelines.sentiment.report.figures import list_classifiers
from rnn_pipelines.sentiment.report.report import write_verdict
from rnn_pipelines.sentiment.report.tables import Calibrations, Metrics, tabulate_classifiers

# The cost columns of the report's table.
COSTS = ("parameters", "training, s")


def summarize_run(metrics: Metrics, calibrations: Calibrations) -> str:
    """Return the verdict in one sentence and a table of all classifiers by descending accuracy.

    Args:
        metrics: of each classifier.
        calibrations: of each classifier.
    """
    table = tabulate_classifiers(metrics)
    rows_by_name = zip(list_classifiers(metrics), table.rows, strict=True)
    ranked = sorted(rows_by_name, key=lambda item: -metrics[item[0]]["accuracy"])
    kept = [place for place, name in enumerate(table.header) if name not in COSTS]
    header, *rows = [[row[place] for place in kept] for row in (table.header, *(row for _, row in ranked))]
    verdict = write_verdict(metrics, choose_classifier(calibrations))
    return "\n\n".join([wrap_lines(verdict), align_columns([["on the test part", *header[1:]], *rows])])
