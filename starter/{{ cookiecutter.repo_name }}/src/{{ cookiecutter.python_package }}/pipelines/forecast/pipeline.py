"""The graph: table → next values and leaderboard."""

from kedro.pipeline import Pipeline, node

from .nodes import forecast


def create_pipeline() -> Pipeline:
    return Pipeline([node(forecast, ["sales", "params:forecast"], ["next_values", "leaderboard"])])
