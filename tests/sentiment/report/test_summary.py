"""A run's last words: whether a network adds anything, and who is ahead."""

from collections.abc import Callable
from types import SimpleNamespace

from rnn_pipelines.report.terminal import WIDTH
from rnn_pipelines.sentiment.methods.calibration import choose_classifier
from rnn_pipelines.sentiment.report.report import write_verdict
from rnn_pipelines.sentiment.report.summary import summarize_run


def test_verdict_and_all_classifiers_stand_on_a_terminal(make_sentiment: Callable[..., SimpleNamespace]) -> None:
    made = make_sentiment()
    verdict, table = summarize_run(made.metrics, made.calibrations).split("\n\n")
    assert " ".join(verdict.split()) == write_verdict(made.metrics, choose_classifier(made.calibrations))
    header, *rows = table.splitlines()
    assert header.split()[:4] == ["on", "the", "test", "part"]
    accuracies = [float(row.split(" %")[0].split()[-1]) for row in rows]
    assert accuracies == sorted(accuracies, reverse=True)
    assert len(rows) == len(made.metrics) - 1
    assert max(map(len, [*verdict.splitlines(), header, *rows])) <= WIDTH
