"""Names, colours and dashes of contenders, tasks and references in the report of `compare`."""

from typing import get_args

from rnn_pipelines.compare.contenders import NETWORKS
from rnn_pipelines.compare.specs import Data
from rnn_pipelines.report.styles import Style, Styles

BOUND = "learnt below"
STYLES = Styles(
    NETWORKS,
    {
        # In brackets, because a comma would separate two names in a list.
        "lstm_relu": Style("LSTM (relu)", "#7fb7e6"),
        "lstm_bias_0": Style("LSTM (forget bias 0)", "#85c4ea"),
        BOUND: Style(BOUND, "#707070", "dot"),
    },
    *(kind.styles for kind in get_args(Data)),
)
