"""The command `forecast`: one file in; answer, next values and a folder with the report out."""

import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from rnn_pipelines.champion.records import make_plain
from rnn_pipelines.console.input_files import FILE, InputFile
from rnn_pipelines.console.results import (
    MODEL,
    choose_folder,
    list_rows,
    open_page,
    write_folder,
)
from rnn_pipelines.console.settings import (
    COLUMNS,
    OF_FILE,
    OPEN,
    QUIET,
    TOTAL,
    Blocks,
    Command,
    parse_settings,
    set_option,
)
from rnn_pipelines.forecast.fitting import (
    Evaluated,
    Fitted,
    evaluate_fitted,
    fit_forecasters,
    list_stages,
    make_champion,
)
from rnn_pipelines.forecast.model.packing import pack
from rnn_pipelines.forecast.parameters import (
    ForecastSpec,
    pop_parameters,
    read_parameter_models,
    use_pretrained_alone,
)
from rnn_pipelines.forecast.recipe import read_with_covariates
from rnn_pipelines.forecast.report.answer import list_answer
from rnn_pipelines.forecast.report.next_values import restore_numbers, round_totals, tabulate_used
from rnn_pipelines.forecast.report.report import render_fitted
from rnn_pipelines.forecast.report.summary import summarize_forecast
from rnn_pipelines.forecast.report.verdict import write_verdict
from rnn_pipelines.forecast.source.column_choice import choose_file_columns
from rnn_pipelines.forecast.source.covariates import add_groups
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.table_form import TableForm
from rnn_pipelines.forecast.totals.adding import Totals
from rnn_pipelines.forecast.totals.next_totals import add_fitted
from rnn_pipelines.forecast.totals.specs import TotalsSpec
from rnn_pipelines.networks.stages import begin_stage, show_stages
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.printing import print_json, print_text
from rnn_pipelines.reading.zones import show_table
from rnn_pipelines.storage.spreadsheets import write_csv

FILES = {
    "report": "report.html",
    "next_values": "next_values.csv",
    "next_totals": "next_totals.csv",
    "all_methods": "all_methods.csv",
    "metrics": "metrics.json",
    "model": MODEL,
}
EXCEL = "next_values.xlsx"


# Options that are parameters of the block `source`.
OF_SOURCE = ("time", "target", "id", "wide", "tz", "sheet")
# Options that are parameters of the block `window`.
OF_WINDOW = ("horizon", "lookback")


@click.command(cls=Command)
@FILE
@click.option(
    "--time", "-t", help="Column of the times. By default ds, or else the column of dates."
)
@click.option(
    "--target",
    "-y",
    help="Column of the values. By default y, or else the only other one of numbers.",
)
@click.option("--id", "-i", help="Column with the names of the series, if there are several.")
@click.option("--wide", is_flag=True, help="Each column of numbers is a series.")
@click.option("--tz", help="Time zone of the times, such as Europe/Berlin.")
@click.option("--sheet", help="Sheet of an Excel file. By default the only one with a table.")
@click.option(
    "--horizon",
    "-H",
    type=int,
    help="Steps ahead. By default by the frequency: 14 days, 12 months, …",
)
@click.option(
    "--lookback",
    type=int,
    help="Steps back that a forecast reads. By default by frequency and length.",
)
@click.option(
    "--level", type=int, multiple=True, default=(80, 95), help="An interval in percent; repeat it."
)
@click.option(
    "--future", multiple=True, help="A column that is known in advance, such as a price; repeat it."
)
@click.option(
    "--past", multiple=True, help="A column that is known up to the last value; repeat it."
)
@TOTAL
@click.option("--holidays", help="A country with its public holidays, such as DE or US.")
@click.option(
    "--use",
    help="The method of the forecast: ensemble, best or a name, such as theta. By default ensemble.",
)
@click.option(
    "--fast",
    is_flag=True,
    help="Fit no networks and trees: other simple methods and the pretrained network.",
)
@set_option("a forecast", "training.seed=1")
@click.option(
    "--output",
    "-o",
    type=click.Path(),
    help="New folder of the results. By default <file>-forecast.",
)
@COLUMNS
@click.option(
    "--excel", is_flag=True, help="Write next_values.xlsx with history, forecasts and charts, too."
)
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
@QUIET
@OPEN
def forecast(
    file: InputFile,
    output: str | None,
    as_json: bool,
    quiet: bool,
    is_opened: bool,
    settings: tuple[str, ...],
    **options: Any,
) -> None:
    """Forecast the series in FILE, which is CSV, Parquet or Excel, or a folder of such files.

    Prints the next values, their usual error and the best methods on the held-out part. The new folder has report.html,
    next_values.csv, all_methods.csv, metrics.json, and the folder model for `rnn-pipelines predict`.
    """
    folder = choose_folder(file, "forecast", output)
    given = parse_settings(settings)
    if quiet:
        # The line of the columns.
        logging.getLogger(choose_file_columns.__module__).setLevel(logging.WARNING)
    stages = (
        ("read the file", 0.2),
        *list_stages(options["fast"]),
        ("evaluate", 1.25 if options["fast"] else 2.0),
        ("write the report", 1.7 if options["fast"] else 2.8),
    )
    with show_stages(stages, False if quiet else None):
        begin_stage("read the file")
        totals_spec = read_parameter_model("total", TotalsSpec, options["total"])
        spec = read_spec(file, options, given)
        read = add_groups(spec.covariates, totals_spec.columns)
        tables = read_with_covariates(spec.source, read, spec.window)
        # A temporary file is named after its address.
        source = spec.source.model_copy(update={"path": file.label})
        fitted = fit_forecasters(*tables, spec.model_copy(update={"source": source}))
        begin_stage("evaluate")
        evaluated = evaluate_fitted(fitted)
        totals = add_fitted(fitted, evaluated.future, totals_spec, tables[1])
        begin_stage("write the report")
        report = render_fitted(fitted, evaluated, "console", totals)
        files = _list_files(fitted, evaluated, totals, report, options)
        write_folder(folder, files, pack(make_champion(fitted)))
    page = folder / FILES["report"]
    if is_opened:
        open_page(page)
    if as_json:
        print_json(_list_results(fitted, evaluated, folder) | {"next_totals": list_rows(totals)})
        return
    if quiet:
        print_text(folder)
        return
    profile = fitted.panel.profile
    summary = summarize_forecast(
        evaluated.metrics, evaluated.future, profile, program="console", totals=totals
    )
    print_text(summary, is_titled=True)
    print_text(f"\n{page}")


def read_spec(file: str, options: Mapping[str, Any], given: Blocks) -> ForecastSpec:
    """Return the parameters of a forecast; those of `--set` add to those of the other options."""
    covariates = {name: list(options[name]) for name in ("future", "past")} | {
        "holidays": options["holidays"]
    }
    by_options = {
        "source": {"path": file} | {name: options[name] for name in OF_SOURCE if options[name]},
        "covariates": {name: value for name, value in covariates.items() if value},
        "window": {name: options[name] for name in OF_WINDOW if options[name] is not None},
    }
    blocks = dict(given)
    for name, block in by_options.items():
        blocks[name] = {**block, **pop_parameters(name, blocks)}
    blocks.setdefault("level", list(options["level"]))
    if options["use"]:
        blocks["use"] = options["use"]
    if options["fast"]:
        blocks["pretrained"] = use_pretrained_alone(blocks.get("pretrained"))
    blocks["source"] = _find_columns(blocks["source"], blocks["covariates"])
    return read_parameter_models(blocks, source=SourceSpec)


def _find_columns(given: Blocks, covariates: Mapping[str, Any]) -> Blocks:
    """Return the block `source` with the columns of times, values and series; see `choose_columns`."""
    source = read_parameter_model("source", SourceSpec, given)
    listed = [
        column for block in ("future", "past", "static") for column in covariates.get(block, [])
    ]
    columns = choose_file_columns(source, given, listed)
    return given | {name: getattr(columns, name) for name in ("time", "target", "id", "wide")}


def _list_files(
    fitted: Fitted,
    evaluated: Evaluated,
    totals: Totals,
    report: str,
    options: Mapping[str, Any],
) -> dict[str, bytes]:
    metrics = json.dumps(make_plain(evaluated.metrics.to_json()), indent=2, allow_nan=False)
    profile = fitted.panel.profile
    form = fitted.settings.table or TableForm()
    next_values = tabulate_used(evaluated.future, profile["dead"])
    write = form.write_csv if options["columns"] == OF_FILE else write_csv
    files = {
        FILES["report"]: report.encode(),
        FILES["next_values"]: write(next_values),
        FILES["all_methods"]: write_csv(restore_numbers(evaluated.future.table)),
        FILES["metrics"]: f"{metrics}\n".encode(),
    }
    if options["total"]:
        files[FILES["next_totals"]] = write(round_totals(totals))
    if options["excel"]:
        from rnn_pipelines.forecast.report.workbook import write_workbook

        series = show_table(fitted.panel.series, profile["tz"])
        files[EXCEL] = write_workbook(series, evaluated.future, form)
    return files


def _list_results(fitted: Fitted, evaluated: Evaluated, folder: Path) -> dict[str, object]:
    """Return the results for programs; the documentation names the keys."""
    profile = fitted.panel.profile
    metrics = evaluated.metrics
    return {
        "source": profile["source"],
        "columns": {**profile["columns"], "target": profile["target"]},
        "frequency": str(profile["freq"]),
        "lookback": profile["lookback"],
        "horizon": profile["horizon"],
        "repairs": list(profile["repairs"]),
        "answer": list_answer(metrics, evaluated.future, profile),
        "verdict": write_verdict(metrics),
        "use": metrics.use,
        "deciding_metric": metrics.deciding,
        "leaderboard": make_plain(
            [{"forecaster": name, **metrics.forecasters[name]} for name in metrics.rank()]
        ),
        "next_values": list_rows(tabulate_used(evaluated.future, profile["dead"])),
        "folder": str(folder),
        "files": {name: str(folder / file) for name, file in FILES.items()},
    }
