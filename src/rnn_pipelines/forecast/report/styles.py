"""Names, colours and dashes of all forecasters, and titles of axes, in the reports."""

from rnn_pipelines.forecast.evaluation.metrics import METRICS
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE_STYLES
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS, TRAINED_BEFORE
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.report.figures import write_label
from rnn_pipelines.report.styles import REFERENCE_COLOR, Style, Styles

FLOOR = {"noise_floor": Style("noise floor", REFERENCE_COLOR, "longdash")}
STYLES = Styles(NETWORKS, TRAINED_BEFORE, METHODS, {**ENSEMBLE_STYLES, **FLOOR})
# The unit of the data is not known, so that these axes name none. The column of the values, if it has a name, does.
VALUE_AXIS, ERROR_AXIS = "value", "error"


def name_axis(metric: str) -> str:
    """Return the title of an axis of a metric in `METRICS`."""
    return METRICS[metric].heading


def name_values(profile: Profile | None) -> str:
    """Return the column of the values as a title; `value` for packaged series, wide tables, and without a profile."""
    columns = profile["columns"] if profile else {}
    return (
        write_label(profile["target"])
        if profile and columns and not columns["series"]
        else VALUE_AXIS
    )


def add_values(title: str, values: str) -> str:
    """Return a title with the name of the values, if they have one."""
    return title if values == VALUE_AXIS else f"{title}: {values}"
