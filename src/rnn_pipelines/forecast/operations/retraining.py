"""A retraining, described once: the nodes of `retrain_forecast`, and what a backtest replays."""

from collections.abc import Collection, Iterable

from rnn_pipelines.forecast.methods.forecasts import forecast_simple_methods
from rnn_pipelines.forecast.methods.linear import fit_linear_models
from rnn_pipelines.forecast.model.artefact import describe_forecaster
from rnn_pipelines.forecast.operations.challenger import choose_challenger, forecast_holdout, train_challenger
from rnn_pipelines.forecast.operations.decision import decide_promotion
from rnn_pipelines.forecast.recipe import PREPARATION, Step


def list_training_steps(names: Iterable[str]) -> list[Step]:
    """The training of each network, whose block of parameters has its name."""
    inputs = ("windows", "linear", "{name}", "training", "plan")
    return [
        Step(train_challenger, tuple(value.format(name=name) for value in inputs), (f"{name}_network",))
        for name in names
    ]


def list_case_steps(names: Iterable[str]) -> list[Step]:
    """From trained networks to the decision, and to what goes into use after it."""
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
    """From a table to networks that are trained, and all that the case of a forecaster needs.

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
    """All steps, from a table to the outcome.

    Given are the table and that of its covariates, the blocks of parameters by their names (`retraining` is that of
    `retrain_forecast`), the `champion`, the `plan` of the training and what is on record of the `run`.

    Args:
        names: of the networks.
    """
    return [*list_fitting_steps(names), *list_case_steps(names)]
