"""Accuracy on the IMDB reviews over several seeds, each a `kedro run --pipelines=sentiment`.

    IMDB_ARCHIVE=../shared/data/imdb/aclImdb_v1.tar.gz .venv/bin/python benchmarks/sentiment.py classic best

Cases: `classic` and `best` are the presets (`--env=classic` and the default settings); `swapped` is `best` trained on
the official test half and tested on the training half; `unlabelled` is the preset of this name;
`ratings` has the eight ratings for classes, and trains the GRU alone;
`words` is `unlabelled` with a GRU that reads words alone and knows neither n-grams nor pseudo-labels.
Prints the command of every run and a table row for every classifier; writes `benchmarks/results/sentiment_<case>.json`.
Settings were chosen on the validation part of the training half.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, read_reviews

PROJECT = Path(__file__).parents[1]
RESULTS = PROJECT / "benchmarks/results"
SWAPPED = PROJECT / "benchmarks/.data/swapped.parquet"

ROOTS = {
    "classic": "data/classic",
    "unlabelled": "data/unlabelled",
    "benchmark": "benchmarks/.data",
}
CASES = {
    "classic": ("classic", []),
    "best": ("benchmark", []),
    "ratings": (
        "benchmark",
        ["source.label=rating", "lstm.min_texts=1000000", "pointwise.min_texts=1000000"],
    ),
    "unlabelled": ("unlabelled", []),
    "words": (
        "unlabelled",
        ["gru.ngram_inputs=false", "gru.pseudo_labels=false", "gru.ngram_path=false"],
    ),
    "swapped": (
        "benchmark",
        [f"source.path={SWAPPED}", "source.group=group", "source.split=split"],
    ),
}
HEADINGS = {
    "accuracy": "accuracy, %",
    "f1": "F1",
    "macro_f1": "macro F1",
    "roc_auc": "ROC-AUC",
    "log_loss": "log loss",
    "calibration_error": "calibration error",
    "mean_absolute_error": "mean absolute error",
}


def run_case(case: str, seed: int) -> dict[str, Any]:
    """Runs the pipeline once and returns its metrics."""
    environment, settings = CASES[case]
    parameters = ",".join(
        f"sentiment.{setting}" for setting in [f"training.seed={seed}", *settings]
    )
    command = [
        sys.executable, "-m", "kedro", "run", "--pipelines=sentiment", f"--env={environment}",
        "--params", parameters,
    ]  # fmt: skip
    print("$ kedro", shlex.join(command[3:]), flush=True)
    started = time.perf_counter()
    finished = subprocess.run(
        command,
        check=False,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        env=os.environ | {"DO_NOT_TRACK": "1"},
    )
    if finished.returncode:
        sys.exit(finished.stderr)
    metrics: dict[str, Any] = json.loads(
        (PROJECT / ROOTS[environment] / "08_reporting/sentiment/metrics.json").read_text()
    )
    return metrics | {"seed": seed, "run_seconds": time.perf_counter() - started}


def swap_halves() -> None:
    """Writes the reviews with the official test half for training, and the training half for the test."""
    reviews = read_reviews(ReviewSourceSpec())
    swapped = reviews.assign(split=reviews["split"].map({"train": "test", "test": "train"}))
    SWAPPED.parent.mkdir(exist_ok=True)
    swapped[["text", "label", "group", "split"]].to_parquet(SWAPPED)


def summarize(runs: list[dict[str, Any]]) -> list[str]:
    """A Markdown table: mean ± deviation over seeds of each classifier, and the largest p-value."""
    metrics = [name for name in HEADINGS if name in runs[0]["nb_ngram"]]
    headings = [HEADINGS[name] for name in metrics]
    header = ["classifier", *headings, "training, s", "McNemar p"]
    rows = [_join(header), "|---" * len(header) + "|"]
    for name in [name for name, values in runs[0].items() if isinstance(values, dict)]:
        cells = [
            _spread([run[name][metric] for run in runs], 100 if metric == "accuracy" else 1)
            for metric in metrics
        ]
        seconds = f"{mean(run[name]['training_seconds'] for run in runs):.0f}"
        p_values = [
            run[name]["against_nb_ngram"]["p_value"]
            for run in runs
            if "against_nb_ngram" in run[name]
        ]
        rows.append(_join([name, *cells, seconds, f"{max(p_values):.2g}" if p_values else ""]))
    return rows


def _join(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _spread(values: list[float], factor: float) -> str:
    values = [factor * value for value in values]
    return f"{mean(values):.4g} ± {stdev(values):.2g}" if len(values) > 1 else f"{values[0]:.4g}"


def main() -> None:
    """Runs the cases that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "cases", nargs="+", choices=list(CASES), metavar="case", help=", ".join(CASES)
    )
    parser.add_argument("--seeds", type=int, default=3, help="seeds 0, 1, ...")
    arguments = parser.parse_args()
    for case in arguments.cases:
        if case == "swapped":
            swap_halves()
        runs = []
        for seed in range(arguments.seeds):
            runs.append(run_case(case, seed))
            # After each run, since one takes many minutes.
            (RESULTS / f"sentiment_{case}.json").write_text(json.dumps(runs, indent=1) + "\n")
        print(
            f"\n{case}, {len(runs)} seeds, a run takes {mean(run['run_seconds'] for run in runs):.0f} s\n"
        )
        print("\n".join(summarize(runs)), flush=True)


if __name__ == "__main__":
    main()
