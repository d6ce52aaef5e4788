"""Names, colours and dashes of everyone in the reports of forecasting."""

from rnn_pipelines.looks import CELLS, Look, Looks

LOOKS = Looks(
    CELLS,
    {
        "last_value": Look("last value", "#bfa66a", "dot"),
        "seasonal_naive": Look("seasonal naive", "#b48ead", "dashdot"),
        "ridge": Look("ridge", "#5fa58e", "dash"),
        "noise_floor": Look("noise floor", "#999999", "longdash"),
    },
)
