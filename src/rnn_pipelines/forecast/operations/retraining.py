"""The steps of a retraining, as run by the nodes of `retrain_forecast` and replayed by a backtest."""

from collections.abc import Collection

from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.training.training import train_network
from rnn_pipelines.forecast.model.settings import describe_forecaster
from rnn_pipelines.forecast.operations.challenger import choose_challenger, forecast_holdout
from rnn_pipelines.forecast.operations.decision import decide_promotion, keep_reference
from rnn_pipelines.forecast.recipe import PREPARATION, Step


def list_steps(names: Collection[str]) -> list[Step]:
    """Return all steps, from a table to the outcome.

    The inputs are the series and covariate tables, the blocks of parameters by name (`retraining` is that of
    `retrain_forecast`), the `champion`, the `plan` of the training and the record of the `run`.
    """
    described = ("series", "profile", "cutoffs", "window", "calendar", "gaps", "breaks")
    combined = (
        "data",
        "scaler",
        "coding",
        "settings",
        "level",
        "use",
        "features",
        "retraining",
        *(f"{name}_network" for name in names),
    )
    forecast = ("windows", "features", "covariate_table", "baselines", "challenger", "champion")
    decided = ("challenger", "champion", "holdout", "training_record", "run", "retraining")
    return [
        *PREPARATION,
        Step(describe_forecaster, described, ("settings",)),
        Step(prepare_fitting, ("windows", "training", "scaler", "pretrained"), ("data",)),
        *(
            Step(train_network, ("data", name, "training", "plan"), (f"{name}_network",))
            for name in names
        ),
        Step(choose_challenger, combined, ("challenger", "training_record", "baselines")),
        Step(forecast_holdout, forecast, ("holdout",)),
        Step(decide_promotion, decided, ("decided",)),
        Step(keep_reference, ("decided", "series"), ("outcome",)),
    ]
