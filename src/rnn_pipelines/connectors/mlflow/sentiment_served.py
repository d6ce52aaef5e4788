"""The code of a text classifier that MLflow serves. MLflow runs a copy of this file, with the project installed."""

from pathlib import Path

from mlflow.exceptions import MlflowException
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel, PythonModelContext

from rnn_pipelines.errors import RnnPipelinesError
from rnn_pipelines.sentiment.interface import TextClassifier


class ServedClassifier(PythonModel):
    """The text classifier in the artifacts of a model, see `mlflow_model`."""

    def load_context(self, context: PythonModelContext) -> None:
        folder = Path(context.artifacts["classifier"])
        self.classifier = TextClassifier.unpack(
            {path.name: path.read_bytes() for path in folder.iterdir()}
        )

    # Without type hints of the data, which MLflow would take for their schema.
    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """Return the sentiment of each text; a missing one is an MlflowException, which the server answers with 400."""
        try:
            return self.classifier.predict(model_input["text"].tolist())
        except RnnPipelinesError as error:
            raise MlflowException.invalid_parameter_value(str(error)) from error


set_model(ServedClassifier())
