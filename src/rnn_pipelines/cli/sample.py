"""`kedro sample`: an environment with made-up rows in the form of the table in use."""

import json
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.utils import env_option
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession

from rnn_pipelines.cli.options import add_exit_codes
from rnn_pipelines.cli.run_command import show_plainly
from rnn_pipelines.forecast.operations.sample import make_sample, profile_table
from rnn_pipelines.forecast.recipe import read_with_covariates
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.printing import print_text
from rnn_pipelines.storage.files import require_new, write_new

# In the folder of the configuration.
SAMPLE = Path("conf/sample")
PROFILE, ROWS, PARAMETERS = "profile.json", "rows.csv", "parameters_forecast.yml"


@click.command()
@env_option
@add_exit_codes()
@show_plainly()
def sample(env: str | None) -> None:
    """Write conf/sample, so that kedro run --env=sample runs without your data.

    The rows are made up from the form of the table: its columns, spacing, number of series, shares of empty cells and
    digits after the point. No file has a value, an id or a text of the table.
    """
    session = KedroSession.create(env=env)
    with session:
        pipelines.set_requested(["forecast"])
        context = session.load_context()
        folder = context.project_path / SAMPLE
        for name in (ROWS, PARAMETERS, PROFILE):
            require_new(folder / name, "Remove it to make another sample.")
        catalog: Any = context.catalog
        source, covariates, window = (
            catalog.load(f"params:forecast.{block}") for block in ("source", "covariates", "window")
        )
        external = catalog.load("forecast_external")
    table, covariate_table = read_with_covariates(source, covariates, window, external)
    profile = profile_table(table, covariate_table, source, covariates, window.horizon)
    sampled = SourceSpec(
        path=str(SAMPLE / ROWS),
        time=profile["time"],
        target=profile["target"],
        id=profile["id"],
        freq=profile["freq"],
        unavailable=profile["available"],
    )
    blocks = {
        "source": sampled.model_dump(mode="json"),
        "covariates": covariates.model_dump(mode="json") | {"path": None},
        "window": {"horizon": profile["num_ahead"]},
    }
    # JSON is YAML.
    write_new(folder / ROWS, make_sample(profile).to_csv(index=False).encode())
    write_new(folder / PARAMETERS, json.dumps({"forecast": blocks}, indent=2).encode())
    write_new(folder / PROFILE, json.dumps(profile, indent=2).encode())
    print_text(f"{folder}: made-up rows. Run kedro run --env=sample.")
