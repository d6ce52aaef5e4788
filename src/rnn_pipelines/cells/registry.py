"""The registry of cells: members, Keras models, `compare` and `internals` ask these objects."""

from rnn_pipelines.cells.gru import GRU
from rnn_pipelines.cells.lstm import LSTM
from rnn_pipelines.cells.min_gru import MIN_GRU

CELLS = {cell.name: cell for cell in (LSTM, GRU, MIN_GRU)}
