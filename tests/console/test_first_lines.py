"""The first sentences of the command on files of thirty kinds: next values, usual error, comparison."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from rnn_pipelines.console.main import commands
from rnn_pipelines.forecast.report.styles import STYLES

FORBIDDEN = ("too few to tell", "too few windows", "(p = 1)", "kedro ")
Draw = Callable[[np.random.Generator], pd.DataFrame]


def draw_values(
    rng: np.random.Generator, number: int, season: int, level: float = 100
) -> np.ndarray:
    steps = np.arange(number)
    wave = np.sin(2 * np.pi * steps / season)
    return np.round(level * (1 + 0.2 * wave + rng.normal(0, 0.05, number)), 2)


def make_regular(freq: str, number: int, season: int, level: float = 100) -> Draw:
    def draw(rng: np.random.Generator) -> pd.DataFrame:
        times = pd.date_range("2019-01-07", periods=number, freq=freq)
        return pd.DataFrame({"date": times, "sales": draw_values(rng, number, season, level)})

    return draw


def make_panel(freq: str, lengths: list[int], season: int) -> Draw:
    def draw(rng: np.random.Generator) -> pd.DataFrame:
        end = pd.Timestamp("2024-06-30")
        tables = [
            pd.DataFrame(
                {
                    "shop": f"shop {number}",
                    "date": pd.date_range(end=end, periods=length, freq=freq),
                    "sales": draw_values(rng, length, season, 50 * (number + 1)),
                }
            )
            for number, length in enumerate(lengths)
        ]
        return pd.concat(tables, ignore_index=True)

    return draw


def change(draw: Draw, alter: Callable[[pd.Series, np.random.Generator], pd.Series]) -> Draw:
    """Return a table with changed values."""

    def draw_changed(rng: np.random.Generator) -> pd.DataFrame:
        table = draw(rng)
        return table.assign(sales=alter(table["sales"], rng))

    return draw_changed


def make_sparse(values: pd.Series, rng: np.random.Generator) -> pd.Series:
    return values.where(rng.random(len(values)) < 0.3, 0.0)


DAYS = make_regular("D", 150, 7)
FILES: dict[str, tuple[Draw, tuple[str, ...]]] = {
    "days": (DAYS, ()),
    "days of a year": (make_regular("D", 365, 7), ()),
    "business days": (make_regular("B", 150, 5), ()),
    "weeks": (make_regular("W-MON", 120, 52), ()),
    "months": (make_regular("MS", 60, 12), ()),
    "few months": (make_regular("MS", 14, 12), ()),
    "quarters": (make_regular("QS", 40, 4), ()),
    "years": (make_regular("YS", 30, 8), ()),
    "hours": (make_regular("h", 500, 24), ()),
    "quarter hours": (make_regular("15min", 500, 96), ("-H", "8")),
    "eight days": (make_regular("D", 8, 7), ()),
    "three values": (make_regular("D", 3, 7), ()),
    "large values": (make_regular("D", 100, 7, 1e9), ()),
    "small values": (make_regular("D", 100, 7, 1e-5), ()),
    "one step": (DAYS, ("-H", "1")),
    "no level": (DAYS, ("--set", "level=[]")),
    "one level": (DAYS, ("--level", "50")),
    "method named": (DAYS, ("--use", "theta")),
    "best method": (DAYS, ("--use", "best")),
    "constant": (change(DAYS, lambda values, _: values * 0 + 5), ()),
    "zeros": (change(DAYS, lambda values, _: values * 0), ()),
    "line": (change(DAYS, lambda values, _: pd.Series(np.arange(len(values)) + 1.0)), ()),
    "sparse": (change(DAYS, make_sparse), ()),
    "negative": (change(DAYS, lambda values, _: values - 100), ()),
    "gaps": (change(DAYS, lambda values, rng: values.where(rng.random(len(values)) > 0.1)), ()),
    "break of level": (change(DAYS, lambda values, _: values + 300 * (values.index > 100)), ()),
    "random walk": (
        change(DAYS, lambda values, rng: pd.Series(rng.normal(size=len(values)).cumsum())),
        (),
    ),
    "panel of days": (make_panel("D", [120] * 4, 7), ("--id", "shop")),
    "panel of months": (make_panel("MS", [40] * 5, 12), ("--id", "shop")),
    "panel of new and old series": (make_panel("D", [120, 60, 9], 7), ("--id", "shop")),
}


@pytest.mark.parametrize("kind", FILES)
def test_first_lines_are_answer_error_and_comparison(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    draw, options = FILES[kind]
    draw(np.random.default_rng(len(kind))).to_csv("table.csv", index=False)
    words = ["forecast", "table.csv", "--fast", "--target", "sales", *options]
    result = CliRunner().invoke(commands, words, catch_exceptions=False)
    first = " ".join(result.stdout.split("\n\n")[0].split())
    answer, error, comparison = re.split(
        r" (?=Usual error: |Error (?:at|beside) |$)", f"{first} ", maxsplit=2
    )
    assert re.match(r"sales (of shop \d )?on [\d: -]+: −?[\d,.e−]+", answer)
    assert not any(style.name in answer for style in STYLES.values())
    assert error.startswith("Usual error: ")
    assert comparison
    assert not any(words in result.stdout for words in FORBIDDEN)
