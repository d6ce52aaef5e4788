"""The case of a challenger among forecasters: what the holdout says, and what is decided."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

from rnn_pipelines.champion.policy import CHAMPION, PolicySpec
from rnn_pipelines.champion.retraining import Candidate, Case, LoadedChampion, decide
from rnn_pipelines.forecast.challenger import find_seen
from rnn_pipelines.forecast.evaluation.holdout import find_faults, measure_holdout
from rnn_pipelines.forecast.predictions import Predictions
from rnn_pipelines.forecast.series.newest import NewestSpec
from rnn_pipelines.forecast.specs import BudgetSpec

if TYPE_CHECKING:
    from rnn_pipelines.forecast.forecaster import Forecaster


class ForecastPolicySpec(PolicySpec, frozen=True):
    """When a forecaster is promoted.

    Attributes:
        must_beat: baselines whose loss the challenger must be below.
    """

    must_beat: tuple[Literal["last_value", "seasonal_naive", "ridge"], ...] = ("last_value", "seasonal_naive")


class RetrainForecastSpec(NewestSpec, frozen=True):
    """How forecasters are retrained; data, windows, networks and training are those of `forecast`.

    Attributes:
        policy: when the challenger is promoted.
        budget: what its training may cost.
    """

    policy: ForecastPolicySpec
    budget: BudgetSpec


def decide_forecast(
    challenger: "Forecaster",
    champion: LoadedChampion | None,
    holdout: Predictions,
    training: dict[str, Any],
    run: dict[str, Any],
    retraining: RetrainForecastSpec,
) -> Candidate:
    """Weighs champion, challenger and baselines on the holdout, decides, and writes the record.

    Args:
        challenger: what was trained.
        champion: the forecaster in use; None where there is none.
        holdout: what `forecast_holdout` returns.
        training: the record of `choose_challenger`.
        run: what `describe_run` returns.
        retraining: with the policy.
    """
    found = measure_holdout(holdout, challenger.settings.horizon)
    case = Case(
        task="forecast",
        measures=found.measures,
        p_value=found.p_value,
        faults=tuple(find_faults(holdout)),
        objections=() if champion is None else _find_objections(challenger, champion, found.measures),
        notes=tuple(found.notes),
    )
    return decide(challenger, champion, case, training, run, retraining.policy)


def _find_objections(
    challenger: "Forecaster", champion: LoadedChampion, measures: Mapping[str, Any]
) -> tuple[str, ...]:
    if CHAMPION not in measures:
        return ("the champion can't forecast these series, so that the two can't be compared: promote it by hand",)
    seen = find_seen(champion.artefact, challenger.settings)
    if seen:
        return (f"the champion has seen a part of the holdout (series {seen[0]}), so that the two can't be compared",)
    return ()
