"""The telemetry of Kedro and MLflow, which is always off."""

import os


def turn_telemetry_off() -> None:
    """Turn telemetry off for this process and its child processes.

    Files are not enough: copies without dot files, such as the image, lack `.telemetry`, and `.venv/bin/kedro` does not
    get the variables of the Makefile. Kedro and its plugins import this package before they check the variable; MLflow
    reads its own at import. Existing values are overwritten, because an empty variable would permit telemetry.
    """
    os.environ["KEDRO_DISABLE_TELEMETRY"] = "1"
    # MLflow accepts only the value true for DO_NOT_TRACK.
    os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"
