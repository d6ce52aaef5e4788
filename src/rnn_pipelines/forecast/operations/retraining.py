"""The steps of a retraining, as run by the nodes of `retrain_forecast` and replayed by a backtest."""

from collections.abc import Collection, Iterable

from rnn_pipelines.forecast.methods.forecasts import forecast_simple_methods
from rnn_pipelines.forecast.methods.linear import fit_linear_models
from rnn_pipelines.forecast.model.artefact import describe_forecaster
from rnn_pipelines.forecast.operations.challenger import choose_challenger, forecast_holdout, train_challenger
from rnn_pipelines.forecast.operations.decision import decide_promotion
from rnn_pipelines.forecast.recipe import PREPARATION, Step


def list_training_steps(names: Iterable[str]) -> list[Step]:
    """Return the training step of each network; its block of parameters has the name of the network."""
    inputs = ("windows", "linear", "{name}", "training", "plan")
    return [
        Step(train_challenger, tuple(value.format(name=name) for value in inputs), (f"{name}_network",))
        for name in names
    ]


def list_case_steps(names: Iterable[str]) -> list[Step]:
    """Return the steps from trained networks to the decision and its outcome."""
    networks = tuple(f"{name}_network" for name in names)
    return [
        Step(
            choose_challenger,
            ("windows", "linear", "scaler", "coding", "settings", "level", *networks),
            ("challenger", "training_record"),
        ),
        Step(forecast_simple_methods, ("windows", "linear"), ("baselines",)),
        Step(
            forecast_holdout,
            ("windows", "features", "covariate_table", "baselines", "challenger", "champion"),
            ("holdout",),
        ),
        Step(
            decide_promotion,
            ("challenger", "champion", "holdout", "training_record", "run", "retraining"),
            ("outcome",),
        ),
    ]


def list_fitting_steps(names: Collection[str]) -> list[Step]:
    """Return the steps from a table to trained networks and the settings of the forecaster.

    Args:
        names: of the networks.
    """
    settings = ("series", "profile", "cutoffs", "window", "calendar", "gaps")
    return [
        *PREPARATION,
        Step(describe_forecaster, settings, ("settings",)),
        Step(fit_linear_models, ("windows",), ("linear",)),
        *list_training_steps(names),
    ]


def list_steps(names: Collection[str]) -> list[Step]:
    """Return all steps, from a table to the outcome.

    The inputs are the series and covariate tables, the blocks of parameters by name (`retraining` is that of
    `retrain_forecast`), the `champion`, the `plan` of the training and the record of the `run`.

    Args:
        names: of the networks.
    """
    return [*list_fitting_steps(names), *list_case_steps(names)]
