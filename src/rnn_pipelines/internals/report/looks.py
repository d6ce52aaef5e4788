"""Names and colours in the report of `internals`."""

from rnn_pipelines.looks import CELLS, Looks

LOOKS = Looks(CELLS)
# A cell's colour is that of its layer that reads a series; the layers that read texts have a lighter one.
TEXT_COLORS = {"lstm": "#56b4e9", "gru": "#e69f00"}
PROBABILITY_COLOR = "#009e73"
REACH_COLOR = "#999999"
