"""Names, colours and dashes of all forecasters, and titles of axes, in the reports."""

from rnn_pipelines.forecast.evaluation.metrics import METRICS
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE_STYLES
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS, TRAINED_BEFORE
from rnn_pipelines.report.styles import REFERENCE_COLOR, Style, Styles

FLOOR = {"noise_floor": Style("noise floor", REFERENCE_COLOR, "longdash")}
STYLES = Styles(NETWORKS, TRAINED_BEFORE, METHODS, {**ENSEMBLE_STYLES, **FLOOR})
# The unit of the data is not known, so that these axes name none.
VALUE_AXIS, ERROR_AXIS = "value", "error"


def name_axis(metric: str) -> str:
    """Return the title of an axis of a metric in `METRICS`."""
    return METRICS[metric].heading
