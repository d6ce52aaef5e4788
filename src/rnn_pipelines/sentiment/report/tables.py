"""The tables of `sentiment`: classifiers, sources of their accuracy, calibration and data."""

from collections.abc import Mapping, Sequence

from rnn_pipelines.report.numbers import NO_NUMBER, format_p_cell, format_percent, format_points
from rnn_pipelines.report.page import Table, mark_best
from rnn_pipelines.sentiment.evaluation.metrics import ClassifierMetrics, MetricName
from rnn_pipelines.sentiment.methods.calibration import Calibration, choose_classifier
from rnn_pipelines.sentiment.methods.registry import ENSEMBLE, NB_NGRAM, list_candidates, name_alone
from rnn_pipelines.sentiment.report.figures import list_classifiers
from rnn_pipelines.sentiment.report.styles import get_styles
from rnn_pipelines.sentiment.text.schema import PARTS
from rnn_pipelines.sentiment.text.splits import ReviewProfile

# The columns of the metrics.
COLUMNS: dict[MetricName, int] = {"accuracy": 1, "f1": 3, "roc_auc": 4, "log_loss": 5, "calibration_error": 6}
HIGHER_IS_BETTER = ("accuracy", "f1", "roc_auc")
Metrics = Mapping[str, ClassifierMetrics]
Calibrations = Mapping[str, Calibration]


def tabulate_classifiers(metrics: Metrics) -> Table:
    """Return a table of metrics, parameters and training seconds of each classifier; the best values are marked."""
    names, styles = list_classifiers(metrics), get_styles()
    rows = [
        [
            styles[name].name,
            format_percent(metrics[name]["accuracy"]),
            f"{100 * metrics[name]['accuracy_low']:.2f}–{100 * metrics[name]['accuracy_high']:.2f}",
            *(_format_metric(key, metrics[name][key]) for key in ("f1", "roc_auc", "log_loss", "calibration_error")),
            f"{metrics[name]['num_parameters']:,}",
            f"{metrics[name]['training_seconds']:,.1f}",
        ]
        for name in names
    ]
    columns = ["accuracy", "95 % interval", "F1", "ROC-AUC", "log loss", "calibration error"]
    return Table(
        header=["classifier", *columns, "parameters", "training, s"],
        rows=rows,
        best=_mark_best(rows, {key: [metrics[name][key] for name in names] for key in COLUMNS}),
    )


def _mark_best(
    rows: Sequence[Sequence[str]], values: Mapping[MetricName, Sequence[float]]
) -> frozenset[tuple[int, int]]:
    high, low = (
        {COLUMNS[key]: values[key] for key in values if (key in HIGHER_IS_BETTER) is is_high}
        for is_high in (True, False)
    )
    return mark_best(rows, high, max) | mark_best(rows, low)


def _format_metric(key: str, value: float) -> str:
    return format_percent(value) if key == "accuracy" else f"{value:.4f}"


def tabulate_sources(metrics: Metrics, calibrations: Calibrations) -> Table:
    """Return a table of the parts of each classifier and its gain over the n-gram classifier."""
    rows, styles = [], get_styles()
    for name in list_classifiers(metrics):
        accuracy, test = metrics[name]["accuracy"], metrics[name].get("against_nb_ngram")
        added = [NO_NUMBER] * 4
        if test is not None:
            added = [
                format_points(accuracy - metrics[NB_NGRAM]["accuracy"]),
                f"{test['only_reference_wrong']:,}",
                f"{test['only_this_wrong']:,}",
                format_p_cell(test["p_value"]),
            ]
        parts = ", ".join(styles[part].name for part in calibrations[name]["weights"])
        rows.append([styles[name].name, parts, format_percent(accuracy), *added])
    return Table(
        header=["classifier", "parts", "accuracy", "points", "gained", "lost", "McNemar p"],
        rows=rows,
        num_text_columns=2,
        caption=f"Each classifier against {styles[NB_NGRAM].name}",
    )


def tabulate_gains(metrics: Metrics) -> Table:
    """Return a table of the gains of recurrence, the n-gram path (if there is one) and the ensemble, in points."""
    styles, cells = get_styles(), list_candidates()
    steps = [
        ("recurrent layer", "the network without recurrence", [("pointwise", cell) for cell in cells]),
        ("n-gram path", "the network alone", [(name_alone(cell), cell) for cell in cells]),
        ("other cell", "one cell", [(cell, ENSEMBLE) for cell in cells]),
    ]
    rows = [
        [*what, *(format_points(metrics[after]["accuracy"] - metrics[before]["accuracy"]) for before, after in pairs)]
        for *what, pairs in steps
        if all(before in metrics for before, _ in pairs)
    ]
    header = ["added part", "to", *(styles[cell].name for cell in cells)]
    return Table(header, rows, num_text_columns=2, caption="Gain of each part in percentage points")


def tabulate_calibrations(calibrations: Calibrations) -> Table:
    """Return a table of the weights of each classifier's parts; the lowest validation loss of a candidate is marked."""
    names, styles = list_classifiers(calibrations), get_styles()
    parts = list_classifiers({part for name in names for part in calibrations[name]["weights"]})
    rows = [
        [
            styles[name].name,
            *(_format_weight(calibrations[name]["weights"].get(part)) for part in parts),
            _format_weight(calibrations[name]["intercept"]),
            f"{calibrations[name]['validation_log_loss']:.4f}",
        ]
        for name in names
    ]
    return Table(
        header=[
            "classifier",
            *(f"weight of {styles[part].name}" for part in parts),
            "intercept",
            "validation log loss",
        ],
        rows=rows,
        best=frozenset({(names.index(choose_classifier(calibrations)), len(parts) + 2)}),
    )


def _format_weight(weight: float | None) -> str:
    return NO_NUMBER if weight is None else f"{weight:.3f}".replace("-", "−")


def tabulate_parts(profile: ReviewProfile) -> Table:
    """Return a table of reviews, groups and share of positive reviews by part."""
    rows = []
    for part in PARTS:
        if part in profile["num_reviews"]:
            positive = profile["positive_fraction"].get(part)
            counts = [f"{profile[key][part]:,}" for key in ("num_reviews", "num_groups")]
            rows.append([part, *counts, NO_NUMBER if positive is None else format_percent(positive, 1)])
    return Table(["part", "reviews", "groups", "positive"], rows)


def tabulate_profile(profile: ReviewProfile) -> Table:
    """Return a table of dropped reviews, shared groups and review lengths."""
    dropped, words = profile["num_dropped"], profile["num_words"]
    rows = [
        ["dropped, because the text is in the test part", f"{dropped['in_test']:,}"],
        ["dropped, because the text is repeated", f"{dropped['repeated']:,}"],
        ["groups in training and test part", f"{profile['num_groups_in_train_and_test']:,}"],
        ["words of a review, mean", f"{words['mean']:,.0f}"],
        ["words of a review, median", f"{words['median']:,.0f}"],
        ["words of a review, maximum", f"{words['max']:,}"],
    ]
    return Table(["fact", "count"], rows)
