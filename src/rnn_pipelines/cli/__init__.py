"""Commands of the project, by the names that Kedro expects: `cli` and `run`."""

from rnn_pipelines.cli.champion import cli
from rnn_pipelines.cli.run_command import run

__all__ = ["cli", "run"]
