"""The audit of the log of forecasts: its chain, and the errors of the forecasts that were recorded before their values.

The field's names of the times are `target_time` (`ds`), `available_at` (`cutoff`, the newest value that was known of
the series) and `recorded_at`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.champion.verdict import KnownChampion, LogStamp
from rnn_pipelines.errors import BrokenChainError, count
from rnn_pipelines.forecast.evaluation.log_stamp import find_loss
from rnn_pipelines.forecast.evaluation.realised import (
    EvaluatedForecasts,
    join_actuals,
    keep_uncorrected,
    measure_accuracy,
)
from rnn_pipelines.forecast.methods.predictions import (
    RECORDED,
    ForecastLog,
    ForecastLogTable,
    keep_first_record,
)
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.forecast.totals.groups import select_groups
from rnn_pipelines.forecast.totals.log import TotalsLog, join_total_actuals, name_totals
from rnn_pipelines.forecast.totals.specs import TotalsSpec
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.report.numbers import format_number, format_percent
from rnn_pipelines.storage.chain import Link, verify_chain

KEY = [name for name in ForecastLogTable.key if name != RECORDED]
# The field's names of the columns.
CLOCKS = {"ds": "target_time", "cutoff": "available_at"}


def audit_chain(
    nights: Iterable[pd.DataFrame],
    stamped: Mapping[str, str | None] = MappingProxyType({}),
    kept: LogStamp | None = None,
) -> tuple[dict[str, Any], list[Link]]:
    """Verify the chain, that it is whole, and that each forecast reads only values before its target.

    Args:
        stamped: the hashes that the chain must contain, by the name of their stamp; None if that is damaged.
        kept: the stamp in the champion's folder, whose nights the chain must contain; None for none.
    Returns:
        As JSON: `verdict` (ok or broken), its `reason` and the first wrong `row`, `sha256` of the newest night, times
        and numbers, of which those of a broken chain are of the nights before it; `num_taken_over` rows are from before
        the chain. And the links of the nights.
    """
    links: list[Link] = []
    reason, row = None, None
    try:
        links.extend(verify_chain(_check_times(nights), ForecastLogTable.key))
    except BrokenChainError as error:
        row = {CLOCKS.get(name, name): format_time(value) for name, value in error.key.items()}
        reason = f"{', '.join(f'{name} {value}' for name, value in row.items())}: {error.reason}"
    hashes = {link.sha256 for link in links}
    missing = [name for name in stamped if stamped[name] not in hashes]
    if reason is None and missing:
        value = stamped[missing[0]] or "which is damaged"
        reason = f"no night has the hash of {missing[0]}, {value}: nights were removed or written again after it"
    if reason is None and kept is not None:
        reason = find_lost_nights(links, kept)
    linked = [link for link in links if link.is_linked]
    chain = {
        "verdict": "ok" if reason is None else "broken",
        "reason": reason,
        "row": row,
        "num_nights": len(linked),
        "num_rows": sum(link.num_rows for link in links),
        "num_taken_over": sum(link.num_rows for link in links if not link.is_linked),
        "first_recorded_at": linked[0].recorded_at.isoformat() if linked else None,
        "last_recorded_at": linked[-1].recorded_at.isoformat() if linked else None,
        "sha256": linked[-1].sha256 if linked else None,
    }
    return chain, links


def find_lost_nights(links: Sequence[Link], kept: LogStamp) -> str | None:
    """Return what a chain lacks of the nights of the champion's stamp, as `find_loss`; None if nothing."""
    times = [link.recorded_at for link in links for _ in range(link.num_rows)]
    return find_loss(pd.Series(times, dtype="datetime64[us, UTC]"), kept)


def _check_times(nights: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
    for night in nights:
        is_wrong = (night["cutoff"] >= night["ds"]).to_numpy()
        if is_wrong.any():
            row = night.iloc[int(is_wrong.argmax())]
            raise BrokenChainError(
                "available_at is not before target_time", row[list(ForecastLogTable.key)].to_dict()
            )
        yield night


def prove_forecasts(
    log: ForecastLog,
    links: Sequence[Link],
    series: Series,
    champion: KnownChampion,
    join: Callable[..., EvaluatedForecasts] = join_actuals,
    seals: Sequence[tuple[pd.Timestamp, pd.Timestamp]] = (),
) -> dict[str, Any]:
    """Select the forecasts that were recorded before their values, and measure their errors and coverage.

    The links are those of the nights of the log, whose chain is not broken. `join` joins forecasts with their actuals;
    for the champion, see `join_actuals`. `seals` has the newest night that each time stamp of an authority covers, and
    its time.

    Returns:
        As JSON: `num_corrected` records from a gross value that was corrected afterwards, which do not count, as in the
        monitoring; `num_forecasts`, the first other records of each version; of them `num_proven`, whose value no night
        up to their own knew, and which the clock recorded before the end of their target's step; `num_sealed` of these,
        by the clock of an authority, too; `after_target`, the
        same later by the clock, or None for integer steps; `num_late`, when a night had known the value, or before the
        chain; `num_open`, without a value, or by a model that learnt it; times without a forecast; `mae`, and
        `coverage` by level: means over each series, then over series. These and `by_step` are of the proven ones.
    """
    if links and not links[0].is_linked:
        # Rows of before the chain can't be changed from its first night on; until then, their time proves nothing.
        sealed = links[1].recorded_at if len(links) > 1 else pd.NaT
        log = log.assign(
            **{RECORDED: log[RECORDED].mask(log[RECORDED] <= links[0].recorded_at, sealed)}
        )
    uncorrected = keep_uncorrected(log, series)
    first = keep_first_record(uncorrected)
    is_before = _is_before_value(first, log)
    evaluated = join(first[is_before], series, champion)
    recorded = evaluated[KEY].merge(first, on=KEY)
    is_after = np.zeros(len(recorded), bool)
    is_sealed = np.zeros(len(recorded), bool)
    if recorded["ds"].dtype.kind == "M":
        # After the end of their target's step, by the clock.
        step = (recorded["ds"] - recorded["cutoff"]) / recorded["horizon_step"]
        if "num_steps" in recorded:
            # A total counts as written before its first value.
            step = series["ds"].drop_duplicates().sort_values().diff().min()
        ends = recorded["ds"] + step
        is_after = (recorded[RECORDED].dt.tz_localize(None) >= ends).to_numpy()
        for night, time in seals:
            is_covered = (recorded[RECORDED] <= night) & (ends > time.tz_localize(None))
            is_sealed |= is_covered.to_numpy()
    proven = evaluated[~is_after]
    after = evaluated[is_after]
    steps = proven.groupby("horizon_step")
    has_clock = series["ds"].dtype.kind == "M"
    times = series["ds"].drop_duplicates().sort_values()
    cutoffs = log["cutoff"]
    missing = times[times.between(cutoffs.min(), cutoffs.max()) & ~times.isin(cutoffs)].tolist()
    return dict(
        num_forecasts=len(first),
        num_proven=len(proven),
        num_sealed=int((is_sealed & ~is_after).sum()),
        after_target={"num_forecasts": len(after), **measure_accuracy(after)}
        if has_clock
        else None,
        num_late=int((~is_before).sum()),
        num_corrected=len(log) - len(uncorrected),
        num_open=int(is_before.sum()) - len(evaluated),
        num_missing_nights=len(missing),
        first_missing_night=format_time(missing[0]) if len(missing) else None,
        by_step=[
            {"horizon_step": int(step), "num_forecasts": len(rows), **measure_accuracy(rows)}
            for step, rows in steps
        ],
        **measure_accuracy(proven),
    )


def prove_totals(
    log: TotalsLog,
    links: Sequence[Link],
    series: Series,
    champion: KnownChampion,
    group_table: pd.DataFrame,
    spec: TotalsSpec,
) -> dict[str, dict[str, Any]]:
    """Return `prove_forecasts` of each kind of total that has rows in the log, by its name."""
    groups = select_groups(group_table, spec.columns, list(series["unique_id"].unique()))
    proofs = {}
    for total, names in name_totals(groups, spec):
        rows = log[log["unique_id"].isin(names)]
        if len(rows):
            join = partial(join_total_actuals, names=names)
            proofs[total] = prove_forecasts(rows, links, series, champion, join)
    return proofs


def _is_before_value(first: ForecastLog, log: ForecastLog) -> pd.Series:
    """Return whether each forecast was recorded before the first night of the series whose cut-off is at its target."""
    nights = (
        log.groupby(["unique_id", "cutoff"], as_index=False)[RECORDED]
        .min()
        .sort_values("cutoff", ascending=False)
    )
    nights["known_at"] = nights.groupby("unique_id")[RECORDED].cummin()
    nights = nights.rename(columns={"cutoff": "ds"})[["unique_id", "ds", "known_at"]].sort_values(
        "ds"
    )
    targets = first[["unique_id", "ds"]].reset_index().sort_values("ds")
    known = pd.merge_asof(targets, nights, on="ds", by="unique_id", direction="forward").set_index(
        "index"
    )
    known_at = known["known_at"].reindex(first.index)
    return first[RECORDED].notna() & (known_at.isna() | (first[RECORDED] < known_at))


def describe_audit(
    chain: Mapping[str, Any], proof: Mapping[str, Any] | None, problem: str | None = None
) -> list[str]:
    """Return the result as lines, the conclusion first; without a proof of an unbroken chain, its problem."""
    nights = count(chain["num_nights"], "night")
    rows = count(chain["num_rows"], "row")
    if proof is None and problem is not None:
        return [
            "the chain is unchanged; error and coverage could not be computed",
            _describe_chain(chain),
            f"the series could not be read: {problem}",
        ]
    if proof is None:
        return [f"broken: {chain['reason']}", f"{nights} before it, with {rows}, are unchanged"]
    after = proof["after_target"] or {"num_forecasts": 0, "mae": None}
    num_taken_over = chain["num_taken_over"] if chain["sha256"] else 0
    others = {
        "of these before it by the clock of an authority, too": proof["num_sealed"],
        "of the rows are from before the chain, unchanged since its first night": num_taken_over,
        f"more: after their time by the clock, before a night knew the value{_describe(after)}": after[
            "num_forecasts"
        ],
        "not counted: recorded when a night had known the value, or before the chain": proof[
            "num_late"
        ],
        "not counted: without a value so far, or by a model that has learnt it": proof["num_open"],
        "not counted: made from a gross value that was corrected afterwards": proof[
            "num_corrected"
        ],
        f"times of the series without a forecast, from {proof['first_missing_night']} on": proof[
            "num_missing_nights"
        ],
    }
    lines = [
        f"{count(proof['num_proven'], 'forecast')}, each written before its value{_describe(proof)}"
    ]
    lines.append(_describe_chain(chain))
    for step in proof["by_step"]:
        lines.append(
            f"step {step['horizon_step']} ({count(step['num_forecasts'], 'forecast')}){_describe(step)}"
        )
    return [*lines, *(f"{number:,} {text}" for text, number in others.items() if number)]


def describe_proofs(totals: Mapping[str, Any]) -> list[str]:
    """Return the result for the log of totals as lines: of its chain, and of each of `prove_totals`, `by_total`."""
    lines = [f"totals, {_describe_chain(totals)}"]
    for total, proof in totals.get("by_total", {}).items():
        num_proven = count(proof["num_proven"], "total")
        lines.append(
            f"{total}: {num_proven}, each written before its first value{_describe(proof)}"
        )
        after = proof["after_target"]
        if after and after["num_forecasts"]:
            num_after = f"{after['num_forecasts']:,} more after their time by the clock"
            lines.append(f"{total}: {num_after}{_describe(after)}")
    return lines


def _describe_chain(chain: Mapping[str, Any]) -> str:
    nights = count(chain["num_nights"], "night")
    rows = count(chain["num_rows"], "row")
    if not chain["sha256"]:
        return f"chain: {rows} from before the chain; the next night carries their hash"
    since = f"unchanged since {chain['first_recorded_at']}; newest hash {chain['sha256']}"
    return f"chain: {nights}, {rows}, {since}"


def _describe(result: Mapping[str, Any]) -> str:
    if result["mae"] is None:
        return ""
    shares = [
        f"{format_percent(share, 1)} inside {level} %"
        for level, share in result["coverage"].items()
    ]
    return ": " + ", ".join([f"MAE {format_number(result['mae'])}", *shares])
