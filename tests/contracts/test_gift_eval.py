"""The windows of the benchmark of long horizons."""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
# Lengths of series and horizons of the settings, and of series that are too short.
SHAPES = [
    (17_420, 48),
    (17_420, 480),
    (17_420, 720),
    (725, 30),
    (70_092, 48),
    (70_092, 720),
    (100, 48),
    (3650, 120),
]


@pytest.fixture
def gift_eval(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    module = import_module("gift_eval")
    monkeypatch.delitem(sys.modules, "gift_eval")
    return module


@pytest.mark.parametrize(("num_values", "horizon"), SHAPES)
def test_windows_end_with_the_series_without_overlap(
    gift_eval: ModuleType, num_values: int, horizon: int
) -> None:
    for list_starts in (gift_eval.list_windows, gift_eval.spread_windows):
        backs = list_starts(num_values, horizon)
        assert backs[-1] == horizon
        assert (-np.diff(backs) >= horizon).all()


def test_numbers_of_windows_are_those_of_the_benchmark(gift_eval: ModuleType) -> None:
    assert [len(gift_eval.list_windows(*shape)) for shape in SHAPES[:4]] == [20, 4, 3, 3]


@pytest.fixture
def setting(gift_eval: ModuleType) -> Any:
    long = np.arange(200.0)
    short = np.arange(1000.0, 1150.0)
    return gift_eval.Setting(
        "numbers", "h", 24, 24, 10, [long, short], gift_eval.list_windows(150, 10)
    )


def test_the_past_ends_before_the_window(gift_eval: ModuleType, setting: Any) -> None:
    for back in setting.backs:
        actual = setting.read_actual(back)
        past = setting.read_past(back)
        assert actual.shape == (2, 10)
        assert (np.nanmax(past, axis=1) < actual[:, 0]).all()
        table = gift_eval.lay_out(setting, back)
        assert (table.groupby("unique_id")["y"].max() == actual[:, 0] - 1).all()


def test_the_training_part_ends_before_the_first_window(
    gift_eval: ModuleType, setting: Any
) -> None:
    first = gift_eval.lay_out(setting, setting.backs[0])
    starts = setting.read_actual(setting.backs[0])[:, 0]
    assert (first.groupby("unique_id")["y"].max() < starts).all(), (
        "the training part ends before the first window"
    )


def test_windows_of_development_are_before_all_test_windows(gift_eval: ModuleType) -> None:
    for num_values, known in (
        (17_420, gift_eval.ETTH1_KNOWN),
        (70_092, gift_eval.DEVELOPMENT_PART * 70_092),
    ):
        assert (
            num_values
            - max(gift_eval.list_windows(num_values, horizon)[0] for horizon in (48, 480, 720))
            >= known
        )
