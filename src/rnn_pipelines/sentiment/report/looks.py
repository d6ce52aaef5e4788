"""Names, colours and dashes of all classifiers in the reports of sentiment."""

from rnn_pipelines.looks import CELLS, Look, Looks

LOOKS = Looks(
    CELLS,
    {
        "ensemble": Look("LSTM + GRU", "#009e73"),
        "lstm_alone": Look("LSTM alone", "#56b4e9", "dot"),
        "gru_alone": Look("GRU alone", "#e69f00", "dot"),
        "pointwise": Look("no recurrence", "#cc79a7", "dot"),
        "nb_ngram": Look("NB n-grams", "#7a6a4f", "dash"),
    },
)
