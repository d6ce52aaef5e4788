"""Commands of the project, under the names that Kedro looks for: `cli` and `run`."""

from rnn_pipelines.cli.champion import cli
from rnn_pipelines.cli.run_command import run

__all__ = ["cli", "run"]
