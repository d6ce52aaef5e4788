"""The code of a forecaster that MLflow serves. MLflow runs a copy of this file, without the project."""

from pathlib import Path
from runpy import run_path

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext


class ServedForecaster(PythonModel):
    """The exported forecaster in the artifacts of a model, see `mlflow_model`."""

    def load_context(self, context: PythonModelContext) -> None:
        """Load the forecaster."""
        folder = Path(context.artifacts["forecaster"])
        self.program = run_path(str(folder / "forecaster.py"))
        self.forecaster = self.program["load"](folder)

    # Without type hints of the data, which MLflow would take for their schema.
    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """Forecast the steps after each series' end; see `predict` of the exported forecaster.

        Raises:
            MlflowException: the data or the parameters are wrong; the server answers 400 with the message.
        """
        given = params or {}
        try:
            found: pd.DataFrame = self.forecaster.predict(
                model_input, given.get("h"), given.get("level")
            )
        except self.program["RnnPipelinesError"] as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error
        return found


set_model(ServedForecaster())
