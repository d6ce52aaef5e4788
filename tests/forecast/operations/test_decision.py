"""A challenger that is broken, or can't be compared, is kept back with the reason; the record is plain JSON."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.model.settings import ForecasterSettings
from rnn_pipelines.forecast.operations.decision import decide_promotion, keep_reference
from rnn_pipelines.forecast.operations.specs import RetrainForecastSpec
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.source.time_axis import TimeZone
from rnn_pipelines.forecast.times.calendar import CalendarSpec

Decide = Callable[..., Candidate]

NOISE = {"last_value": 1.0, "seasonal_naive": 1.0, "ridge": 0.6, "challenger": 0.5}
TRAINING = {
    "validation_losses": {"lstm": 0.2, "gru": float("inf"), "mean": 0.3},
    "chosen": "lstm",
    "seeds": [0],
    "training_seconds": 1.0,
    "networks": {},
}
RUN = {"at": "2024-01-01T00:00:00+00:00", "started": 0.0, "as_of": None}


def make_forecaster(trained_until: int | datetime = 100) -> Forecaster:
    settings = ForecasterSettings(
        lookback=4,
        horizon=2,
        freq=1,
        season_length=1,
        calendar=CalendarSpec(),
        gaps=GapPolicy("interpolate"),
        zone=TimeZone(name=None),
        trained_until={"a": trained_until},
    )
    return Forecaster({}, pd.DataFrame(), settings)


def make_champion(trained_until: int | datetime = 100) -> LoadedChampion:
    record = {"metrics": {"challenger": {"validation_loss": 0.25}}}
    return LoadedChampion(
        "v1", make_forecaster(trained_until), "2024-01-01T00:00:00+00:00", (), record
    )


@pytest.fixture
def decide() -> Decide:
    """Decides on forecasts whose errors are so wide; `change` has the last word on the holdout."""

    def make(  # noqa: PLR0917 - each has a default
        in_use: LoadedChampion | None = None,
        change: Callable[[pd.DataFrame], pd.DataFrame] = lambda holdout: holdout,
        max_age_days: float | None = None,
        stability: float | None = None,
        names: tuple[str, ...] = tuple(NOISE),
        training: dict[str, Any] = TRAINING,
        must_beat: tuple[str, ...] | None = None,
        **noise: float,
    ) -> Candidate:
        random = np.random.default_rng(0)
        index = pd.MultiIndex.from_product([["a"], range(100, 200), [1, 2]])
        holdout = index.to_frame(index=False, name=["unique_id", "cutoff", "horizon_step"])
        holdout.insert(2, "ds", holdout["cutoff"] + holdout["horizon_step"])
        holdout["y"] = random.normal(size=len(holdout))
        deviations = {name: NOISE[name] for name in names} | noise
        for name, deviation in deviations.items():
            holdout[name] = holdout["y"] + deviation * random.normal(size=len(holdout))
        policy: dict[str, Any] = {"max_age_days": max_age_days, "stability": stability}
        if must_beat is not None:
            policy["must_beat"] = must_beat
        spec = RetrainForecastSpec.model_validate({"policy": policy, "budget": {}})
        predictions = Predictions(change(holdout), tuple(deviations))
        return decide_promotion(make_forecaster(), in_use, predictions, training, RUN, spec)

    return make


def read_reasons(candidate: Candidate) -> str:
    return "; ".join(candidate.decision.reasons)


def test_method_that_must_be_beaten_may_be_missing(decide: Decide) -> None:
    """Series without a season have no seasonal naive, which the policy may name."""
    """Series without a season have no seasonal naive, which the policy may name."""
    named = ("last_value", "seasonal_naive")
    candidate = decide(names=("last_value", "ridge", "challenger"), must_beat=named)
    assert candidate.decision.is_promoted
    assert [note.split()[:2] for note in candidate.manifest["notes"]] == [
        ["must_beat:", "seasonal_naive"]
    ]


def test_first_challenger_is_promoted(decide: Decide) -> None:
    assert decide().decision.is_promoted
    assert list(decide().decision.reasons) == ["there is no champion yet"]


def test_better_challenger_is_promoted(decide: Decide) -> None:
    candidate = decide(make_champion(), champion=0.8)
    assert candidate.decision.is_promoted
    assert "it is better" in read_reasons(candidate)


@pytest.mark.parametrize("champion", [0.3, 0.5], ids=["worse", "equal"])
def test_other_challengers_are_kept_back(decide: Decide, champion: float) -> None:
    assert not decide(make_champion(), champion=champion).decision.is_promoted


def jump(holdout: pd.DataFrame) -> pd.DataFrame:
    """Return a challenger whose forecasts differ from the champion's by 1.2, with errors of the same size."""
    noise = 0.05 * (holdout["champion"] - holdout["y"])
    return holdout.assign(champion=holdout["y"] + 0.6 + noise, challenger=holdout["y"] - 0.6)


@pytest.mark.parametrize(("stability", "is_promoted"), [(None, True), (1000.0, True), (1.3, False)])
def test_restless_challenger_is_kept_back(
    decide: Decide, stability: float | None, is_promoted: bool
) -> None:
    found = decide(make_champion(), jump, max_age_days=1, stability=stability, champion=1.0)
    measures = found.manifest["metrics"]
    assert found.decision.is_promoted == is_promoted
    figures = f"changes the forecast of a date by {measures['challenger']['change']:.4g}, more than 1.3 times the "
    assert (
        figures + f"{measures['champion']['change']:.4g}" in read_reasons(found)
    ) is not is_promoted
    assert measures["challenger"]["change"] > 1.3 * measures["champion"]["change"]


def test_challenger_that_is_better_or_has_one_forecast_of_a_date_may_be_restless(
    decide: Decide,
) -> None:
    found = decide(make_champion(), max_age_days=1, stability=0.001, champion=3.0)
    assert found.decision.is_promoted

    def keep_one(holdout: pd.DataFrame) -> pd.DataFrame:
        return jump(holdout)[holdout["horizon_step"] == 1]

    found = decide(make_champion(), keep_one, max_age_days=1, stability=0.001, champion=1.0)
    assert found.decision.is_promoted
    assert "no date of the holdout has two forecasts" in "; ".join(found.manifest["notes"])


def test_baseline_that_is_not_beaten_keeps_the_challenger_back(decide: Decide) -> None:
    candidate = decide(last_value=0.3, must_beat=("last_value",))
    assert not candidate.decision.is_promoted
    assert "not below last_value" in read_reasons(candidate)


def test_equal_outputs_keep_the_challenger_back(decide: Decide) -> None:
    candidate = decide(
        change=lambda holdout: holdout.assign(challenger=0.0, last_value=9.0, seasonal_naive=9.0)
    )
    assert "the same for every window" in read_reasons(candidate)


def test_champion_of_other_series_keeps_the_challenger_back(decide: Decide) -> None:
    candidate = decide(make_champion())
    assert not candidate.decision.is_promoted
    assert "cannot forecast these series" in read_reasons(candidate)


def test_reasons_name_the_better_simple_method(decide: Decide) -> None:
    candidate = decide(ridge=0.1, must_beat=())
    assert candidate.decision.is_promoted
    first, worse, difference = candidate.manifest["reasons"]
    assert (first, worse.split(":")[0]) == (
        "there is no champion yet",
        "it is worse than the best simple method",
    )
    measured = candidate.manifest["metrics"]
    ratio = measured["challenger"]["loss"] / measured["baselines"]["ridge"]
    assert difference == f"its loss is {100 * (ratio - 1):.1f} % above that of ridge (p < 0.0001)"


def test_p_value_grows_with_the_number_of_methods_that_could_be_lucky(decide: Decide) -> None:
    two = ("ridge", "challenger")
    three = ("ridge", "challenger", "last_value")
    alone, among = (decide(names=names, ridge=0.44, must_beat=()) for names in (two, three))
    p_values = [
        float(found.decision.reasons[-1].split("p = ")[1].rstrip(")")) for found in (alone, among)
    ]
    assert p_values[1] == pytest.approx(2 * p_values[0], rel=0.06)


@pytest.mark.parametrize("noise", [{}, {"last_value": 0.1}], ids=["promoted", "kept back"])
def test_reasons_name_a_training_that_its_budget_ended(
    decide: Decide, noise: dict[str, float]
) -> None:
    networks = {
        "lstm": {"is_cut_short": False, "num_steps": 900},
        "gru": {"is_cut_short": True, "num_steps": 1250},
    }
    candidate = decide(training=TRAINING | {"networks": networks}, **noise)
    (reason,) = (reason for reason in candidate.manifest["reasons"] if "budget" in reason)
    assert "gru" in reason
    assert "1,250 steps" in reason


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("is_all", [True, False], ids=["all", "one"])
def test_outputs_that_are_not_finite_are_refused(
    decide: Decide, value: float, is_all: bool
) -> None:
    """Even of the oldest champion, and where there is none."""

    def change(holdout: pd.DataFrame) -> pd.DataFrame:
        return holdout.assign(
            challenger=holdout["challenger"].mask(is_all | (holdout.index == 7), value)
        )

    for in_use, noise in ((None, {}), (make_champion(), {"champion": 9.0})):
        candidate = decide(in_use, change, max_age_days=1.0, **noise)
        assert not candidate.decision.is_promoted
        assert "forecasts are not finite" in read_reasons(candidate)


@pytest.mark.parametrize("noise", [{"champion": 9.0}, {}], ids=["measured", "no forecasts"])
def test_champion_that_has_seen_the_holdout_is_an_objection(
    decide: Decide, noise: dict[str, float]
) -> None:
    """Also if it does not forecast, because the table ends earlier than the history that it has learnt."""
    candidate = decide(make_champion(trained_until=101), **noise)
    assert not candidate.decision.is_promoted
    assert "part of the holdout (series a)" in read_reasons(candidate)


@pytest.mark.parametrize("is_all", [True, False], ids=["all", "one"])
def test_champion_whose_forecasts_are_not_finite_is_replaced(decide: Decide, is_all: bool) -> None:
    """Its errors are small elsewhere."""

    def change(holdout: pd.DataFrame) -> pd.DataFrame:
        return holdout.assign(
            champion=holdout["champion"].mask(is_all | (holdout.index == 7), np.inf)
        )

    candidate = decide(make_champion(), change, champion=0.01)
    assert candidate.decision.is_promoted
    assert read_reasons(candidate).startswith(
        "the champion's loss is inf, not a finite number; its own is 0."
    )


@pytest.mark.parametrize("is_all", [True, False], ids=["all", "one"])
def test_infinite_loss_of_the_champion_is_missing_in_the_record(
    decide: Decide, is_all: bool
) -> None:
    def change(holdout: pd.DataFrame) -> pd.DataFrame:
        return holdout.assign(
            champion=holdout["champion"].mask(is_all | (holdout.index == 7), np.inf)
        )

    candidate = decide(make_champion(), change, champion=0.01)
    assert candidate.manifest["metrics"]["champion"]["loss"] is None
    assert candidate.manifest["p_value"] is None


def add_new_series(holdout: pd.DataFrame) -> pd.DataFrame:
    """Series b, which the challenger forecasts badly, and the champion not at all."""
    b = holdout.assign(unique_id="b", challenger=holdout["y"] + 9.0)
    if "champion" in b:
        b["champion"] = np.nan
    return pd.concat([holdout, b], ignore_index=True)


def test_new_series_count_against_the_baselines(decide: Decide) -> None:
    """Though the challenger beats the champion on all common series."""
    candidate = decide(make_champion(), add_new_series, champion=0.8, must_beat=("last_value",))
    assert not candidate.decision.is_promoted
    assert "not below last_value" in read_reasons(candidate)


def test_new_series_count_in_the_expected_error(decide: Decide) -> None:
    metrics = decide(make_champion(), add_new_series, champion=0.8).manifest["metrics"]
    alone = decide(make_champion(), champion=0.8).manifest["metrics"]
    assert metrics["challenger"]["loss"] == pytest.approx((81 + alone["challenger"]["loss"]) / 2)
    assert np.mean(metrics["challenger"]["by_step"]) == pytest.approx(metrics["challenger"]["loss"])


def test_new_series_do_not_count_against_the_champion(decide: Decide) -> None:
    metrics = decide(make_champion(), add_new_series, champion=0.8).manifest["metrics"]
    alone = decide(make_champion(), champion=0.8).manifest["metrics"]
    for name in ("challenger", "champion"):
        assert metrics[name]["shared_loss"] == pytest.approx(alone[name]["loss"])
    assert "loss" not in metrics["champion"]


def test_record_is_plain_json(decide: Decide) -> None:
    """Whatever the numbers: JSON has no infinity."""
    candidate = decide(change=lambda holdout: holdout.assign(challenger=np.nan))
    manifest: dict[str, Any] = json.loads(json.dumps(candidate.manifest, allow_nan=False))
    assert manifest["metrics"]["challenger"]["loss"] is None
    assert manifest["training"]["validation_losses"]["gru"] is None


def test_record_has_the_expected_errors(decide: Decide) -> None:
    metrics = decide(make_champion(), champion=0.8).manifest["metrics"]
    assert (metrics["challenger"]["validation_loss"], metrics["champion"]["validation_loss"]) == (
        0.2,
        0.25,
    )
    assert len(metrics["challenger"]["by_step"]) == len(metrics["champion"]["by_step"]) == 2


def test_record_has_the_baselines(decide: Decide) -> None:
    metrics = decide(make_champion(), champion=0.8).manifest["metrics"]
    assert set(metrics["baselines"]) == {"last_value", "seasonal_naive", "ridge"}


def test_statistics_of_the_series_are_kept_with_the_candidate(decide: Decide) -> None:
    values = np.arange(150.0)
    series = pd.DataFrame({"unique_id": "a", "ds": np.arange(150), "y": values, "observed": True})
    candidate = decide()
    found = keep_reference(candidate, series)
    assert found.artefact.reference[["num_values", "last", "highest"]].iloc[0].tolist() == [
        150,
        149,
        149,
    ]
    assert (found.decision, found.manifest) == (candidate.decision, candidate.manifest)


@pytest.mark.parametrize("num_rows", [0, 2], ids=["no test part", "one window"])
def test_only_the_first_challenger_is_promoted_if_nothing_compares(
    decide: Decide, num_rows: int
) -> None:
    few = [
        decide(champion, lambda holdout: holdout[:num_rows], challenger=9.0)
        for champion in (None, make_champion(0))
    ]
    assert [candidate.decision.is_promoted for candidate in few] == [True, False]
    assert all(candidate.manifest["notes"] for candidate in few)
    assert ("loss" in few[0].manifest["metrics"]["challenger"]) == (num_rows > 0)


def test_challenger_that_is_proven_worse_than_a_simple_method_is_kept_back(decide: Decide) -> None:
    """The first one, too."""
    candidate = decide(theta=0.3)
    assert not candidate.decision.is_promoted
    assert "theta" in candidate.decision.reasons[0]


def test_simple_method_that_is_the_best_one_is_promoted(decide: Decide) -> None:
    """It does not have to beat itself."""
    training = TRAINING | {"chosen": "last_value", "instead_of": "ensemble"}
    candidate = decide(change=lambda holdout: holdout.assign(challenger=holdout["last_value"]), training=training,
                       names=("last_value", "challenger"))  # fmt: skip
    assert candidate.decision.is_promoted
    assert candidate.decision.reasons[-1].startswith("last_value takes the place of ensemble")


def test_one_line_at_most_stands_against_a_promoted_challenger(decide: Decide) -> None:
    candidate = decide(must_beat=(), theta=0.3, drift=0.2, ridge=0.25)
    against = [reason for reason in candidate.decision.reasons if "above that of" in reason]
    assert len(against) == 1
