"""The judge of a night, which reads files alone and calls no code of the project."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from chain_of_log import KEY, LINKS, LOG, read_log, verify

COMMANDS = ("retrain", "predict", "monitor")
HIDDEN = re.compile(r"\.(lock|\w+\.parquet\.lock|\d{4}-.+\.failed)")  # locks, the last failed run


@dataclass
class Night:
    """What happened on a night, besides the files that it left."""

    newest: dict[str, set[pd.Timestamp]]  # the newest day of each delivered series
    codes: dict[str, int]  # exit codes of commands
    deserved: frozenset[int]  # codes of the check that are right
    audit: int = 0  # the code of the audit that is right
    is_whole: bool = True  # all commands have written, and nothing of older ones is left
    foreign: dict[Path, bytes] = field(default_factory=dict)  # files of others


def judge(root: Path, before: pd.DataFrame, night: Night) -> Iterator[str]:
    """Yield what is wrong after a night, given the log before it."""
    log = read_log(root)
    yield from [*judge_log(before, log, night), *verify(log)]
    if night.codes.get("predict") in (0, 20):
        shown = pd.read_parquet(root / LOG.replace("forecasts", "next_values"))
        last = log.drop_duplicates(KEY, keep="last")
        if shown.empty or len(shown.merge(last, on=[*KEY, "y_hat", "model_version"])) < len(shown):
            yield "next values are not the last ones of the log"
    yield from judge_champion(root / "06_models/champion/forecast")
    if "check" in night.codes and night.codes["check"] not in night.deserved:
        yield f"the check ended with {night.codes['check']}, not one of {sorted(night.deserved)}"
    if any(night.codes.get(name) for name in COMMANDS) and 20 not in night.deserved:
        yield f"a command failed on a night without a fault: {night.codes}"
    if night.codes.get("audit", night.audit) != night.audit:
        yield f"the audit ended with {night.codes['audit']}, not {night.audit}"
    for path, content in night.foreign.items():
        if not path.exists() or path.read_bytes() != content:
            yield f"{path}, a file of others, was changed"
    hidden = [path for path in root.rglob(".*") if not HIDDEN.fullmatch(path.name)]
    if night.is_whole and hidden:
        yield f"files were left: {[str(path.relative_to(root)) for path in hidden]}"


def judge_log(before: pd.DataFrame, log: pd.DataFrame, night: Night) -> Iterator[str]:
    """Yield what is wrong with the rows of a night."""
    if not before.equals(log.reindex(columns=before.columns)[: len(before)].astype(before.dtypes)):
        yield "rows of the log were changed or removed"
    new = log[len(before) :]
    values = [name for name in before if name not in (*LINKS, "recorded_at")]
    last = before.drop_duplicates(KEY, keep="last")
    if len(before) and len(new[values].merge(last[values], on=values)):
        yield "a forecast was logged twice"
    if len(new) and (
        new.duplicated([*KEY, "recorded_at"]).any() or (new["cutoff"] >= new["ds"]).any()
    ):
        yield "a forecast was logged twice in a night, or reads its own value"
    if any(row.cutoff not in night.newest.get(row.unique_id, ()) for row in new.itertuples()):
        yield "a forecast was not made from the newest value"
    if len(new) and len(before) and new["recorded_at"].min() <= before["recorded_at"].max():
        yield "a night was recorded before the night before it"


def judge_champion(folder: Path) -> Iterator[str]:
    """Yield a champion that nobody has promoted."""
    if (folder / "champion.json").exists():
        version = json.loads((folder / "champion.json").read_text())["version"]
        paths = [*folder.glob("history/[!.]*.json"), folder / f"versions/{version}/record.json"]
        records = [json.loads(path.read_text()) for path in paths if path.exists()]
        own = [one for one in records if (one.get("version") or version) == version]
        if not any(one.get("is_promoted") for one in own):
            yield f"the champion {version} was never promoted"
