"""Names, colours and dashes of all forecasters, and titles of axes, in the reports."""

from rnn_pipelines.forecast.evaluation.metrics import METRICS
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE_STYLES
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS
from rnn_pipelines.report.styles import REFERENCE_COLOR, Style, Styles

STYLES = Styles(
    NETWORKS, METHODS, {**ENSEMBLE_STYLES, "noise_floor": Style("noise floor", REFERENCE_COLOR, "longdash")}
)
UNIT = "unit of the data"
VALUE_AXIS, ERROR_AXIS = f"value, {UNIT}", f"error, {UNIT}"


def name_axis(metric: str) -> str:
    """Return the title of an axis of a metric in `METRICS`, with its unit."""
    units = {"data": f", {UNIT}", "square": f", squared {UNIT}", "none": ""}
    return f"{METRICS[metric].heading}{units[METRICS[metric].unit]}"
