"""What Kedro and MLflow would tell their makers: nothing, however the project is started."""

import os


def turn_telemetry_off() -> None:
    """For this process and those that it starts.

    Files beside the code don't do: `.telemetry` is lost where a copy leaves dot files out, as the image does, and what
    a Makefile exports is not there for a bare `.venv/bin/kedro`. Kedro and its plugins load this package before they
    ask whether they may tell anything; MLflow reads its variable when it is imported. Set over whatever is there: an
    empty variable would count as a yes.
    """
    os.environ["KEDRO_DISABLE_TELEMETRY"] = "1"
    # Of DO_NOT_TRACK it knows the value true alone.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
