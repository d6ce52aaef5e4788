"""The case of a challenger among forecasters: what the holdout says, and what is decided."""

import logging
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.evaluation.holdout import CHALLENGER, CHAMPION, find_faults, measure_holdout
from rnn_pipelines.evaluation.metrics import BASELINES
from rnn_pipelines.lifecycle.policy import Evidence
from rnn_pipelines.lifecycle.retraining import Candidate, LoadedChampion, RetrainForecastSpec, decide
from rnn_pipelines.training.retraining import find_seen

if TYPE_CHECKING:
    from rnn_pipelines.training.forecaster import Forecaster

logger = logging.getLogger(__name__)


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
    measures = measure_holdout(holdout, challenger.settings.horizon)
    for note in measures["notes"]:
        logger.warning(note)
    losses = measures["losses"]
    evidence = Evidence(
        challenger_loss=losses[CHALLENGER],
        champion_loss=losses.get(CHAMPION),
        baseline_losses={name: losses[name] for name in BASELINES},
        p_value=measures["p_value"],
        champion_age_days=None if champion is None else champion.age_days,
        faults=tuple(find_faults(holdout)),
        objections=() if champion is None else _find_objections(challenger, champion, measures),
    )
    measured = {
        "task": "forecast",
        "metrics": _describe_metrics(measures, training, champion),
        "seeds": training["seeds"],
        "training_seconds": training["training_seconds"],
        "training": {key: training[key] for key in ("chosen", "validation_losses", "networks")},
        "notes": measures["notes"],
        "champion": None if champion is None else champion.version,
    }
    return decide(challenger, evidence, retraining.policy, run, measured)


def _find_objections(challenger: "Forecaster", champion: LoadedChampion, measures: dict[str, Any]) -> tuple[str, ...]:
    if CHAMPION not in measures["losses"]:
        return ("the champion can't forecast these series, so that the two can't be compared: promote it by hand",)
    seen = find_seen(champion.artefact, challenger.settings)
    if seen:
        return (f"the champion has seen a part of the holdout (series {seen[0]}), so that the two can't be compared",)
    return ()


def _describe_metrics(
    measures: dict[str, Any], training: dict[str, Any], champion: LoadedChampion | None
) -> dict[str, Any]:
    losses, by_step = measures["losses"], measures["by_step"]
    promised = {} if champion is None else champion.record.get("metrics", {}).get(CHALLENGER, {})
    validation = {
        CHALLENGER: training["validation_losses"][training["chosen"]],
        CHAMPION: promised.get("validation_loss"),
    }
    of_both = {
        name: {"validation_loss": validation[name], "loss": losses[name], "by_step": by_step[name]}
        if name in losses
        else None
        for name in (CHALLENGER, CHAMPION)
    }
    return of_both | {"baselines": {name: losses[name] for name in BASELINES}}
