"""What a run says at its end, for a terminal: verdict and classifiers."""

from rnn_pipelines.report.terminal import align_columns, wrap_lines
from rnn_pipelines.sentiment.methods.calibration import choose_classifier
from rnn_pipelines.sentiment.report.figures import list_classifiers
from rnn_pipelines.sentiment.report.report import write_verdict
from rnn_pipelines.sentiment.report.tables import Calibrations, Metrics, tabulate_classifiers

# Columns of the report's table that say what a classifier costs.
COSTS = ("parameters", "training, s")


def summarize_run(metrics: Metrics, calibrations: Calibrations) -> str:
    """The verdict in a sentence, and all classifiers, the most accurate first.

    Args:
        metrics: of each classifier.
        calibrations: of each classifier; they say which is the best on validation.
    """
    table = tabulate_classifiers(metrics)
    rows_by_name = zip(list_classifiers(metrics), table.rows, strict=True)
    ranked = sorted(rows_by_name, key=lambda item: -metrics[item[0]]["accuracy"])
    kept = [place for place, name in enumerate(table.header) if name not in COSTS]
    header, *rows = [[row[place] for place in kept] for row in (table.header, *(row for _, row in ranked))]
    verdict = write_verdict(metrics, choose_classifier(calibrations))
    return "\n\n".join([wrap_lines(verdict), align_columns([["on the test part", *header[1:]], *rows])])
