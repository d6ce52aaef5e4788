"""Nodes named after their functions, and those that several pipelines share. This module is not a pipeline."""

from collections.abc import Callable, Mapping
from typing import Any

from kedro.pipeline import Node

from rnn_pipelines.forecast.preparation.preparing import prepare_series
from rnn_pipelines.forecast.recipe import add_features
from rnn_pipelines.forecast.windows.coding import fit_coding
from rnn_pipelines.forecast.windows.scaling import fit_scaler
from rnn_pipelines.forecast.windows.windowing import make_windows

Names = str | list[str] | dict[str, str]
# What a panel that may be larger than memory is drawn from.
PANEL = [
    "params:forecast.source",
    "params:forecast.covariates",
    "params:forecast.partitions",
    "forecast_partition_folder",
    "forecast_external",
    "params:forecast.totals",
]


def node(
    function: Callable[..., Any], inputs: Names, outputs: Names, namespace: str | None = None
) -> Node:
    """Return a node with the name of its function.

    The namespace is a prefix of its name, if another node runs the same function, or to group it: kedro-viz shows the
    nodes of a namespace as one box until it is opened.
    """
    return Node(function, inputs, outputs, name=function.__name__, namespace=namespace)


def create_preparation_nodes(
    datasets: Mapping[str, str], namespace: str | None = None
) -> list[Node]:
    """Return the statements of `recipe.prepare_panel` as nodes, with the parameters of `forecast`.

    `datasets` has their names in a pipeline by those of the values: `table`, `covariate_table`, `source_table` and the
    fields of `Panel`.
    """
    series, profile, cutoffs = datasets["series"], datasets["profile"], datasets["cutoffs"]
    scaler, coding = datasets["scaler"], datasets["coding"]
    covariate_table, features = datasets["covariate_table"], datasets["features"]
    source, gaps = "params:forecast.source", "params:forecast.gaps"
    breaks, split = "params:forecast.breaks", "params:forecast.split"
    window, evaluation = "params:forecast.window", "params:forecast.evaluation"
    calendar, covariates = "params:forecast.calendar", "params:forecast.covariates"
    return [
        node(
            prepare_series,
            [datasets["table"], source, gaps, breaks, split, window, evaluation],
            [datasets["source_table"], series, profile, cutoffs],
            namespace,
        ),
        node(fit_scaler, [series, cutoffs], scaler, namespace),
        node(fit_coding, [series, cutoffs, covariates, covariate_table], coding, namespace),
        node(
            add_features,
            [series, profile, calendar, window, coding, covariate_table],
            features,
            namespace,
        ),
        node(
            make_windows,
            [features, cutoffs, scaler, window, evaluation, profile],
            datasets["windows"],
            namespace,
        ),
    ]
