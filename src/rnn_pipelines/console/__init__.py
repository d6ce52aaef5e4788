"""The program `rnn-pipelines`: forecasts and text classification from a terminal, without a Kedro project."""
