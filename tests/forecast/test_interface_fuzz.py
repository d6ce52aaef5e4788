"""Whatever frames and arguments `Forecaster` gets: it answers, or refuses them in the project's own words.

`RNN_FUZZ_FRAMES` says how many frames there are, with a round of all methods for each ten, and `RNN_FUZZ_FIRST` the
number of the first; a failure names its number, which is its seed.
"""

import copy
import datetime as dt
import random
import traceback
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import pandas as pd
import pyarrow
import pytest

from fuzzing import list_seeds
from rnn_pipelines import Forecaster
from rnn_pipelines.errors import MAX_MESSAGE, RnnPipelinesError

pytestmark = pytest.mark.slow

SEEDS = list_seeds("RNN_FUZZ_FRAMES", 15)
SMALL: dict[str, Any] = {
    "lookback": 4,
    "training": {"max_steps": 2, "batch_size": 16},
    "lstm": {"units": 2, "members": 1},
    "gru": {"units": 2, "members": 1},
    "split": {"validation": 4, "test": 4},
}
SIZES = [0, 1, 2, 3, 8, 24, 24, 30, 40, 40, 40]
DAYS = pd.date_range("2024-01-01", periods=max(SIZES))

Draw = random.Random


class Odd:
    """An object that has no text."""

    def __repr__(self) -> str:
        raise ValueError("no text")


# fmt: off
ODD: list[Callable[[], Any]] = [
    lambda: None, lambda: True, lambda: False, lambda: 0, lambda: -1, lambda: 1, lambda: 2, lambda: 3, lambda: 10**6,
    lambda: 2**31, lambda: 2**63, lambda: 10**30, lambda: 10**5000, lambda: 0.5, lambda: 1.0, lambda: float("nan"),
    lambda: float("inf"), lambda: -0.0, lambda: "", lambda: "1", lambda: "a", lambda: "\ud800", lambda: "\0",
    lambda: "x" * 1000, lambda: b"1", lambda: b"\xff", list, dict, set, tuple, lambda: [80], lambda: [80, "a"],
    lambda: [None], lambda: (80, 95), lambda: [[80]], lambda: {"a": 1}, lambda: {1: 2}, lambda: {None: None},
    lambda: np.int64(2), lambda: np.float64(2.5), lambda: np.array([80]), lambda: np.array([80, 95]),
    lambda: np.array(3), lambda: np.bool_(True), lambda: np.datetime64("2024-01-01"), lambda: pd.NA, lambda: pd.NaT,
    lambda: pd.Timestamp("2024-01-01"), lambda: pd.Timedelta("1D"), lambda: pd.Series([80, 95]), pd.DataFrame,
    lambda: pd.Index([80]), lambda: Decimal(2), lambda: Decimal("NaN"), lambda: Fraction(1, 2), lambda: 1j, object, Odd,
    lambda: len, lambda: int, lambda: Path("x"), lambda: range(80, 82), lambda: iter([80]), lambda: "ensemble",
    lambda: "lstm", lambda: "D", lambda: "ds", lambda: dt.date(2024, 1, 1), lambda: {"time": "ds"}, lambda: ["y"],
]


def list_times(size: int) -> list[Callable[[], Any]]:
    days = DAYS[:size]
    numbers = range(size)
    return [
        lambda: days, lambda: days.astype(str), lambda: days.astype(object), lambda: list(days.date),
        lambda: days.tz_localize("UTC"), lambda: days.tz_localize("Europe/Berlin"), lambda: days.to_period("D"),
        lambda: [day.tz_localize("UTC" if day.day % 2 else "Asia/Tokyo") for day in days],
        lambda: [day.tz_localize("UTC") if day.day % 2 else day for day in days],
        lambda: [pd.NaT if day.day == 2 else day for day in days], lambda: days.astype("datetime64[s]"),
        lambda: [None if day.day == 2 else str(day) for day in days], lambda: list(numbers),
        lambda: np.arange(size) / 2,
        lambda: np.arange(size, dtype="uint64") + np.uint64(2**63), lambda: [2**70 + number for number in numbers],
        lambda: [10**5000 + number for number in numbers], lambda: pd.Categorical(days.astype(str)),
        lambda: pd.Categorical(days), lambda: pd.to_timedelta(np.arange(size), "D"), lambda: [True] * size,
        lambda: pd.array(list(numbers), "Int64"), lambda: pd.array([None, *numbers][:size], "Int64"),
        lambda: pd.array(days, pd.ArrowDtype(pyarrow.timestamp("us", "UTC"))), lambda: [str(day)[:7] for day in days],
        lambda: pd.array(days.date, pd.ArrowDtype(pyarrow.date32())),
        lambda: [dt.time(number % 24) for number in numbers],
        lambda: pd.array(days.astype(str), pd.ArrowDtype(pyarrow.string())), lambda: [None] * size,
        lambda: pd.date_range("9999-11-01", periods=size, unit="s"), lambda: ["a"] * size, lambda: [b"2024"] * size,
        lambda: [days[0]] * size if size else [], lambda: days[::-1], lambda: [Odd()] * size,
        lambda: [float("inf")] * size,
        lambda: [np.datetime64("NaT")] * size, lambda: [{"a": 1}] * size, lambda: 1j * np.arange(size),
        lambda: [f"{day:%m%Y}" for day in days], lambda: days + pd.to_timedelta(np.arange(size) % 3, "h"),
    ]


def list_numbers(size: int) -> list[Callable[[], Any]]:
    values = 10 + np.sin(np.arange(size)) + np.arange(size) / 10
    whole = (values * 10).astype(int)
    return [
        lambda: values, lambda: values.astype("float32"), lambda: values.astype("float16"), lambda: whole,
        lambda: -values, lambda: whole.astype("int8"), lambda: whole.astype("uint64") + np.uint64(2**63),
        lambda: pd.array([None, *whole][:size], "Int64"), lambda: pd.array([None, *values][:size], "Float64"),
        lambda: whole % 2 == 0, lambda: pd.array([None, *(whole % 2 == 0)][:size], "boolean"),
        lambda: [Decimal(str(value)) for value in values], lambda: [Decimal("NaN"), *map(Decimal, values)][:size],
        lambda: [Decimal("Infinity"), *map(Decimal, values)][:size], lambda: [Fraction(int(one), 3) for one in whole],
        lambda: values * 1j, lambda: [*values[:-1], np.inf][:size], lambda: [-np.inf, *values][:size],
        lambda: [np.nan] * size, lambda: [None] * size, lambda: [1e308] * size, lambda: values * 1e37,
        lambda: values * 1e-320, lambda: [0.0] * size, lambda: [7] * size, lambda: list(map(str, values)),
        lambda: [f"{value:.2f}".replace(".", ",") for value in values], lambda: [f"{value:.3f}" for value in values],
        lambda: [f"{value:.1f} €" for value in values], lambda: ["a"] * size, lambda: [1, "a", None, *values][:size],
        lambda: pd.Categorical(whole), lambda: pd.Categorical(map(str, whole)), lambda: DAYS[:size],
        lambda: pd.to_timedelta(values, "D"), lambda: pd.arrays.SparseArray(values), lambda: [[1]] * size,
        lambda: pd.interval_range(0, periods=size) if size else [], lambda: [b"1"] * size, lambda: ["\0"] * size,
        lambda: values.astype(np.longdouble), lambda: [10**400] * size, lambda: [10**5000] * size,
        lambda: pd.array(values, pd.ArrowDtype(pyarrow.float64())), lambda: [Odd()] * size, lambda: [{}] * size,
        lambda: pd.array([Decimal("1.50")] * size, pd.ArrowDtype(pyarrow.decimal128(20, 2))),
        lambda: [-999.0 if number % 7 == 3 else value for number, value in enumerate(values)],
        lambda: pd.array(list(map(str, values)), "string[python]"), lambda: [pd.NA, *values][:size],
        lambda: np.where(np.arange(size) % 2, values, np.nan), lambda: [np.nan] * (size - 1) + [1.0] * min(size, 1),
    ]


def list_names(size: int) -> list[Callable[[], Any]]:
    halves = np.arange(size) % 2
    return [
        lambda: np.where(halves, "a", "b"), lambda: halves, lambda: halves - 5, lambda: halves / 2,
        lambda: halves.astype("uint64") + np.uint64(2**63), lambda: [2**70 + int(one) for one in halves],
        lambda: halves == 1, lambda: pd.array([None, *halves][:size], "Int64"), lambda: [None, *halves][:size],
        lambda: pd.Categorical(np.where(halves, "a", "b"), ["c", "b", "a"]), lambda: pd.Categorical(halves),
        lambda: DAYS[halves], lambda: [(int(one), 1) for one in halves], lambda: [Decimal(int(one)) for one in halves],
        lambda: [""] * size, lambda: ["x" * 5000] * size, lambda: [b"\xff"] * size, lambda: [b"a"] * size,
        lambda: [1 if one else "1" for one in halves], lambda: [np.nan] * size, lambda: ["\0"] * size,
        lambda: pd.array(np.where(halves, "a", "b"), pd.ArrowDtype(pyarrow.string())), lambda: np.arange(size),
        lambda: halves.astype("int8"), lambda: pd.Series(["\ud800"] * size, dtype=object), lambda: [10**5000] * size,
        lambda: pd.array(pyarrow.array([b"\xff"] * size).view(pyarrow.string()), pd.ArrowDtype(pyarrow.string())),
        lambda: [Odd()] * size, lambda: ["=1+1", " a "] * (size // 2) + ["a"] * (size % 2), lambda: [[1]] * size,
        lambda: halves.astype("float16"), lambda: pd.array(halves, "UInt8"), lambda: [pd.NaT] * size,
    ]
# fmt: on


def draw_frame(draw: Draw) -> Any:
    """A table, most of its columns in order."""
    size = draw.choice(SIZES)
    columns = {"ds": pick(draw, list_times(size)), "y": pick(draw, list_numbers(size))}
    if draw.random() < 0.5:
        columns["unique_id"] = pick(draw, list_names(size))
    if draw.random() < 0.3:
        columns["x"] = pick(draw, [*list_numbers(size), *list_names(size)])
    if draw.random() < 0.05:
        del columns[draw.choice(list(columns))]
    frame = pd.DataFrame({name: make_column(make, size) for name, make in columns.items()})
    return pick(draw, [lambda: frame, *list_forms(frame, draw)])()


def pick(draw: Draw, makers: list[Callable[[], Any]]) -> Callable[[], Any]:
    """The first one, which is in order, or any."""
    return makers[0] if draw.random() < 0.6 else draw.choice(makers)


def make_column(make: Callable[[], Any], size: int) -> pd.Series:
    cells = make()
    return pd.Series(cells, pd.RangeIndex(size), dtype=object if isinstance(cells, list) else None)


def list_forms(frame: pd.DataFrame, draw: Draw) -> list[Callable[[], Any]]:
    """Other forms of a table: libraries, indexes, and names of columns."""
    names = list(frame.columns)
    keys = [name for name in ("unique_id", "ds") if name in frame]
    odd = [
        0,
        None,
        ("a", "b"),
        "",
        float("nan"),
        10**30,
        "ds ",
        b"ds",
        pd.Timestamp("2024-01-01"),
        "\0",
    ]
    return [
        lambda: nw.from_native(frame),
        lambda: nw.from_native(pyarrow.Table.from_pandas(frame)).lazy(),
        lambda: pyarrow.Table.from_pandas(frame),
        lambda: pyarrow.RecordBatch.from_pandas(frame),
        lambda: frame.set_index(keys),
        lambda: frame.set_index(keys, drop=False),
        lambda: frame.set_index(keys[-1:]),
        lambda: frame.set_index(pd.Index([7] * len(frame))),
        lambda: frame.set_index(pd.Index([7] * len(frame), name="ds")),
        lambda: frame.sample(frac=1, random_state=draw.randrange(99)),
        lambda: pd.concat([frame, frame]),
        lambda: pd.concat([frame, frame], axis=1),
        lambda: frame.rename(columns={draw.choice(names): draw.choice(odd)}),
        lambda: frame.assign(other=1).rename(columns={"other": draw.choice(odd)}),
        lambda: frame.set_axis(pd.MultiIndex.from_product([["a"], names]), axis=1),
        lambda: frame.convert_dtypes(dtype_backend="pyarrow"),
        lambda: frame.astype("category"),
        lambda: frame.get("y", frame),
        lambda: (
            pd.Series(frame["y"].array, frame["ds"].array) if {"ds", "y"} <= {*names} else frame
        ),
        lambda: pd.Series(
            frame["y"].array, pd.DatetimeIndex(DAYS[: len(frame)]), name=draw.choice(odd)
        ),
        frame.to_numpy,
        lambda: frame.to_dict("records"),
        lambda: frame.iloc[:, :0],
        lambda: pd.DataFrame(index=frame.index),
        draw.choice(ODD),
    ]


def draw_forecaster(draw: Draw) -> Forecaster:
    """A forecaster that fits quickly, with other ways of reading a table."""
    ways: list[dict[str, Any]] = [
        {}, {}, {}, {"hist_exog": ["x"]}, {"futr_exog": ["x"]}, {"stat_exog": ["x"]}, {"freq": "D"}, {"freq": 1},
        {"source": {"wide": True}}, {"source": {"tz": "Europe/Berlin"}}, {"gaps": "zero"}, {"gaps": "split"},
        {"level": None}, {"source": {"time_format": "excel"}}, {"source": {"id": "x"}}, {"source": {"series": ["x"]}},
        {"source": {"valid_range": "0:40"}}, {"source": {"closed_days": "DE"}}, {"training": {"target": "both"}},
    ]  # fmt: skip
    way = draw.choice(ways)
    blocks = {**SMALL, **way, "training": {**SMALL["training"], **way.get("training", {})}}
    return Forecaster(h=2, **blocks)


def make_panel() -> pd.DataFrame:
    series = [
        pd.DataFrame(
            {"unique_id": name, "ds": DAYS, "y": 10 + np.sin(np.arange(len(DAYS)) + start)}
        )
        for start, name in enumerate("ab")
    ]
    return pd.concat(series, ignore_index=True)


@pytest.fixture(scope="module")
def fitted() -> Forecaster:
    return Forecaster(h=2, **SMALL).fit(make_panel())


@pytest.fixture(scope="module")
def saved(fitted: Forecaster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("saved") / "model"
    fitted.save(path)
    return path


def judge(number: int, act: Callable[[], object], faults: list[str]) -> str:
    """Calls, and notes an exception that is not the project's; whether it has answered or refused."""
    try:
        act()
    except RnnPipelinesError as error:
        if not 0 < len(str(error)) <= MAX_MESSAGE or not str(error).isprintable():
            faults.append(f"{number}: a message of {len(str(error))} signs")
        return "refused"
    # Any other exception is what these tests look for.
    except Exception as error:
        places = [
            f"{Path(one.filename).name}:{one.lineno}"
            for one in traceback.extract_tb(error.__traceback__)
        ]
        faults.append(
            f"{number}: {type(error).__name__}: {str(error)[:200]} at {' '.join(places[1:])}"
        )
        return "foreign"
    return "answered"


def require_none(faults: list[str], outcomes: list[str]) -> None:
    assert not faults, "\n".join(faults)
    assert {"answered", "refused"} <= {*outcomes}


def test_frames_are_used_or_refused(fitted: Forecaster) -> None:
    faults: list[str] = []
    outcomes = []
    for number in SEEDS:
        draw = random.Random(number)
        frame = draw_frame_or_none(draw)
        forecaster = draw_forecaster(draw)
        kept = (
            copy.copy(frame)
            if not isinstance(frame, pd.DataFrame | pd.Series)
            else frame.copy(deep=True)
        )

        def use(forecaster: Forecaster = forecaster, frame: Any = frame, draw: Draw = draw) -> None:
            forecaster.fit(frame)
            for act in (
                forecaster.predict,
                forecaster.series_methods,
                forecaster.holdout,
                forecaster.leaderboard,
            ):
                act()
            assert repr(forecaster)
            forecaster.predict(frame, methods="all")
            forecaster.plot(frame)
            forecaster.explain(frame)
            if draw.random() < 0.3:
                forecaster.cross_validation(frame, n_windows=1)

        outcomes.append(judge(number, use, faults))
        outcomes.append(judge(number, lambda frame=frame: fitted.predict(frame), faults))
        outcomes.append(judge(number, lambda frame=frame: fitted.explain(frame), faults))
        if isinstance(frame, pd.DataFrame):
            assert [*map(repr, frame.columns)] == [*map(repr, kept.columns)]
            assert frame.dtypes.tolist() == kept.dtypes.tolist()
            assert frame.index.equals(kept.index)
    require_none(faults, outcomes)


def draw_frame_or_none(draw: Draw) -> Any:
    """A table; None if no library can hold what was drawn."""
    try:
        return draw_frame(draw)
    except Exception:
        return None


def draw_paths(folder: Path) -> Iterator[Any]:
    """Paths of new and existing files and folders, and others."""
    (folder / "file").write_text("mine")
    (folder / "mine").mkdir()
    (folder / "mine" / "a.txt").write_text("mine")
    yield from (
        folder / "file",
        folder / "mine",
        folder / "file" / "below",
        folder / "a" / "b",
        folder / ("x" * 300),
    )
    yield from (
        folder / "new.zip",
        folder / "new.html",
        str(folder / "other"),
        folder,
        folder / "a\0b",
        folder / "\ud800",
    )


def test_arguments_are_used_or_refused(
    fitted: Forecaster, saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    faults: list[str] = []
    outcomes = []
    for number in SEEDS[: max(len(SEEDS) // 10, 2)]:
        draw = random.Random(number)
        folder = tmp_path / str(number)
        folder.mkdir()
        paths = list(draw_paths(folder))

        def odd(draw: Draw = draw) -> Any:
            return draw.choice(ODD)()

        def path(draw: Draw = draw, paths: list[Any] = paths) -> Any:
            return draw.choice([*paths, draw.choice(ODD)()])

        for act in list_acts(fitted, saved, draw, odd, path):
            outcomes.append(judge(number, act, faults))
        assert (folder / "file").read_text() == (folder / "mine" / "a.txt").read_text() == "mine"
    require_none(faults, outcomes)


def list_acts(
    fitted: Forecaster, saved: Path, draw: Draw, odd: Callable[[], Any], path: Callable[[], Any]
) -> list[Callable[[], object]]:
    """One call of each method, with one or all of its arguments drawn."""
    some = lambda **makers: {name: make() for name, make in makers.items() if draw.random() < 0.5}  # noqa: E731
    blocks = [
        "source",
        "gaps",
        "split",
        "window",
        "calendar",
        "covariates",
        "lstm",
        "training",
        "use",
    ]
    blocks += ["futr_exog", "stat_exog"]
    # Processes of another number take long.
    workers = lambda: draw.choice([1, 1, 0, -1, "a", 1.5, 10**30])  # noqa: E731
    panel = make_panel()
    network = draw.choice([*fitted.networks.values(), odd()])
    return [
        lambda: Forecaster(
            **some(h=odd, level=odd, lookback=odd, freq=odd), **{draw.choice(blocks): odd()}
        ),
        lambda: Forecaster(odd(), odd(), odd(), odd()),
        lambda: fitted.predict(**some(h=odd, level=odd, paths=odd, seed=odd, methods=odd)),
        lambda: fitted.plot(**some(h=odd, level=odd, methods=odd, ids=odd)),
        lambda: fitted.evaluate(
            draw.choice([panel.assign(ds=panel["ds"] + pd.Timedelta(days=9)), odd()]), odd()
        ),
        lambda: fitted.predict(panel, paths=2, seed=odd()),
        lambda: fitted.predict(odd()),
        lambda: Forecaster(h=2, **SMALL).fit(odd()),
        lambda: fitted.cross_validation(
            panel, workers=workers(), **some(n_windows=odd, step_size=odd, refit=odd)
        ),
        lambda: fitted.explain(panel, odd()),
        lambda: fitted.network_windows(odd()),
        lambda: fitted.replace_network(draw.choice(["lstm", "gru", odd()]), network),
        lambda: fitted.save(path()),
        lambda: fitted.export(path()),
        lambda: fitted.report(path()),
        lambda: Forecaster.load(draw.choice([saved, path()]), **some(source=odd)),
        lambda: Forecaster.load(saved).predict(draw.choice([panel, odd()]), h=odd()),
        lambda: Forecaster.unpack(odd()),
        lambda: Forecaster(h=2, **SMALL).predict(odd()),
    ]
