"""The commands of `rnn-pipelines`, their errors and exit codes."""

import logging
import sys
import warnings

import click

from rnn_pipelines.console.explorer import explorer
from rnn_pipelines.console.export import export
from rnn_pipelines.console.forecast import forecast
from rnn_pipelines.console.homework import homework
from rnn_pipelines.console.predict import predict
from rnn_pipelines.console.sentiment import sentiment
from rnn_pipelines.console.serve import serve
from rnn_pipelines.console.settings import name_options
from rnn_pipelines.errors import (
    ChampionError,
    ParameterError,
    ReviewError,
    RnnPipelinesError,
    RunError,
    SeriesError,
)
from rnn_pipelines.printing import escape_log, print_text, rewrite_messages
from rnn_pipelines.version import __version__

# Errors that a change of the command or of the file resolves.
OF_USER = (SeriesError, ReviewError, ParameterError, ChampionError, RunError)
# The logger of `forecast.source.column_choice`, which is loaded only if it is needed.
OF_COLUMNS = "rnn_pipelines.forecast.source.column_choice"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rnn-pipelines")
@click.option(
    "--verbose", "-v", is_flag=True, help="Print the log: what was detected, repaired and chosen."
)
def commands(verbose: bool) -> None:
    """Forecast time series and classify texts with LSTM and GRU networks, compared with simple methods.

    Exit codes: 0 done, 2 an error that you can correct, 1 any other error.
    """
    logging.getLogger().setLevel(logging.INFO if verbose else logging.WARNING)
    # How the columns are read is always printed.
    logging.getLogger(OF_COLUMNS).setLevel(logging.INFO)
    warnings.simplefilter("ignore", FutureWarning)


for command in (forecast, sentiment, predict, explorer, export, serve, homework):
    commands.add_command(command)


def main() -> None:
    logging.basicConfig(format="%(message)s")
    # The first word that is no option of the group.
    command = next(
        (commands.commands[word] for word in sys.argv[1:] if word in commands.commands), forecast
    )
    options = {"FILE", *(option for parameter in command.params for option in parameter.opts)}
    escape_log(logging.getLogger().handlers)
    try:
        with rewrite_messages(lambda message: name_options(message, options)):
            commands.main(standalone_mode=False)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except RnnPipelinesError as error:
        print_text(f"Error: {error}", is_error=True)
        sys.exit(2 if isinstance(error, OF_USER) else 1)


if __name__ == "__main__":
    main()
