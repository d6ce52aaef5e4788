"""The result of a check for other programs: metrics for Prometheus, and a message by HTTP."""

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rnn_pipelines.champion.verdict import LEVELS
from rnn_pipelines.connectors.posting import post
from rnn_pipelines.errors import ChampionError, make_line
from rnn_pipelines.printing import print_text
from rnn_pipelines.storage.files import is_regular, replace_file

PREFIX = "rnn_pipelines_"
HELP = "# HELP "
# Times are exported instead of ages, because an age would stand still if the check stopped running.
METRICS = {
    "check_timestamp_seconds": "Time of the check.",
    "verdict": "1 for the verdict of the check, 0 for the others.",
    "champion_info": "The version in use.",
    "champion_since_timestamp_seconds": "Time since when the version is in use.",
    "monitor_timestamp_seconds": "Time of the newest monitoring.",
    "newest_value_timestamp_seconds": "Time of the newest value of all series; without a zone taken as UTC.",
    "newest_forecast_timestamp_seconds": "Time when the newest forecast was recorded.",
    "error_ratio": "Realised over expected MSE of the version in use.",
    "coverage_ratio": "Share of actuals inside the intervals of a level in percent.",
    "drift_ratio": "Share of series that have drifted.",
    "drift_effect": "Difference of scored texts from the held-out reviews, by measure.",
}


def send_alerts(found: Mapping[str, Any], metrics: Path | None, url: str | None) -> None:
    """Send the result of a check to those that are given; a failure is only a warning, the exit code is of the check.

    `found` is what `kedro champion check --json` prints; see `write_metrics` and `post_verdict`.
    """
    problem = None if url is None else post_verdict(url, found)
    if problem is not None:
        print_text(f"Warning: {problem}", is_error=True)
    try:
        if metrics is not None:
            write_metrics(metrics, found)
    except (ChampionError, OSError) as error:
        print_text(f"Warning: the metrics could not be written ({make_line(error)})", is_error=True)


def write_metrics(path: Path, found: Mapping[str, Any]) -> None:
    """Write the result of a check for the textfile collector of Prometheus' node exporter, atomically.

    The collector reads files that end in `.prom`. A file that another program wrote raises a ChampionError, and one
    that cannot be written an OSError.
    """
    is_own = is_regular(path) and path.read_bytes().startswith((HELP + PREFIX).encode())
    if path.is_symlink() or (path.exists() and not is_own):
        raise ChampionError(
            f"{path}: it holds no metrics of this command, and is not overwritten. Name another file."
        )
    replace_file(path, format_metrics(found, datetime.now(UTC)).encode())


def format_metrics(found: Mapping[str, Any], now: datetime) -> str:
    """Return the metrics of a check in Prometheus' text format; unknown values are left out."""
    try:
        return _format_rows(found, now)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        # A damaged file of the monitor is an alarm, and its numbers are left out.
        return _format_rows({**found, "monitor": None}, now)


def _format_rows(found: Mapping[str, Any], now: datetime) -> str:
    lines = []
    listed = _list_rows(found, now)
    for metric, text in METRICS.items():
        rows = [
            (labels, value)
            for labels, value in listed[metric]
            if value is not None and math.isfinite(value)
        ]
        lines += (
            [f"{HELP}{PREFIX}{metric} {text}", f"# TYPE {PREFIX}{metric} gauge"] if rows else []
        )
        for labels, value in rows:
            pairs = {"task": found["task"], **labels}.items()
            inside = ",".join(f'{name}="{_escape(str(label))}"' for name, label in pairs)
            lines.append(f"{PREFIX}{metric}{{{inside}}} {value:.17g}")
    return "\n".join([*lines, ""])


def _list_rows(
    found: Mapping[str, Any], now: datetime
) -> dict[str, list[tuple[dict[str, Any], float | None]]]:
    """Return labels and values by metric, None for unknown values."""
    champion = found["champion"] or {}
    monitor = found["monitor"] or {}
    times = {
        "check": now.isoformat(),
        "champion_since": champion.get("since"),
        "monitor": monitor.get("at"),
    }
    times |= {name: monitor.get(name) for name in ("newest_value", "newest_forecast")}
    moments = {
        name: datetime.fromisoformat(time).timestamp() if time else None
        for name, time in times.items()
    }
    return {
        **{f"{name}_timestamp_seconds": [({}, moment)] for name, moment in moments.items()},
        "verdict": [({"verdict": level}, float(level == found["verdict"])) for level in LEVELS],
        "champion_info": [({"version": champion["version"]}, 1.0)] if champion else [],
        "error_ratio": [({}, (monitor.get("error") or {}).get("ratio"))],
        "coverage_ratio": [
            ({"level": row["level"]}, row["coverage"]) for row in monitor.get("intervals") or ()
        ],
        "drift_ratio": [({}, monitor.get("drifted_fraction"))],
        "drift_effect": [
            ({"measure": row["measure"]}, row["effect"]) for row in monitor.get("measures") or ()
        ],
    }


def _escape(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def post_verdict(url: str, found: Mapping[str, Any]) -> str | None:
    """Send the result of a check as JSON, see `post`. Return the reason in words if that fails, else None."""
    try:
        post(url, json.dumps(found).encode(), "application/json", "the verdict")
    except ConnectionError as error:
        return str(error)
    return None
