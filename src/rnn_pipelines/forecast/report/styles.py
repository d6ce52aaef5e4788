"""Names, colours and dashes of everyone in the reports of forecasting."""

from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, ENSEMBLE_LOOK
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS
from rnn_pipelines.report.styles import Look, Looks

LOOKS = Looks(NETWORKS, METHODS, {ENSEMBLE: ENSEMBLE_LOOK, "noise_floor": Look("noise floor", "#999999", "longdash")})
