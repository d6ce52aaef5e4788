"""One row of 10,000 that is changed, removed, added or moved in the log in a file is found.

`RNN_FUZZ_ROWS` says how many of them are changed.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import stub_night
from rnn_pipelines.errors import BrokenChainError
from rnn_pipelines.forecast.datasets import FORMAT, ForecastLogDataset
from rnn_pipelines.storage.chain import FIRST, split_nights, verify_chain
from tampering import KEY, KINDS, NIGHT, NUM_ROWS, NUM_TRIALS, Kind, draw_trials, make_nights
from trials import UNMEASURED, fail_at_every_call

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> ForecastLogDataset:
    dataset = ForecastLogDataset(filepath=str(tmp_path_factory.mktemp("log") / "forecasts.parquet"))
    for night in make_nights():
        dataset.save(night)
    return dataset


def tamper(log: pd.DataFrame, row: int, kind: Kind, other: int) -> pd.DataFrame:
    """The last bit of a forecast; a row less; a forecast of another series; another night or another place."""
    taken = log.iloc[[row]]
    if kind == "changed":
        value = np.nextafter(taken["y_hat"].to_numpy(), np.inf)
        return pd.concat([log[:row], taken.assign(y_hat=value), log[row + 1 :]], ignore_index=True)
    if kind == "removed":
        return log.drop(index=row)
    if kind == "added":
        return pd.concat(
            [log[: row + 1], taken.assign(unique_id="shop 99"), log[row + 1 :]], ignore_index=True
        )
    place = NIGHT * other
    if row % 2:
        taken = taken.assign(recorded_at=log["recorded_at"][place])
    rest = log.drop(index=row)
    place -= place > row
    return pd.concat([rest[:place], taken, rest[place:]], ignore_index=True)


def test_every_change_of_a_row_is_found(dataset: ForecastLogDataset) -> None:
    """Verified from the first night that differs to the one after the last, because the others are equal."""
    log = pd.concat(list(dataset.iterate_nights()), ignore_index=True)
    assert len(log) == NUM_ROWS
    hashes = [link.sha256 for link in verify_chain(split_nights([log], KEY), KEY)]
    num_found = num_named = 0
    for row, kind, other in draw_trials():
        nights = sorted({row // NIGHT, other if kind == "moved" else row // NIGHT})
        first = nights[0]
        link = hashes[nights[0] - 1] if nights[0] else FIRST
        rows = log[NIGHT * first : NIGHT * (nights[-1] + 2)].reset_index(drop=True)
        changed = tamper(rows, row - NIGHT * first, kind, other - first)
        try:
            list(verify_chain(split_nights([changed], KEY), KEY, link))
        except BrokenChainError as error:
            num_found += 1
            num_named += error.key == {**log.iloc[row][KEY].to_dict()}
    print(f"{num_found} of {NUM_TRIALS} changes found")
    assert num_found == NUM_TRIALS
    # All those whose value changed.
    assert num_named >= NUM_TRIALS // len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_change_is_found_in_the_file(
    dataset: ForecastLogDataset, tmp_path: Path, kind: Kind
) -> None:
    changed = tamper(pd.concat(list(dataset.iterate_nights()), ignore_index=True), 4321, kind, 7)
    changed.attrs = {"format": FORMAT}
    changed.to_parquet(tmp_path / "forecasts.parquet")
    with pytest.raises(BrokenChainError):
        list(
            verify_chain(
                ForecastLogDataset(filepath=str(tmp_path / "forecasts.parquet")).iterate_nights(),
                KEY,
            )
        )


@pytest.mark.parametrize("kind", ["kill", "full"])
def test_nights_that_were_killed_then_repeated_leave_the_chain(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each call that changes the disk: the log has the night or not, and has it once when it is repeated."""
    monkeypatch.setitem(UNMEASURED, "PYTHONPATH", os.pathsep.join(filter(None, sys.path)))
    start = tmp_path / "start"
    start.mkdir()
    for night in range(2):
        stub_night.save_night(start, night)
    num_killed = 0
    for end in fail_at_every_call(Path(stub_night.__file__), "save", [], start, kind):
        num_killed += end.is_reached
        dataset = ForecastLogDataset(filepath=str(end.folder / stub_night.LOG))
        before = list(verify_chain(dataset.iterate_nights(), KEY))
        assert len(before) in (2, 3), end.where
        hashes = []
        for _ in range(2):
            stub_night.save_night(end.folder, 2)
            hashes.append([link.sha256 for link in verify_chain(dataset.iterate_nights(), KEY)])
        assert hashes[0] == hashes[1]
        assert len(hashes[0]) == 3
        assert hashes[0][: len(before)] == [link.sha256 for link in before]
    assert num_killed >= 5
