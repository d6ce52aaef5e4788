"""The command `sentiment`: labelled texts in; the comparison of classifiers and a saved classifier out."""

import json

import click

from rnn_pipelines.champion.records import make_plain
from rnn_pipelines.console.input_files import FILE, InputFile
from rnn_pipelines.console.results import MODEL, choose_folder, write_folder
from rnn_pipelines.console.settings import QUIET, Command, parse_settings, set_option
from rnn_pipelines.networks.stages import begin_stage, show_stages
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.printing import print_json, print_text
from rnn_pipelines.report.terminal import align_columns
from rnn_pipelines.sentiment.fitting import fit_classifier, list_text_stages
from rnn_pipelines.sentiment.interface import read_sentiment_spec
from rnn_pipelines.sentiment.model.packing import pack
from rnn_pipelines.sentiment.report.tables import tabulate_classifiers
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, read_reviews


@click.command(cls=Command)
@FILE
@click.option("--text", "-t", default="text", show_default=True, help="Column of the texts.")
@click.option(
    "--label",
    "-l",
    default="label",
    show_default=True,
    help="Column of the labels: positive and negative.",
)
@click.option(
    "--group", help="Column of shops, films or authors, each of which stays on one side of a split."
)
@set_option("sentiment", "training.epochs=3")
@click.option(
    "--output",
    "-o",
    type=click.Path(),
    help="New folder of the results. By default <file>-sentiment.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@QUIET
def sentiment(
    file: InputFile,
    output: str | None,
    as_json: bool,
    quiet: bool,
    settings: tuple[str, ...],
    **columns: str | None,
) -> None:
    """Learn the sentiment of the labelled texts in FILE, which is CSV, Parquet or Excel.

    Prints the classifiers on held-out texts. The new folder has metrics.json, and the folder model for
    `rnn-pipelines predict`.
    """
    folder = choose_folder(file, "sentiment", output)
    spec = read_sentiment_spec(parse_settings(settings))
    source = read_parameter_model("source", ReviewSourceSpec, {"path": file, **columns})
    stages = [("read the file", 0.2), *list_text_stages(spec.networks), ("write the model", 0.1)]
    with show_stages(stages, False if quiet else None):
        begin_stage("read the file")
        classifier, metrics = fit_classifier(read_reviews(source), spec)
        begin_stage("write the model")
        plain = make_plain(metrics)
        content = json.dumps(plain, indent=2, allow_nan=False)
        write_folder(folder, {"metrics.json": f"{content}\n".encode()}, pack(classifier))
    if as_json:
        print_json({"metrics": plain, "folder": str(folder), "model": str(folder / MODEL)})
        return
    if quiet:
        print_text(folder)
        return
    table = tabulate_classifiers(metrics)
    print_text(align_columns([["on the test part", *table.header[1:]], *table.rows]))
    print_text(f"\n{folder / MODEL}")
