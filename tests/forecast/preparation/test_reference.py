"""A champion knows its history: a revision, another unit and lost values are found, and newer values are none."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.forecast.preparation.reference import (
    LEVEL_STEPS,
    Reference,
    ReferenceTable,
    describe_new_history,
    find_changes,
    find_ended,
    measure_reference,
)

NUM = 300


def make_series(values: np.ndarray, name: str = "a", first: str = "2024-01-01") -> pd.DataFrame:
    return pd.DataFrame(
        {
            "unique_id": name,
            "ds": pd.date_range(first, periods=len(values)),
            "y": values,
            "observed": np.isfinite(values),
        }
    )


def make_values(num: int = NUM, seed: int = 0) -> np.ndarray:
    return 50 + np.random.default_rng(seed).normal(0, 5, 500)[:num]


def learn(series: pd.DataFrame) -> Reference:
    until = (
        series.groupby("unique_id")["ds"]
        .agg(lambda times: times.iloc[int(0.8 * len(times)) - 1])
        .to_dict()
    )
    return ReferenceTable.validate(measure_reference(series, until, "D"))


def find_kind(series: pd.DataFrame, reference: Reference) -> str:
    changes = find_changes(series, reference, 30)
    return changes["a"].kind if "a" in changes else ""


@pytest.fixture(scope="module")
def statistics() -> pd.Series:
    """Of a series of six values beside a long one."""
    values = np.array([0.0, 4.0, 4.0, np.nan, 4.0, -2.0, 0.0])
    tables = [make_series(values), make_series(make_values(), "b")]
    return learn(pd.concat(tables, ignore_index=True)).iloc[0]


def test_statistics_are_those_of_the_observed_values(statistics: pd.Series) -> None:
    names = ["mean", "lowest", "highest", "zero_share", "deviation"]
    expected = [10 / 6, -2, 4, 2 / 6, np.std([0, 4, 4, 4, -2, 0])]
    assert statistics[names].tolist() == pytest.approx(expected)


def test_statistics_count_the_observed_values(statistics: pd.Series) -> None:
    names = ["num_values", "longest_run", "late_steps"]
    assert statistics[names].tolist() == [6, 3, NUM - 7]
    assert statistics["last"] == pd.Timestamp("2024-01-07")


def test_few_values_have_no_range_of_levels(statistics: pd.Series) -> None:
    assert np.isnan(statistics["lowest_level"])


def test_range_of_levels_is_that_of_the_learnt_windows() -> None:
    values = make_values()
    values[250:] += 100
    means = [values[start : start + LEVEL_STEPS].mean() for start in range(240 - LEVEL_STEPS + 1)]
    row = learn(make_series(values)).iloc[0]
    assert row[["lowest_level", "highest_level"]].tolist() == pytest.approx(
        [min(means), max(means)]
    )


@pytest.mark.parametrize("scale", [1000, 1.5, 0.6, 1e-3, -1])
def test_other_values_of_the_same_times_are_another_history(scale: float) -> None:
    values = make_values()
    assert find_kind(make_series(values * scale), learn(make_series(values))) == "rewritten"


@pytest.mark.parametrize(
    "change",
    [
        lambda values: values + 273,
        lambda values: 50 + 10 * (values - 50),
        lambda values: np.where(np.arange(NUM) % 3 == 0, 0, values),
    ],
    ids=["shift", "spread", "zeros"],
)
def test_history_of_other_values_is_rewritten(
    change: Callable[[np.ndarray], np.ndarray],
) -> None:
    reference = learn(make_series(make_values()))
    assert find_kind(make_series(change(make_values())), reference) == "rewritten"


def test_history_that_is_cut_on_purpose_is_no_change() -> None:
    reference = learn(make_series(make_values()))
    assert find_changes(make_series(make_values()[:100]), reference, 30, is_cut=True) == {}


@pytest.mark.parametrize(("num_zeros", "expected"), [(20, ""), (60, "stuck")])
def test_unusually_many_zeros_are_a_stuck_series(num_zeros: int, expected: str) -> None:
    counts = np.where(np.arange(NUM) % 25 == 0, 3.0, 0.0)
    series = make_series(np.append(counts, np.zeros(num_zeros)))
    assert find_kind(series, learn(make_series(counts))) == expected


def test_constant_series_is_not_stuck() -> None:
    constant = np.full(NUM, 5.0)
    assert find_kind(make_series(np.append(constant, constant)), learn(make_series(constant))) == ""


@given(
    seed=st.integers(0, 10_000),
    num_new=st.integers(0, 200),
    trend=st.floats(-0.5, 0.5),
    late=st.integers(0, 20),
)
def test_usual_news_are_no_change(seed: int, num_new: int, trend: float, late: int) -> None:
    """Newer values, and corrections of late ones."""
    values = make_values(500, seed) + trend * np.arange(500) + 300
    reference = learn(make_series(values[:NUM]))
    values[NUM - late : NUM] *= 1.1
    assert find_kind(make_series(values[: NUM + num_new]), reference) == ""


@pytest.mark.parametrize(("num_gone", "kind"), [(30, ""), (31, "vanished"), (200, "vanished")])
def test_tenth_of_the_values_may_vanish(num_gone: int, kind: str) -> None:
    values = make_values()
    reference = learn(make_series(make_values()))
    assert find_kind(make_series(values).iloc[num_gone:], reference) == kind
    assert find_kind(make_series(values).iloc[: NUM - num_gone], reference) == kind
    values[np.random.default_rng(0).choice(NUM, num_gone, replace=False)] = np.nan
    assert find_kind(make_series(values), reference) == kind


@pytest.mark.parametrize("num_days", [1, 100, 149])
def test_table_that_keeps_its_length_has_lost_nothing(num_days: int) -> None:
    values = make_values(500)
    reference = learn(make_series(make_values()))
    assert find_kind(make_series(values[: NUM + num_days]).iloc[num_days:], reference) == ""


@pytest.mark.parametrize(("num", "kind"), [(9, ""), (10, "stuck")])
def test_value_that_repeats_is_stuck_after_ten_steps(num: int, kind: str) -> None:
    values = np.append(make_values(), np.full(num, 47.0))
    assert find_kind(make_series(values), learn(make_series(make_values()))) == kind


@pytest.mark.parametrize(("num", "kind"), [(2, ""), (3, "negative"), (30, "negative")])
def test_values_below_0_are_new_if_there_were_none(num: int, kind: str) -> None:
    values = np.append(make_values(), -make_values(500)[-num:])
    assert find_kind(make_series(values), learn(make_series(make_values()))) == kind
    assert find_kind(make_series(values - 51), learn(make_series(make_values() - 51))) == ""


def test_series_that_is_gone_is_absent() -> None:
    reference = learn(
        pd.concat([make_series(make_values(), name) for name in "ab"], ignore_index=True)
    )
    (change,) = find_changes(make_series(make_values(), "b"), reference, 30).values()
    assert change.kind == "absent"


def test_steps_are_compared_as_days_are() -> None:
    values = make_values()
    steps = make_series(values).assign(ds=np.arange(NUM))
    reference = ReferenceTable.validate(measure_reference(steps, {"a": 239}, 1))
    assert find_kind(steps, reference) == ""
    assert find_kind(steps.assign(y=1000 * values), reference) == "rewritten"


@pytest.mark.parametrize(("num_steps", "has_ended"), [(7, False), (8, True)])
def test_series_has_ended_if_the_others_go_on_for_more_than_a_horizon(
    num_steps: int, has_ended: bool
) -> None:
    one = make_series(make_values())
    other = make_series(make_values(NUM + num_steps), "b")
    reference = learn(pd.concat([one, other[:NUM]], ignore_index=True))
    today = pd.concat([one, other], ignore_index=True)
    assert list(find_ended(today, reference, "D", 7)) == ["a"] * has_ended
    # It had ended before the training.
    assert find_ended(today, learn(today), "D", 7) == {}


@dataclass(frozen=True)
class Panel:
    num_rewritten: int
    num_absent: int


@pytest.mark.parametrize(
    ("panel", "is_other"),
    [(Panel(1, 0), False), (Panel(2, 0), True), (Panel(0, 9), False), (Panel(1, 5), True)],
)
def test_history_of_a_panel_may_change_in_a_tenth_of_its_series(
    panel: Panel, is_other: bool
) -> None:
    """Of those that it still has."""
    tables = [make_series(make_values(seed=number), str(number)) for number in range(10)]
    today = [
        table.assign(y=table["y"] * (1000 if number < panel.num_rewritten else 1))
        for number, table in enumerate(tables[: 10 - panel.num_absent])
    ]
    found = describe_new_history(
        pd.concat(today, ignore_index=True), learn(pd.concat(tables, ignore_index=True))
    )
    assert (found is not None) == is_other


def test_table_that_begins_after_the_training_is_newer() -> None:
    reference = learn(make_series(make_values()))
    assert find_kind(make_series(make_values(seed=1), first="2025-01-01"), reference) == "newer"


def test_shifted_times_are_a_new_history() -> None:
    """Else a challenger on the shifted times would replace the champion, and end the alarm; simulated with seed 5."""
    series = make_series(make_values())
    shifted = make_series(make_values(), first="2024-01-01 06:00")
    longer = pd.concat([shifted, shifted.tail(1).assign(ds=lambda t: t["ds"] + pd.Timedelta("1D"))])
    assert describe_new_history(longer, learn(series)) is not None


def test_times_between_those_of_the_training_are_shifted() -> None:
    reference = learn(make_series(make_values()))
    series = make_series(make_values())
    assert find_kind(series.assign(ds=series["ds"] + pd.Timedelta(hours=6)), reference) == "shifted"


def test_steps_that_begin_after_the_training_are_newer() -> None:
    series = make_series(make_values()).assign(ds=np.arange(NUM))
    reference = measure_reference(series, {"a": NUM - 60}, 1)
    assert find_kind(series.assign(ds=np.arange(NUM) + NUM), reference) == "newer"
