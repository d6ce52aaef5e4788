"""Accuracy on the IMDB reviews with few labels: how many labels does a classifier need?

    IMDB_ARCHIVE=<the archive> .venv/bin/python benchmarks/learning_curve.py [--labels 8 32 128 512 2048] [--draws 5]
    IMDB_ARCHIVE=<the archive> .venv/bin/python benchmarks/learning_curve.py --unlabelled --labels 512 2048 --draws 1

`--labels` are training reviews of each of the two classes, drawn from the archive's training half; a tenth of them are
the validation part. The test part is the archive's. Beside the classifier with default settings, which trains no
network here, is the logistic regression of `texts.py`. With `--unlabelled`, a GRU that reads words alone learns the
50,000 unlabelled reviews from pseudo-labels, too.

Prints a table row for each number of labels, and writes `benchmarks/results/learning_curve.json`, or
`learning_curve_unlabelled.json`.
"""

import argparse
import json
import time
from pathlib import Path
from statistics import mean
from typing import Any

import pandas as pd
from texts import draw_labels, score_tfidf, spread

from rnn_pipelines.sentiment.fitting import fit_classifier
from rnn_pipelines.sentiment.interface import read_sentiment_spec
from rnn_pipelines.sentiment.methods.calibration import choose_best_classifier
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, read_reviews

RESULTS = Path(__file__).parent / "results"
# As in the preset `unlabelled`, with so few labels, too. A teacher of few labels has no need of a perturbation.
UNLABELLED = {
    "gru": {"ngram_inputs": False, "pseudo_labels": True, "min_texts": 0},
    "training": {"epochs": 2, "batch_size": 256, "learning_rate": 0.01},
}


def run(table: pd.DataFrame, labels: str, seed: int, blocks: dict[str, Any]) -> dict[str, Any]:
    """Scores on the test part for one draw of labels."""
    drawn = draw_labels(table, labels, seed)
    unlabelled = table[table["split"] == "unlabelled"]
    reviews = pd.concat([drawn, unlabelled]).astype({"label": table["label"].dtype})
    # No groups: with a few films, a part can have a single class.
    reviews = reviews.assign(group=reviews["review_id"])
    started = time.process_time()
    fitted = fit_classifier(reviews.reset_index(drop=True), read_sentiment_spec(blocks))
    seconds = time.process_time() - started
    chosen = choose_best_classifier(fitted.parts.calibrations)
    metrics = fitted.metrics[chosen]
    return {
        "labels": labels,
        "seed": seed,
        "classifier": chosen,
        "accuracy": metrics["accuracy"],
        "calibration_error": metrics["calibration_error"],
        "ngrams_accuracy": fitted.metrics[NB_NGRAM]["accuracy"],
        # Both classes have as many reviews, so that macro F1 is close to the accuracy.
        "tfidf_macro_f1": score_tfidf(drawn),
        "processor_seconds": seconds,
    }


def format_row(runs: list[dict[str, Any]]) -> str:
    """A table row: the means of some draws, with their deviation."""
    columns = {key: [each[key] for each in runs] for key in runs[0]}
    cells = [
        runs[0]["labels"],
        spread(columns["accuracy"]),
        spread(columns["ngrams_accuracy"]),
        spread(columns["tfidf_macro_f1"]),
        f"{mean(columns['calibration_error']):.3f}",
        f"{mean(columns['processor_seconds']):.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Runs the numbers of labels that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", nargs="+", default=["8", "32", "128", "512", "2048"])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--unlabelled", action="store_true")
    arguments = parser.parse_args()
    table = read_reviews(ReviewSourceSpec(unlabelled=arguments.unlabelled))
    blocks = UNLABELLED if arguments.unlabelled else {}
    name = "learning_curve_unlabelled" if arguments.unlabelled else "learning_curve"
    print(
        "| labels a class | accuracy, % | n-grams, % | TF-IDF, macro F1, % | calibration error | s |"
    )
    print("|---|---|---|---|---|---|")
    runs = []
    for labels in arguments.labels:
        here = [run(table, labels, seed, blocks) for seed in range(arguments.draws)]
        runs += here
        print(format_row(here), flush=True)
        (RESULTS / f"{name}.json").write_text(json.dumps(runs, indent=1) + "\n")


if __name__ == "__main__":
    main()
