"""What each rule of the methods and intervals brings: errors and intervals without it, on development data.

    RNN_DATA=<folder of the real data> .venv/bin/python benchmarks/ablation.py [rule ...] [--networks] [--table]

`RULES` names what is patched, its neutral value, and the lines that the rule costs. One rule at a time is neutral, in
a process of its own, and all sets are forecast again. No set holds a test part: real series are cut before theirs. The
networks are not trained. A rule without an effect on the first sets is also measured on the others, which are larger or
more special. A set's error is the geometric mean of the MASE of its series, and its Winkler score that of 80 and 95 %
intervals over the same scale. A run that was interrupted continues. At the end follows a table in Markdown: the mean
change over the sets that a rule can change, and that of the set that changes most, with its standard error over series.
The data of M1 and M3 are those of `short.py`. With `--networks`, the rules of trained networks are switched off, on
four small sets with two seeds each; the ensemble is then that of linear methods and networks. On one core (`taskset
-c 0`), no training starts in another process, whose seconds would not be counted.
"""

import argparse
import json
import logging
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from ablation_rules import NETWORK_RULES, RULES, Rule
from accuracy import prepare_data
from competition_panels import KINDS, draw_panel
from competitions import PERIODS, draw_cases
from intervals import (
    GENERATED,
    PREPARED,
    SERIES,
    draw_poisson,
    draw_sparse,
    read_jena,
    read_tourism,
)
from networks_gain import draw_threshold

from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.lab.pretraining.generator import generate

# The values of each series, and the changes of each rule.
VALUES, RESULTS = (
    str(Path(__file__).parent / name)
    for name in (".data/ablation{}.jsonl", "results/ablation{}.json")
)
BASELINE = "all rules"
LEVELS = (80, 95)
MEASURES = ("mase", *(f"{name}_{level}" for level in LEVELS for name in ("coverage", "winkler")))
MEASURES += (*(f"mase_{name}" for name in NETWORKS), "seconds")
# A smaller change of a set counts as none: in percent, and in points of coverage.
MAX_CHANGE, MAX_COVERAGE = 0.5, 1.0
# A smaller error or score of a series has no logarithm of use.
SMALLEST = 1e-3


class Task(NamedTuple):
    """One fit: a table, steps ahead, and other arguments. The newest rows are the actual values, or the test part."""

    frame: pd.DataFrame
    horizon: int
    season: int
    is_holdout: bool = False
    options: dict[str, Any] = {}  # noqa: RUF012 - never changed


def list_sets() -> dict[str, list[Task]]:
    """Return the tasks of each set."""
    tourism = read_tourism()
    sparse = draw_sparse()
    poisson = draw_poisson()
    tourism = tourism[tourism["part"] == "train"][["unique_id", "ds", "y"]]
    tourism = tourism[tourism["unique_id"].isin(sorted(tourism["unique_id"].unique())[::6][:60])]
    prepare_data()
    hours = pd.read_parquet(PREPARED / "m4_hourly.parquet")
    hours = hours[hours["unique_id"].isin(sorted(hours["unique_id"].unique())[::40][:10])]
    hours = hours[hours.groupby("unique_id").cumcount(ascending=False) >= 48]
    return {
        "short": [
            Task(
                case.make_frame(case.list_origins()[1]),
                PERIODS[case.period].horizon,
                PERIODS[case.period].season_length,
            )
            for case in draw_cases(24)
        ],
        "tourism_60": [Task(keep_newest(tourism, 72), 12, 12)],
        "tourism_36": [Task(keep_newest(tourism, 48), 12, 12)],
        "m3_yearly": [Task(draw_competition("M3", "yearly"), 6, 1)],
        "m3_quarterly": [Task(draw_competition("M3", "quarterly"), 8, 4)],
        "m4_hourly": [Task(keep_newest(hours, 360), 24, 24)],
        "jena": [Task(keep_newest(read_jena(), 400), 14, 7)],
        "seattle": [
            Task(
                keep_newest(read_seattle(), 600),
                7,
                7,
                True,
                {"split": {"validation": 120, "test": 120}},
            )
        ],
        "melbourne": [
            Task(
                keep_newest(read_melbourne(), 600),
                7,
                7,
                True,
                {"split": {"validation": 120, "test": 120}},
            )
        ],
        "etth1": [Task(read_oil(), 24, 24, True, {"lookback": 48})],
        "sunspots": [Task(read_sunspots(), 12, 1, True, {"lookback": 60})],
        "drifting": list(list_drifting()),
        "sparse": [Task(sparse, 14, 7)],
        "counts": [Task(keep_ids(poisson, 30), 12, 12)],
        "young": [Task(cut_at_random(tourism), 12, 12)],
        "seasonal": [Task(draw_generated(12, 84), 12, 12), Task(draw_generated(7, 150), 14, 7)],
        "covariates": list(list_with_covariates()),
        "few_series": [Task(keep_ids(keep_newest(tourism, 108), 4), 12, 12)],
    }


def list_more_sets() -> dict[str, list[Task]]:
    """Return the tasks of sets for rules that seem to have no effect."""
    tourism = read_tourism()
    tourism = tourism[tourism["part"] == "train"][["unique_id", "ds", "y"]]
    hours = pd.read_parquet(PREPARED / "m4_hourly.parquet")
    hours = hours[hours["unique_id"].isin(sorted(hours["unique_id"].unique())[::40])]
    return {
        "tourism_long": [
            Task(
                tourism[tourism["unique_id"].isin(sorted(tourism["unique_id"].unique())[::3])],
                24,
                12,
            )
        ],
        "m1_yearly": [Task(draw_competition("M1", "yearly", 100), 6, 1)],
        "m1_quarterly": [Task(draw_competition("M1", "quarterly", 100), 8, 4)],
        "m1_monthly": [Task(draw_competition("M1", "monthly", 100), 12, 12)],
        "m3_monthly": [Task(draw_competition("M3", "monthly", 100), 12, 12)],
        "m4_long": [
            Task(hours[hours.groupby("unique_id").cumcount(ascending=False) >= 48], 48, 24)
        ],
        "mixed": [Task(draw_mixed(25, 25, 0), 14, 7), Task(draw_mixed(48, 2, 1), 14, 7)],
        "stretches": [Task(draw_mixed(0, 40, 3, has_stretches=True), 14, 7)],
        "turned": [Task(draw_turned(), 14, 7)],
        "sharp": [Task(draw_sharp(), 24, 24)],
        "fewest": list(list_fewest()),
    }


def list_trained_sets() -> dict[str, list[Task]]:
    """Return the tasks of each set on which networks are trained, one for each seed."""
    prepare_data()
    tourism = read_tourism()
    hours = pd.read_parquet(PREPARED / "m4_hourly.parquet")
    tourism = tourism[
        (tourism["part"] == "train")
        & tourism["unique_id"].isin(sorted(set(tourism["unique_id"]))[::36])
    ]
    hours = hours[hours["unique_id"] == sorted(hours["unique_id"].unique())[40]].iloc[:-48]
    y = draw_threshold(np.random.default_rng([0, *b"threshold"]), (1, 400))[0]
    first = {
        "m4_hour": Task(keep_newest(hours, 600), 24, 24),
        "threshold": Task(
            pd.DataFrame({"ds": pd.date_range("1900", periods=400, freq="MS"), "y": y}), 6, 12
        ),
        "seattle": Task(keep_newest(read_seattle(), 500), 7, 7),
        "tourism_10": Task(keep_newest(tourism[["unique_id", "ds", "y"]], 200), 12, 12),
    }
    options = [
        {"networks": "all", "pretrained": False, "training": {"seed": 10 * seed}}
        for seed in range(2)
    ]
    return {
        name: [task._replace(is_holdout=True, options=own) for own in options]
        for name, task in first.items()
    }


def draw_mixed(
    num_sparse: int, num_dense: int, seed: int, has_stretches: bool = False
) -> pd.DataFrame:
    """Return daily counts with many zeros and with few; every second dense series may be constant for 110 days."""
    random = np.random.default_rng(seed)
    size = 200
    tables = []
    days = pd.date_range("2023-01-02", periods=size)
    for number in range(num_sparse + num_dense):
        if number < num_sparse:
            demand = 1.0 + random.poisson(random.uniform(0.5, 4), size)
            y = np.where(random.random(size) < random.uniform(0.1, 0.6), demand, 0)
        else:
            week = np.exp(0.3 * np.sin(2 * np.pi * np.arange(size) / 7 + random.random()))
            y = random.poisson(np.exp(random.uniform(1, 4)) * week, size).astype(float)
            if has_stretches and number % 2:
                y[40:150] = y[40]
        tables.append(pd.DataFrame({"unique_id": f"s{number:02d}", "ds": days, "y": y}))
    return pd.concat(tables)


def draw_turned() -> pd.DataFrame:
    """Return sparse counts of which most turn constant."""
    random = np.random.default_rng(1)
    tables = []
    for number in range(52):
        y = np.where(random.random(264) < 0.35, 1.0 + random.binomial(4, 0.3, 264), 0.0)
        if random.random() < 0.6:
            start = 250 - int(random.integers(79, 95))
            y[start - int(random.integers(60, 150)) : start], y[start:] = 0, 2
        days = pd.date_range("2024-01-01", periods=264)
        tables.append(pd.DataFrame({"unique_id": f"s{number:02d}", "ds": days, "y": y}))
    return pd.concat(tables)


def draw_sharp() -> pd.DataFrame:
    """Return 1,200 hours whose day has a peak of two hours."""
    hours = np.arange(1200)
    y = 20 + 15 * np.isin(hours % 24, (8, 9)) + np.random.default_rng(2).normal(0, 1, len(hours))
    return pd.DataFrame({"ds": pd.date_range("2024", periods=len(hours), freq="h"), "y": y})


def list_fewest() -> Iterator[Task]:
    """Yield the newest 3 to 20 known years and quarters of single series."""
    random = np.random.default_rng(8)
    for kind, season, horizon in (("yearly", 1, 3), ("quarterly", 4, 4)):
        table = draw_competition("M3", kind)
        for number, (_, own) in enumerate(table.groupby("unique_id", sort=True)):
            if number < 12:
                yield Task(own.iloc[-int(random.integers(3, 21)) - horizon :], horizon, season)


def keep_newest(table: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the newest rows of each series."""
    if "unique_id" not in table:
        return table.iloc[-number:]
    return table[table.groupby("unique_id").cumcount(ascending=False) < number]


def keep_ids(table: pd.DataFrame, number: int) -> pd.DataFrame:
    """Return the first series."""
    return table[table["unique_id"].isin(sorted(table["unique_id"].unique())[:number])]


def cut_at_random(table: pd.DataFrame) -> pd.DataFrame:
    """Return a panel in which half of the series have few values."""
    random = np.random.default_rng(5)
    parts = []
    for number, (_, own) in enumerate(table.groupby("unique_id", sort=True)):
        known = 84 if number % 2 else int(np.exp(random.uniform(np.log(2), np.log(40))))
        parts.append(own.iloc[-known - 12 :])
    return pd.concat(parts, ignore_index=True)


def draw_competition(competition: str, kind: str, number: int = 40) -> pd.DataFrame:
    """Return series without their test parts."""
    drawn = draw_panel(competition, kind, number)
    freq = KINDS[kind][1]
    days = pd.date_range("1900", periods=max(len(known) for known, _ in drawn.values()), freq=freq)
    return pd.concat(
        pd.DataFrame({"unique_id": name, "ds": days[-len(known) :], "y": known})
        for name, (known, _) in drawn.items()
    )


def draw_generated(season: int, length: int) -> pd.DataFrame:
    """Return 25 series of the generator, with a season."""
    values = generate(
        np.random.default_rng([9, season]),
        25,
        season,
        length,
        ("season", "trend", "noise", "exponential"),
    )
    days = pd.date_range("2020", periods=length, freq="MS" if season == 12 else "D")
    return pd.concat(
        pd.DataFrame({"unique_id": f"g{number:02d}", "ds": days, "y": own})
        for number, own in enumerate(values)
    )


def list_drifting() -> Iterator[Task]:
    """Yield draws of single series whose level drifts."""
    months = pd.date_range("2010", periods=132, freq="MS")
    for draw in GENERATED.values():
        for seed in range(2):
            values = 100 + draw(np.random.default_rng([seed, 7]), len(months))
            yield Task(pd.DataFrame({"ds": months, "y": values}), 12, 12)


def list_with_covariates() -> Iterator[Task]:
    """Yield a single series and a panel with a future covariate."""
    for num_series in (1, 6):
        random = np.random.default_rng(num_series)
        size = (num_series, 160)
        days = pd.date_range("2022", periods=size[1])
        price = np.round(random.normal(0, 1, size), 2)
        week = 5 * np.sin(2 * np.pi * np.arange(size[1]) / 7)
        y = 50 + 10 * np.arange(num_series)[:, None] + week - 3 * price + random.normal(0, 2, size)
        frame = pd.concat(
            pd.DataFrame(
                {"unique_id": f"c{number}", "ds": days, "y": y[number], "price": price[number]}
            )
            for number in range(num_series)
        )
        yield Task(
            frame, 7, 7, True, {"futr_exog": ["price"], "split": {"validation": 40, "test": 40}}
        )


def read_seattle() -> pd.DataFrame:
    """Return the days before the test part."""
    table = read_source(SourceSpec(name="seattle"), None)[["unique_id", "ds", "y"]]
    return table[table["ds"] < "2014-07"]


def read_melbourne() -> pd.DataFrame:
    """Return the days before the test part."""
    table = pd.read_csv(SERIES / "daily-min-temperatures.csv", parse_dates=["Date"])
    return table.set_axis(["ds", "y"], axis=1)[lambda found: found["ds"] < "1990"]


def read_oil() -> pd.DataFrame:
    """Return hours of an older part of ETTh1."""
    table = pd.read_csv(SERIES / "ETTh1.csv", parse_dates=["date"], usecols=["date", "OT"])
    return table.set_axis(["ds", "y"], axis=1).iloc[8000:8700]


def read_sunspots() -> pd.DataFrame:
    """Return months before the test part."""
    table = pd.read_csv(SERIES / "monthly-sunspots.csv", parse_dates=["Month"])
    return table.set_axis(["ds", "y"], axis=1).iloc[1300:2000]


def measure_set(tasks: Sequence[Task], options: dict[str, Any]) -> dict[str, dict[str, float]]:
    """Return MASE, coverages and Winkler scores of each series, or with trained networks their means by seed."""
    found: dict[str, dict[str, float]] = {}
    for number, task in enumerate(tasks):
        changed = {key: {**task.options.get(key, {}), **block} for key, block in options.items()}
        started = time.process_time()
        measured = dict(measure_task(task._replace(options=task.options | changed)))
        if "networks" in task.options:
            seconds = time.process_time() - started
            measured = {
                "mean": pd.DataFrame(measured).mean(axis=1).to_dict() | {"seconds": seconds}
            }
        found |= {f"{number} {name}": own for name, own in measured.items()}
    return found


def measure_task(task: Task) -> Iterator[tuple[str, dict[str, float]]]:
    """Fit the known part of a panel, and yield each series with its MASE, coverages and Winkler scores."""
    frame = task.frame if "unique_id" in task.frame else task.frame.assign(unique_id="series")
    known, actual = frame, frame
    if not task.is_holdout:
        is_ahead = frame.groupby("unique_id").cumcount(ascending=False) < task.horizon
        known = frame[~is_ahead]
        actual = frame[is_ahead]
    forecaster = Forecaster(h=task.horizon, **{"networks": "pretrained"} | task.options).fit(known)
    table = (
        forecaster.holdout()
        if task.is_holdout
        else forecaster.predict().merge(actual, on=["unique_id", "ds"])
    )
    for name, own in table.groupby("unique_id"):
        values = known.loc[known["unique_id"] == name, "y"].to_numpy()
        lag = task.season if len(values) > 2 * task.season else 1
        scale = np.mean(np.abs(values[lag:] - values[:-lag])) if len(values) > lag else np.nan
        scale = scale if scale > 0 else max(1.0, float(np.abs(values).mean()))
        shown = {
            "mase": ENSEMBLE,
            **{f"mase_{network}": network for network in NETWORKS if network in own},
        }
        y = own["y"].to_numpy()
        measured = {
            key: float(np.mean(np.abs(y - own[method])) / scale) for key, method in shown.items()
        }
        for level in LEVELS:
            low, high = (own[f"{ENSEMBLE}-{side}-{level}"].to_numpy() for side in ("lo", "hi"))
            outside = np.maximum(low - y, 0) + np.maximum(y - high, 0)
            score = np.mean(high - low + 200 / (100 - level) * outside) / scale
            if np.isfinite(score):
                measured[f"coverage_{level}"] = float(np.mean((low <= y) & (y <= high)))
                measured[f"winkler_{level}"] = float(score)
        yield str(name), measured


def switch_off(rule: Rule) -> None:
    """Patch the values of a rule in all modules that have them."""
    for target, neutral in rule.patches.items():
        place, _, path = target.partition(":")
        module = import_module(f"rnn_pipelines.forecast.{place}")
        owner_name, _, attribute = path.rpartition(".")
        if owner_name:
            owner = getattr(module, owner_name)
            if isinstance(owner, dict):
                owner.pop(attribute)
            else:
                setattr(owner, attribute, neutral)
            continue
        original = getattr(module, path)
        for name, loaded in list(sys.modules.items()):
            if (
                name.startswith("rnn_pipelines.forecast")
                and vars(loaded).get(path, neutral) is original
            ):
                setattr(loaded, path, neutral)


def measure_rule(rule: Rule, sets: dict[str, list[Task]]) -> dict[str, Any]:
    """Measure sets without a rule, in a process of its own."""
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=_measure_sets, args=(rule, sets, queue))
    process.start()
    found: dict[str, Any] = queue.get()
    process.join()
    return found


def _measure_sets(rule: Rule, sets: dict[str, list[Task]], queue: Any) -> None:
    switch_off(rule)
    found: dict[str, Any] = {}
    for name, tasks in sets.items():
        try:
            found[name] = measure_set(tasks, rule.options)
        except Exception as error:  # without a rule, a fit may fail, which is a result
            found[name] = {"error": f"{type(error).__name__}: {error}"[:200]}
    queue.put(found)


def compare(row: dict[str, Any], baseline: dict[str, Any]) -> dict[str, Any]:
    """Return the changes by measure and set, with their standard errors: in percent, or in points of coverage."""
    changes: dict[str, Any] = {"rule": row["rule"], "lines": row["lines"], "measures": {}}
    changes["failed"] = [name for name, found in row["sets"].items() if "error" in found]
    for measure in MEASURES:
        by_set = {}
        for name, after in row["sets"].items():
            before = baseline["sets"][name]
            both = [
                key for key in before if measure in before[key] and measure in after.get(key, {})
            ]
            if "error" in after or not both:
                continue
            values = np.array([[part[key][measure] for key in both] for part in (after, before)])
            shown = (
                values if measure.startswith("coverage") else np.log(np.maximum(values, SMALLEST))
            )
            change = 100 * (shown[0] - shown[1])
            error = change.std(ddof=1) / np.sqrt(len(both)) if len(both) > 1 else 0.0
            by_set[name] = round(float(change.mean()), 3), round(float(error), 3)
        changes["measures"][measure] = by_set
    return changes


def is_without_effect(changes: dict[str, Any]) -> bool:
    """Return whether a rule changes no error and score of a set by 0.5 %, and no coverage by a point."""
    return not changes["failed"] and all(
        abs(change) < (MAX_COVERAGE if measure.startswith("coverage") else MAX_CHANGE)
        for measure, by_set in changes["measures"].items()
        if measure != "seconds"
        for change, _ in by_set.values()
    )


def tabulate(results: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield a Markdown row for each rule."""
    shown = {
        "mase": "MASE",
        "winkler_80": "Winkler, 80 %",
        "winkler_95": "Winkler, 95 %",
        "coverage_80": "covered, 80 %",
        **{f"mase_{network}": f"MASE, {network}" for network in NETWORKS},
        "seconds": "seconds",
    }
    shown = {
        key: name for key, name in shown.items() if any(row["measures"].get(key) for row in results)
    }
    yield f"| without | lines | {' | '.join(f'{name}: mean; most changed set' for name in shown.values())} |"
    yield f"|---|---:|{'---|' * len(shown)}"
    for changes in results:
        cells = []
        for measure in shown:
            by_set = changes["measures"][measure]
            most = max(by_set, key=lambda name: abs(by_set[name][0]))
            if not by_set[most][0]:
                cells.append("0")
                continue
            mean = np.mean([change for change, _ in by_set.values()])
            cells.append(f"{mean:+.1f}; {most} {by_set[most][0]:+.1f} ± {by_set[most][1]:.1f}")
        name = changes["rule"] + (" (no effect)" if is_without_effect(changes) else "")
        name += f" (fails: {', '.join(changes['failed'])})" if changes["failed"] else ""
        yield f"| {name} | {changes['lines']} | {' | '.join(cells)} |"


def main() -> None:
    """Measures the rules in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rules", nargs="*", help="names; all without any")
    parser.add_argument("--values", type=Path, help="file of a run, which is continued")
    parser.add_argument("--networks", action="store_true", help="the rules of trained networks")
    parser.add_argument("--table", action="store_true", help="print the table of the results alone")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    kind = "_networks" if arguments.networks else ""
    values = arguments.values or Path(VALUES.format(kind))
    results_file = Path(RESULTS.format(kind))
    if arguments.table:
        print("\n".join(tabulate(json.loads(results_file.read_text()))))
        return
    rows = [json.loads(line) for line in values.read_text().splitlines()] if values.exists() else []
    done = {row["rule"] for row in rows}
    rules = NETWORK_RULES if arguments.networks else RULES
    wanted = [rule for rule in (Rule(BASELINE, {}, 0), *rules) if rule.name not in done]
    if arguments.rules:
        wanted = [rule for rule in wanted if rule.name in (BASELINE, *arguments.rules)]
    sets, more = (
        (list_trained_sets(), {}) if arguments.networks else (list_sets(), list_more_sets())
    )
    if arguments.networks:
        # They take most of the time, and do not depend on trained networks.
        for name in ("theta", "damped_trend", "holt_winters", "trees"):
            METHODS.pop(name)
    for rule in wanted:
        started = time.monotonic()
        own = {name: sets[name] for name in rule.sets or sets}
        found = measure_rule(rule, own if rows else sets | more)
        row = {"rule": rule.name, "lines": rule.lines, "sets": found}
        if rows and is_without_effect(compare(row, rows[0])):
            found |= measure_rule(rule, more)
        rows.append(row)
        with values.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(f"{rule.name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    results = [compare(row, rows[0]) for row in rows[1:]]
    results_file.write_text("[\n" + ",\n".join(map(json.dumps, results)) + "\n]\n")
    print("\n".join(tabulate(results)))


if __name__ == "__main__":
    main()
