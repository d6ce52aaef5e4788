"""Nights of the daily minimum temperatures of Melbourne: each change is explained, and the log has what is explained.

RNN_CHANGE_NIGHTS is the number of nights, 365 for a year; by default few.
"""

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.methods.predictions import ForecastLog
from rnn_pipelines.forecast.model.change import DAY_AHEAD, PARTS, VERSION, Change, explain_change
from rnn_pipelines.forecast.model.nights import pack_night
from rnn_pipelines.forecast.model.paths import PathsSpec
from rnn_pipelines.forecast.operations import change as operation
from rnn_pipelines.forecast.operations.change import explain_nights
from rnn_pipelines.forecast.partitions.champion import forecast_newest
from rnn_pipelines.forecast.report.change import explain_newest, write_change
from rnn_pipelines.forecast.source.specs import SourceSpec

NUM_NIGHTS = int(os.environ.get("RNN_CHANGE_NIGHTS", "31"))
# As in a month, and in ten revisions of a year.
RETRAINING_NIGHTS = 30
NUM_REVISED = max(2, round(10 * NUM_NIGHTS / 365))
SMALL = {
    "lstm": {"members": 1, "units": 4},
    "gru": {"members": 1, "units": 4},
    "training": {"max_steps": 20},
}
Made = tuple[ForecastLog, dict[str, bytes]]


def make_champion(table: pd.DataFrame, version: str, **settings: Any) -> LoadedChampion:
    forecaster = Forecaster(h=7, level=None, freq="D", **(SMALL | settings)).fit(table)
    return LoadedChampion(version, forecaster._make_artefact(), "", (), {})


def predict(champion: LoadedChampion, table: pd.DataFrame) -> Made:
    log, *_, night = forecast_newest(champion, table, SourceSpec(name="catalog"), PathsSpec(0))
    return log, pack_night(night)


@dataclass(frozen=True)
class Night:
    """A night with the explanation of its change, and the time of the value that was revised since the night before."""

    change: Change
    revised: pd.Timestamp | None
    is_retrained: bool


@pytest.fixture(scope="module")
def nights() -> list[Night]:
    table = pd.read_csv(Path(os.environ["RNN_DATA"], "series/daily-min-temperatures.csv"))
    values = pd.to_numeric(table.iloc[:, 1].astype(str).str.strip("?")).to_numpy()
    table = pd.DataFrame(
        {"unique_id": "melbourne", "ds": pd.to_datetime(table.iloc[:, 0]), "y": values}
    )
    random = np.random.default_rng(0)
    revisions = random.choice(np.arange(1, NUM_NIGHTS + 1), NUM_REVISED, replace=False)
    first = len(table) - NUM_NIGHTS - 1
    found = []
    before = None
    logs = []
    for number in range(NUM_NIGHTS + 1):
        last = first + number
        revised = None
        if number in revisions:
            place = last - random.integers(2, 11)
            table.loc[place, "y"] += random.choice([-1, 1]) * random.uniform(5, 10)
            revised = table["ds"][place]
        is_retrained = number % RETRAINING_NIGHTS == 0
        if is_retrained:
            champion = make_champion(table[: last - 1], f"version {number}")
        log, night = predict(champion, table[:last])
        logs.append(log)
        if before is not None:
            found.append(
                Night(explain_nights([before, night], pd.concat(logs), {}), revised, is_retrained)
            )
        before = night
    return found


@pytest.mark.slow
@pytest.mark.real_data
def test_the_parts_sum_to_the_change_every_night(nights: list[Night]) -> None:
    assert [len(night.change.table) for night in nights] == NUM_NIGHTS * [6]
    for night in nights:
        table = night.change.table
        assert (table[[*PARTS, DAY_AHEAD]].sum(axis=1) - table["change"]).abs().max() < 1e-9
        assert night.change.notes == ()  # the log has the same forecasts


@pytest.mark.slow
@pytest.mark.real_data
def test_revised_values_come_first_every_night(nights: list[Night]) -> None:
    named = [night.change.values.iloc[0] for night in nights]
    revised = [value["time"] if value["kind"] == "revised" else None for value in named]
    assert revised == [night.revised for night in nights]
    assert sum(night is not None for night in revised) == NUM_REVISED


@pytest.mark.slow
@pytest.mark.real_data
def test_revised_values_are_named_every_night(nights: list[Night]) -> None:
    for night in nights:
        assert (
            f"The revised value at {str(night.revised)[:10]}," in write_change(night.change)
        ) == bool(night.revised)


@pytest.mark.slow
@pytest.mark.real_data
def test_version_has_a_part_in_the_nights_of_a_retraining(nights: list[Night]) -> None:
    assert [(night.change.table[VERSION] != 0).any() for night in nights] == [
        night.is_retrained for night in nights
    ]


def make_table(num_days: int, *names: str) -> pd.DataFrame:
    y = 10 + np.resize([0, 1, 2, 3, 2, 1, 0], 200) + np.random.default_rng(0).normal(size=200)
    days = pd.date_range("2024-01-01", periods=num_days)
    return pd.concat(
        [
            pd.DataFrame({"unique_id": name, "ds": days, "y": y[:num_days]})
            for name in names or ("a", "b")
        ]
    )


@pytest.fixture(scope="module")
def champion() -> LoadedChampion:
    return make_champion(make_table(100), "one", networks="pretrained")


@pytest.fixture(scope="module")
def two(champion: LoadedChampion) -> list[Made]:
    return [predict(champion, make_table(num_days)) for num_days in (110, 111)]


@pytest.fixture
def explain(two: list[Made]) -> Any:
    return partial(explain_nights, [night for _, night in two], pd.concat([log for log, _ in two]))


def test_a_night_is_computed_again_from_its_files_as_the_log_has_it(
    explain: Any, two: list[Made]
) -> None:
    change = explain({})
    assert change.notes == ()
    logged = two[0][0].set_index(["unique_id", "ds"])["y_hat"]
    found = change.table.set_index(["unique_id", "ds"])["before"]
    np.testing.assert_allclose(found, logged.loc[found.index], rtol=1e-6)
    own = explain({}, "b").table
    assert set(own["unique_id"]) == {"b"}
    together = explain({}).table.query("unique_id == 'b'").reset_index(drop=True)
    pd.testing.assert_frame_equal(own, together, rtol=1e-5, atol=1e-6)
    assert explain({"num_series": 5}).notes == (
        "The panel is larger than memory: explained is a sample of its series.",
    )


def test_another_forecast_on_record_is_named(two: list[Made]) -> None:
    log = pd.concat([one for one, _ in two], ignore_index=True)
    is_it = (
        (log["unique_id"] == "b") & (log["ds"] == "2024-04-22") & (log["cutoff"] == "2024-04-19")
    )
    log.loc[is_it, "y_hat"] += 1
    assert is_it.sum() == 1
    (note,) = explain_nights([night for _, night in two], log, {}).notes
    assert note.startswith(
        "The log has other forecasts of the night before in 1 of 12 rows, such as "
    )
    (missing,) = explain_nights([night for _, night in two], log[~is_it], {}).notes
    assert missing == "1 forecast of the night before are not in the log."


def test_a_mere_revision_is_compared_with_the_record_before_it(
    champion: LoadedChampion, two: list[Made]
) -> None:
    """The log has two forecasts of one version from one end, and the series that was revised is found in it."""
    table = make_table(111)
    table.loc[(table["unique_id"] == "b") & (table["ds"] == "2024-04-18"), "y"] += 5
    revised = predict(champion, table)
    log = pd.concat([two[1][0], revised[0]], ignore_index=True)
    calls: list[pd.Series] = []

    def explain(*nights: Any, changes: pd.Series) -> Change:
        calls.append(changes)
        return explain_change(*nights, changes=changes)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(operation, "explain_change", explain)
        change = explain_nights([two[1][1], revised[1]], log, {})
    assert change.notes == ()
    assert calls[0]["a"] == 0
    assert calls[0]["b"] == pytest.approx(change.table["change"].abs().max(), rel=1e-5)


def test_forecasts_whose_inputs_were_not_saved_are_not_explained_by_those_of_other_nights(
    two: list[Made],
) -> None:
    nights = [night for _, night in two]
    log = pd.concat([log for log, _ in two])
    assert explain_newest(nights, log, {}, two[1][0])["changes"]
    for newest in (two[0][0], two[1][0].assign(model_version="other")):
        found = explain_newest(nights, log, {}, newest)
        assert (found["changes"], "could not be saved" in found["sentence"]) == ([], True)


def test_an_unknown_series_is_refused(explain: Any) -> None:
    with pytest.raises(ChampionError, match="series 'x' is not in both"):
        explain({}, "x")


def test_a_single_night_is_refused(two: list[Made]) -> None:
    with pytest.raises(ChampionError, match="the inputs of 1 of the two nights"):
        explain_nights([two[0][1]], two[0][0], {})


def test_first_night_has_a_reason(two: list[Made]) -> None:
    first = explain_newest([two[0][1]], two[0][0], {})
    assert first["changes"] == []
    assert "of the two nights that a change needs" in first["sentence"]


def test_nights_of_other_series_have_a_reason(champion: LoadedChampion, two: list[Made]) -> None:
    other = predict(champion, make_table(111, "x"))
    found = explain_newest([two[0][1], other[1]], other[0], {})
    assert "No date is forecast by both nights" in found["sentence"]
