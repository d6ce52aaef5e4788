"""Names, colours and dashes of all forecasters in the reports."""

from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE_STYLES
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS
from rnn_pipelines.report.styles import REFERENCE_COLOR, Style, Styles

STYLES = Styles(
    NETWORKS, METHODS, {**ENSEMBLE_STYLES, "noise_floor": Style("noise floor", REFERENCE_COLOR, "longdash")}
)
