"""The command `evaluate`: a saved model and the values that came since its fit in, the errors of its forecasts out."""

from collections.abc import Mapping
from typing import Any

import click
import numpy as np
import pandas as pd

from rnn_pipelines.champion.folders import load_model
from rnn_pipelines.console.input_files import FILE, InputFile
from rnn_pipelines.console.predict import ID, MODEL, TARGET, TIME, TZ, unpack_saved
from rnn_pipelines.console.results import list_rows
from rnn_pipelines.console.settings import Command
from rnn_pipelines.errors import ParameterError, count
from rnn_pipelines.forecast.evaluation.metrics import average_over_series
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.newer_values import NAIVE, forecast_actuals, read_newer
from rnn_pipelines.forecast.report.next_values import tabulate_steps, write_times
from rnn_pipelines.forecast.report.styles import STYLES
from rnn_pipelines.networks.stages import begin_stage, show_stages
from rnn_pipelines.printing import print_json, print_text
from rnn_pipelines.reading.zones import show_table
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.report.page import Table
from rnn_pipelines.report.terminal import summarize
from rnn_pipelines.storage.formats import VOCABULARY


@click.command(cls=Command)
@MODEL
@FILE
@TIME
@TARGET
@ID
@TZ
@click.option("--json", "as_json", is_flag=True, help="Print the results as JSON.")
def evaluate(model: str, file: InputFile, as_json: bool, **source: Any) -> None:
    """Compare the forecasts of MODEL, a saved or promoted folder, with the values in FILE that came since.

    FILE has the values before them, too. The model forecasts from the end of its fit, and then once in each horizon, so
    that each value is forecast once.

    Exit codes: 0 compared, however large the errors are, 2 an error that you can correct, such as a file without newer
    values, 1 any other error.
    """
    with show_stages([("load the model", 0.1), ("read the file", 0.1), ("compare", 0.5)]):
        begin_stage("load the model")
        loaded = load_model(model, lambda files: _unpack(files, **source))
        begin_stage("read the file")
        frame = loaded.read(file)
        begin_stage("compare")
        artefact = loaded._require_fit()
        newer = read_newer(frame, loaded.spec, artefact)
        compared = forecast_actuals(artefact, newer)
        measured = measure_actuals(compared)
        by_time = tabulate_by_time(compared, loaded._find_zone())
    if as_json:
        print_json({**measured, "by_time": list_rows(by_time)})
        return
    table = format_by_time(by_time, measured["num_series"] > 1)
    print_text(summarize([*describe_actuals(measured), table]), is_titled=True)


def _unpack(files: Mapping[str, bytes], **source: Any) -> Forecaster:
    if VOCABULARY in files:
        raise ParameterError(
            "MODEL classifies texts. Compare the labels of rnn-pipelines predict with your own."
        )
    loaded = unpack_saved(files, **source)
    assert isinstance(loaded, Forecaster)
    return loaded


def measure_actuals(compared: Predictions) -> dict[str, Any]:
    """Return the errors of the forecasts of `forecast_actuals`, and the share of actuals inside each interval.

    The limits of a share are those of 95 % by the binomial distribution. The values of all series at one time share
    shocks, so that a time counts once.
    """
    from scipy.stats import binomtest

    table = compared.table
    times = write_times(table["ds"].sort_values())
    levels = []
    for level in compared.levels:
        inside = compared.find_inside(compared.use, level).dropna()
        if len(inside):
            num_inside = int(inside.sum())
            num_times = table.loc[inside.index, "ds"].nunique()
            limits = binomtest(round(inside.mean() * num_times), num_times).proportion_ci()
            levels.append(
                {
                    "level": level,
                    "num_inside": num_inside,
                    "num_values": len(inside),
                    "low": limits.low,
                    "high": limits.high,
                }
            )
    return {
        "use": compared.use,
        "num_values": len(table),
        "num_series": int(table["unique_id"].nunique()),
        "first": times[0],
        "last": times[-1],
        "mae": average_over_series(compared, "mae"),
        "intervals": levels,
    }


def tabulate_by_time(compared: Predictions, tz: str | None) -> pd.DataFrame:
    """Return the means over series at each time.

    Returns:
        `ds, actual, forecast`, the absolute errors `error, naive_error`, and shares from 0 to 1 such as `inside_80`.
    """
    table = show_table(compared.table, tz)
    errors = compared.errors.abs()
    columns = {
        "actual": table["y"],
        "forecast": table[compared.use],
        "error": errors[compared.use],
        "naive_error": errors[NAIVE],
    }
    for level in compared.levels:
        columns[f"inside_{level}"] = compared.find_inside(compared.use, level)
    return pd.DataFrame(columns).groupby(table["ds"]).mean().reset_index()


def describe_actuals(measured: dict[str, Any]) -> list[str]:
    """Return the sentences on `measure_actuals`: the error, the simple methods, and the intervals."""
    errors = dict(measured["mae"])
    error = errors.pop(measured["use"])
    naive = errors.pop(NAIVE, np.nan)
    num_series = measured["num_series"]
    of_series = f" of {num_series:,} series" if num_series > 1 else ""
    sentences = [
        f"The forecast was off by {format_number(error, 3)} on average, {_compare(error, naive)}over "
        f"{count(measured['num_values'], 'value')}{of_series} from {measured['first']} to {measured['last']}."
    ]
    if errors:
        best = min(errors, key=errors.__getitem__)
        sentences.append(
            f"Of {count(len(errors), 'simple method')} in the model, {STYLES[best].name} was best afterwards: off by "
            f"{format_number(errors[best], 3)}."
        )
    sentences.append(" ".join(map(_describe_interval, measured["intervals"])))
    return sentences


def _compare(error: float, naive: float) -> str:
    if not naive > 0:
        return ""
    change = 100 * (error / naive - 1)
    side = "below" if change < 0 else "above"
    return f"{abs(change):.0f} % {side} {STYLES[NAIVE].name} ({format_number(naive, 3)}), "


def _describe_interval(interval: dict[str, Any]) -> str:
    inside = interval["num_inside"]
    total = interval["num_values"]
    level = interval["level"]
    low = 100 * interval["low"]
    high = 100 * interval["high"]
    verdict = "it held" if low <= level <= high else "it did not hold, if times are independent"
    return (
        f"{level} % interval: {inside:,} of {count(total, 'value')} inside, {100 * inside / total:.0f} % (95 % limits "
        f"{low:.0f} to {high:.0f} %), {verdict}."
    )


def format_by_time(by_time: pd.DataFrame, is_panel: bool) -> Table:
    """Return the table of `tabulate_by_time` as text."""
    names = {
        "actual": "actual",
        "forecast": "forecast",
        "error": "off by",
        "naive_error": f"{STYLES[NAIVE].name} off by",
    }
    numbers = tabulate_steps("time", by_time, names)
    shares = {
        f"inside {name.removeprefix('inside_')} %": by_time[name]
        for name in by_time.columns[len(names) + 1 :]
    }
    cells = [
        [f"{100 * share:.0f} %" if is_panel else "yes" if share else "no" for share in column]
        for column in shares.values()
    ]
    rows = [[*row, *inside] for row, *inside in zip(numbers.rows, *cells, strict=True)]
    return Table([*numbers.header, *shares], rows)
