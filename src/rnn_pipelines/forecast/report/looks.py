"""Names, colours and dashes of everyone in the reports of forecasting."""

from rnn_pipelines.forecast.baselines import BASELINES
from rnn_pipelines.forecast.best import BEST, BEST_LOOK
from rnn_pipelines.forecast.registry import NETWORKS
from rnn_pipelines.looks import Look, Looks

LOOKS = Looks(NETWORKS, BASELINES, {BEST: BEST_LOOK, "noise_floor": Look("noise floor", "#999999", "longdash")})
