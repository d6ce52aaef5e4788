"""The command `sentiment`: labelled texts in; the comparison of classifiers and a saved classifier out."""

import json
import logging

import click

from rnn_pipelines.champion.records import make_plain
from rnn_pipelines.console.input_files import FILE, InputFile
from rnn_pipelines.console.results import MODEL, choose_folder, open_page, write_folder
from rnn_pipelines.console.settings import OPEN, QUIET, Command, parse_settings, set_option
from rnn_pipelines.networks.stages import begin_stage, show_stages
from rnn_pipelines.parameter_models import join_parameters, read_parameter_model
from rnn_pipelines.printing import print_json, print_text
from rnn_pipelines.sentiment.fitting import fit_classifier, list_text_stages
from rnn_pipelines.sentiment.interface import describe_parameters, read_sentiment_spec
from rnn_pipelines.sentiment.model.packing import pack
from rnn_pipelines.sentiment.report.fitted import report_fitted
from rnn_pipelines.sentiment.text import column_choice
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, read_reviews

PAGE = "report.html"
COLUMNS = {"text", "label", "group", "split"}


@click.command(cls=Command)
@FILE
@click.option(
    "--text", "-t", help="Column of the texts. By default text, or else the one of the longest."
)
@click.option(
    "--label",
    "-l",
    help="Column of 2 to 50 labels, the classes. By default label, or else the only other one.",
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
@OPEN
def sentiment(
    file: InputFile,
    output: str | None,
    as_json: bool,
    quiet: bool,
    is_opened: bool,
    settings: tuple[str, ...],
    **columns: str | None,
) -> None:
    """Learn the labels of the texts in FILE, which is CSV, Parquet or Excel.

    Prints classes and classifiers on held-out texts. The new folder has report.html, metrics.json, and the folder model
    for `rnn-pipelines predict`.
    """
    folder = choose_folder(file, "sentiment", output)
    if quiet:
        logging.getLogger(column_choice.__package__).setLevel(logging.WARNING)
    blocks = parse_settings(settings)
    named = {name: column for name, column in columns.items() if column is not None}
    source_block = join_parameters({"path": file, **named}, blocks.pop("source", None))
    spec = read_sentiment_spec(blocks)
    source = read_parameter_model("source", ReviewSourceSpec, source_block)
    stages = [("read the file", 0.2), *list_text_stages(spec.networks), ("write the report", 2.0)]
    with show_stages(stages, False if quiet else None):
        begin_stage("read the file")
        source = column_choice.choose_text_columns(source, COLUMNS & source.model_fields_set)
        fitted = fit_classifier(read_reviews(source), spec)
        begin_stage("write the report")
        # A temporary file is named after its address.
        source = source.model_copy(update={"path": file.label})
        report = report_fitted(fitted, describe_parameters(spec, source))
        plain = make_plain(fitted.metrics)
        content = json.dumps(plain, indent=2, allow_nan=False)
        files = {PAGE: report.render().encode(), "metrics.json": f"{content}\n".encode()}
        write_folder(folder, files, pack(fitted.classifier))
    page = folder / PAGE
    if is_opened:
        open_page(page)
    if as_json:
        print_json({"metrics": plain, "folder": str(folder), "model": str(folder / MODEL)})
        return
    if quiet:
        print_text(folder)
        return
    print_text(report.summarize(), is_titled=True)
    print_text(f"\n{page}")
