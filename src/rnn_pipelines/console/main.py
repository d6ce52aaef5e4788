"""The commands of `rnn-pipelines`, their errors and exit codes."""

import gc
import logging
import sys
import warnings

import click

from rnn_pipelines.console.lazy import LazyCommand
from rnn_pipelines.errors import (
    ChampionError,
    ParameterError,
    ReviewError,
    RnnPipelinesError,
    RunError,
    SeriesError,
)
from rnn_pipelines.printing import escape_log, print_text
from rnn_pipelines.version import __version__

# Errors that a change of the command or of the file resolves.
OF_USER = (SeriesError, ReviewError, ParameterError, ChampionError, RunError)
# The loggers of `forecast.source.column_choice` and `sentiment.text`, which are loaded only if they are needed.
OF_COLUMNS = ("rnn_pipelines.forecast.source.column_choice", "rnn_pipelines.sentiment.text")
# The first sentence of each command's help, by the module of `console` with the same name.
SUMMARIES = {
    "evaluate": "Compare the forecasts of MODEL, a saved or promoted folder, with the values in FILE that came since.",
    "explorer": "Show the gates of the networks in MODEL, a saved folder, on the series or texts in FILE.",
    "export": "Export the saved or promoted forecaster MODEL, a folder, to PATH.",
    "forecast": "Forecast the series in FILE, which is CSV, Parquet or Excel, or a folder of such files.",
    "homework": "Check the answers to the exercises of the course in FILE, a Python file with one function for each.",
    "join": "Join the forecasts of all parts of a divided panel, in FOLDER/joined; see `rnn-pipelines part`.",
    "part": "Forecast one part of a divided panel; FOLDER is named by a run with forecast.partitions.stop=fit.",
    "predict": "Apply the saved or promoted MODEL, a folder, to the series or texts in FILE.",
    "sentiment": "Learn the labels of the texts in FILE, which is CSV, Parquet or Excel.",
    "serve": "Serve the champions: GET /health, POST /forecast, POST /sentiment.",
}


@click.group(
    context_settings={"help_option_names": ["-h", "--help"]},
    commands=[
        LazyCommand(f"rnn_pipelines.console.{name}:{name}", name, summary)
        for name, summary in SUMMARIES.items()
    ],
)
@click.version_option(__version__, prog_name="rnn-pipelines")
@click.option(
    "--verbose", "-v", is_flag=True, help="Print the log: what was detected, repaired and chosen."
)
def commands(verbose: bool) -> None:
    """Forecast time series and classify texts with LSTM and GRU networks, compared with simple methods.

    Exit codes: 0 done, 2 an error that you can correct, 1 any other error.
    """
    logging.getLogger().setLevel(logging.INFO if verbose else logging.WARNING)
    # How the columns are read, and which texts are left out, is always printed.
    for name in OF_COLUMNS:
        logging.getLogger(name).setLevel(logging.INFO)
    warnings.simplefilter("ignore", FutureWarning)


def main() -> None:
    # A command holds many objects and few cycles: the search for these would take a sixth of the time of a short one.
    gc.set_threshold(100_000, 50, 50)
    logging.basicConfig(format="%(message)s")
    escape_log(logging.getLogger().handlers)
    try:
        commands.main(standalone_mode=False)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except RnnPipelinesError as error:
        print_text(f"Error: {error}", is_error=True)
        sys.exit(2 if isinstance(error, OF_USER) else 1)
    finally:
        # The memory is freed with the process.
        gc.freeze()


if __name__ == "__main__":
    main()
