"""The chain of the log, computed anew from its description in `storage/chain.py`, without its code."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

LOG = "07_model_output/predict_forecast/forecasts.parquet"
KEY = ["unique_id", "cutoff", "ds"]
LINKS = ["previous_sha256", "row_check"]
KINDS = {"M": "time", "i": "int", "f": "float"}


def read_log(root: Path) -> pd.DataFrame:
    """Return all rows of the log below a data root; none without a log."""
    path = root / LOG
    return pd.read_parquet(path) if path.exists() else pd.DataFrame(columns=[*KEY, "recorded_at"])


def verify(log: pd.DataFrame) -> Iterator[str]:
    """Yield each night that does not carry the hash of the night before."""
    previous = "first"
    for recorded_at, rows in log.groupby("recorded_at", sort=False) if len(log) else ():
        names = sorted(name for name in rows if name not in LINKS and rows[name].notna().any())
        kinds = [[name, KINDS.get(rows[name].dtype.kind, "text")] for name in names]
        seed = hashlib.sha256(json.dumps([previous, len(rows), kinds]).encode()).digest()
        checks = []
        for place, cells in enumerate(zip(*(rows[name] for name in names), strict=True), 1):
            row = np.int64(place).tobytes() + b"".join(map(encode, cells, kinds))
            checks.append(f"{place}/{len(rows)}:{hashlib.sha256(seed + row).hexdigest()[:32]}")
        if rows[LINKS[0]].unique().tolist() != [previous] or rows[LINKS[1]].tolist() != checks:
            yield f"the chain is broken at {recorded_at}"
        previous = hashlib.sha256("\n".join([previous, *checks]).encode()).hexdigest()


def encode(cell: Any, kind: list[str]) -> bytes:
    """Return a cell as the bytes that are hashed."""
    if kind[1] == "text":
        return bytes(32) if pd.isna(cell) else hashlib.sha256(str(cell).encode()).digest()
    if kind[1] == "time":
        return np.int64(pd.Timestamp(cell).value // 1000).tobytes()
    return (np.int64 if kind[1] == "int" else np.float64)(cell).tobytes()
