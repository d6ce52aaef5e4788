"""Names, colours and dashes of contenders, tasks and what they are held against, in the report of `compare`."""

from rnn_pipelines.looks import CELLS, Look, Looks

LOOKS = Looks(
    CELLS,
    {
        # In brackets, for a comma would read as one more name in a list of them.
        "lstm_relu": Look("LSTM (relu)", "#7fb7e6"),
        "lstm_bias_0": Look("LSTM (forget bias 0)", "#85c4ea"),
        "jsb_chorales": Look("JSB Chorales"),
        "nottingham": Look("Nottingham"),
        "last value": Look("last value", "#bfa66a", "dot"),
        "ridge": Look("ridge", "#5fa58e", "dash"),
        "noise floor": Look("noise floor", "#999999", "longdash"),
        "guessing 1": Look("guessing 1", dash="dash"),
        "no memory": Look("no memory", dash="dash"),
        "note frequencies": Look("note frequencies", dash="dash"),
        "learnt below": Look("learnt below", "#707070", "dot"),
    },
)
