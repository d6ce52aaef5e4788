"""The case of a challenger among forecasters: what the holdout says, and what is decided."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.champion.retraining import Candidate, Case, LoadedChampion, RetrainForecastSpec, decide
from rnn_pipelines.forecast.challenger import find_seen
from rnn_pipelines.forecast.evaluation.holdout import CHAMPION, find_faults, measure_holdout

if TYPE_CHECKING:
    from rnn_pipelines.forecast.forecaster import Forecaster


def decide_forecast(
    challenger: "Forecaster",
    champion: LoadedChampion | None,
    holdout: pd.DataFrame,
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
        measures=found["measures"],
        p_value=found["p_value"],
        faults=tuple(find_faults(holdout)),
        objections=() if champion is None else _find_objections(challenger, champion, found["measures"]),
        notes=tuple(found["notes"]),
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
